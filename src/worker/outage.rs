//! What the jobs do while something fails: they back off, and log once, for all of them, that the
//! database is away and that it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::shift::POLL;
use crate::app::App;
use crate::error::Error;

/// The longest that a job waits before it is tried again.
const LONGEST: Duration = Duration::from_secs(5);

/// Whether the database is away, shared by all jobs.
#[derive(Clone)]
pub(super) struct Outage {
    is_on: Arc<AtomicBool>,
    app: App,
}

/// The recent failures of one job.
pub(super) struct Luck {
    name: &'static str,
    outage: Outage,
    /// How often the job has failed in a row.
    failures: u32,
}

impl Outage {
    pub(super) fn new(app: &App) -> Self {
        let (is_on, app) = (Arc::default(), app.clone());
        Self { is_on, app }
    }

    /// Tracks the job of that name.
    pub(super) fn luck(&self, name: &'static str) -> Luck {
        Luck {
            name,
            outage: self.clone(),
            failures: 0,
        }
    }
}

impl Luck {
    /// Records a success, and returns how long to wait before looking for more work.
    pub(super) fn good(&mut self) -> Duration {
        // Only a job that failed before can tell: one with nothing to do may not have used the database.
        let was_bad = std::mem::take(&mut self.failures) > 0;
        if was_bad && self.outage.is_on.swap(false, Ordering::Relaxed) {
            tracing::info!("the database is back; the worker continues");
            // Lets the other jobs try again now instead of waiting out their pauses.
            self.outage.app.wake_worker();
        }
        POLL
    }

    /// Records a failure, and returns how long to wait before trying again.
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
                "the database is unavailable; the worker waits for it"
            );
        }
        pause
    }
}
