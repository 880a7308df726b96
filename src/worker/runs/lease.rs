//! Keeping a run while its answers are collected.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::app::App;
use crate::models::run::work::{self, Lease};
use crate::models::run::{HolderId, Run};

/// Renews the lease of a run three times per lease length, and completes once the lease is lost: because
/// another worker claimed the run, the run was cancelled, or the database was unreachable for a whole
/// lease length.
pub(super) async fn keep(app: &App, run: &Run, holder: HolderId) {
    let length = Duration::from_secs(app.config.limits.run_lease_seconds.into());
    let lease = TimeDelta::seconds(app.config.limits.run_lease_seconds.into());
    let mut ticks = interval(length / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut renewed = Instant::now();
    while renewed.elapsed() < length {
        ticks.tick().await;
        let now = app.now();
        let outcome = app
            .db
            .transaction(async |tx| work::renew(tx, run.id, holder, now, lease).await)
            .await;
        match outcome {
            Ok(Lease::Held) => renewed = Instant::now(),
            Ok(Lease::Lost) => return,
            Err(error) => {
                tracing::warn!(run = %run.id, error = error.details(), "a lease could not be renewed")
            }
        }
    }
}
