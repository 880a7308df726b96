//! Which operations were acknowledged, and which were not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tenantry::id::{InvitationId, PromptId, RunId, WorkspaceId, WorkspaceMemberId};

/// Which operations were acknowledged, and which were not.
pub struct Journal {
    begun: Instant,
    kept: Mutex<Kept>,
}

/// The contents of a journal.
#[derive(Default)]
pub struct Kept {
    /// The results of each kind of operation.
    pub operations: BTreeMap<&'static str, Count>,
    /// Operations that failed.
    pub failures: Vec<Failure>,
    /// When each successful operation ended, and on which server.
    pub successes: Vec<(Duration, usize)>,
    /// How often each kind of event was acknowledged in each workspace.
    pub events: BTreeMap<(&'static str, WorkspaceId), i64>,
    /// Workspaces that were created, each with its last acknowledged change.
    pub workspaces: BTreeMap<WorkspaceId, u64>,
    /// Invitations that were created or sent again.
    pub invitations: BTreeSet<InvitationId>,
    /// Prompts that were created.
    pub prompts: BTreeSet<PromptId>,
    /// Memberships acquired with a join code, each with its workspace. They may have existed before, in
    /// which case joining creates no event.
    pub memberships: BTreeMap<WorkspaceMemberId, WorkspaceId>,
    /// Runs that were started, or were already under way.
    pub runs: BTreeSet<RunId>,
}

/// The results of one kind of operation.
#[derive(Clone, Copy, Default)]
pub struct Count {
    /// How many succeeded.
    pub acknowledged: u64,
    /// How many the server's rules refused.
    pub refused: u64,
    /// How many failed.
    pub failed: u64,
}

/// An operation that failed.
pub struct Failure {
    /// When the failure was noticed, since the start.
    pub at: Duration,
    /// Which server was used.
    pub server: usize,
    /// `connection`, `no answer`, or the error's code.
    pub how: String,
    /// The name of the operation.
    pub operation: &'static str,
}

impl Journal {
    /// Creates an empty journal, which starts now.
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            kept: Mutex::default(),
        }
    }

    /// Returns the time since the start.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Returns the contents.
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while holding the lock.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that an operation succeeded.
    pub fn acknowledged(&self, operation: &'static str, server: usize) {
        let at = self.now();
        let mut kept = self.kept();
        kept.successes.push((at, server));
        kept.operations.entry(operation).or_default().acknowledged += 1;
    }

    /// Records that the server's rules refused an operation.
    pub fn refused(&self, operation: &'static str) {
        self.kept().operations.entry(operation).or_default().refused += 1;
    }

    /// Records that an operation failed.
    pub fn failed(&self, operation: &'static str, server: usize, how: String) {
        let at = self.now();
        let mut kept = self.kept();
        kept.operations.entry(operation).or_default().failed += 1;
        kept.failures.push(Failure {
            at,
            server,
            how,
            operation,
        });
    }

    /// Records that something was acknowledged that has an event.
    pub fn event(&self, kind: &'static str, workspace: WorkspaceId) {
        *self.kept().events.entry((kind, workspace)).or_default() += 1;
    }
}
