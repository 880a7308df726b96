//! What was acknowledged, and what was not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tenantry::id::{InvitationId, PromptId, RunId, WorkspaceId, WorkspaceMemberId};

/// What was acknowledged, and what was not.
pub struct Journal {
    begun: Instant,
    kept: Mutex<Kept>,
}

/// What a journal keeps.
#[derive(Default)]
pub struct Kept {
    /// How each kind of operation went.
    pub operations: BTreeMap<&'static str, Count>,
    /// Operations that failed.
    pub failures: Vec<Failure>,
    /// When an operation succeeded, and where.
    pub successes: Vec<(Duration, usize)>,
    /// How often each kind of event was acknowledged in each workspace.
    pub events: BTreeMap<(&'static str, WorkspaceId), i64>,
    /// Workspaces that were made, each with the last change of it that was acknowledged.
    pub workspaces: BTreeMap<WorkspaceId, u64>,
    /// Invitations that were made, or sent anew.
    pub invitations: BTreeSet<InvitationId>,
    /// Prompts that were made.
    pub prompts: BTreeSet<PromptId>,
    /// Memberships that somebody has by a join code, each with its workspace: they may have had it
    /// before, of which there is no other event.
    pub memberships: BTreeMap<WorkspaceMemberId, WorkspaceId>,
    /// Runs that were started, or were under way.
    pub runs: BTreeSet<RunId>,
}

/// How operations of a kind went.
#[derive(Clone, Copy, Default)]
pub struct Count {
    /// They succeeded.
    pub acknowledged: u64,
    /// They were refused, by the rules.
    pub refused: u64,
    /// They failed.
    pub failed: u64,
}

/// An operation that failed.
pub struct Failure {
    /// When that was known, since the beginning.
    pub at: Duration,
    /// Which server was asked.
    pub server: usize,
    /// `connection`, or the error's code.
    pub how: String,
    /// What it was.
    pub operation: &'static str,
}

impl Journal {
    /// An empty one, which begins now.
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            kept: Mutex::default(),
        }
    }

    /// The time since the beginning.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// What is in it.
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it holds the lock.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an operation succeeded.
    pub fn acknowledged(&self, operation: &'static str, server: usize) {
        let at = self.now();
        let mut kept = self.kept();
        kept.successes.push((at, server));
        kept.operations.entry(operation).or_default().acknowledged += 1;
    }

    /// Notes that an operation was refused by the rules.
    pub fn refused(&self, operation: &'static str) {
        self.kept().operations.entry(operation).or_default().refused += 1;
    }

    /// Notes that an operation failed.
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

    /// Notes that something was acknowledged of which there is an event.
    pub fn event(&self, kind: &'static str, workspace: WorkspaceId) {
        *self.kept().events.entry((kind, workspace)).or_default() += 1;
    }
}
