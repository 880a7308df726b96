//! What the jobs do while something fails: they try more and more seldom, and say once, for all of them,
//! that the database is away and that it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::shift::POLL;
use crate::app::App;
use crate::error::Error;

/// The longest that a job waits before it tries again.
const LONGEST: Duration = Duration::from_secs(5);

/// Whether the database is away, as all jobs know it.
#[derive(Clone)]
pub(super) struct Outage {
    is_on: Arc<AtomicBool>,
    app: App,
}

/// How one job fares.
pub(super) struct Luck {
    name: &'static str,
    outage: Outage,
    /// How often it failed in a row.
    failures: u32,
}

impl Outage {
    pub(super) fn new(app: &App) -> Self {
        let (is_on, app) = (Arc::default(), app.clone());
        Self { is_on, app }
    }

    /// For the job of that name.
    pub(super) fn luck(&self, name: &'static str) -> Luck {
        Luck {
            name,
            outage: self.clone(),
            failures: 0,
        }
    }
}

impl Luck {
    /// The job did what it is there for. Gives how long to wait for more to do.
    pub(super) fn good(&mut self) -> Duration {
        // A job that has nothing to do does not ask the database.
        let was_bad = std::mem::take(&mut self.failures) > 0;
        if was_bad && self.outage.is_on.swap(false, Ordering::Relaxed) {
            tracing::info!("the database is back, and the worker goes on");
            // The other jobs need not wait until they would have tried by themselves.
            self.outage.app.wake_worker();
        }
        POLL
    }

    /// The job failed. Gives how long to wait before it is tried again.
    pub(super) fn bad(&mut self, error: &Error) -> Duration {
        let pause = (POLL * 2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let details = error.details();
        if !error.is_outage() {
            tracing::warn!(
                job = self.name,
                error = details,
                "a job failed; trying again"
            );
        } else if !self.outage.is_on.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                error = details,
                "the database is away, and the worker waits for it"
            );
        }
        pause
    }
}
