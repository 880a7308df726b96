//! Processing runs: claiming them under a lease and collecting their answers.

mod collect;
mod lease;

use chrono::TimeDelta;
use tokio::task::JoinSet;

use self::collect::Collection;
use super::shift::{Shift, caught};
use crate::app::App;
use crate::error::Result;
use crate::models::run::{HolderId, work};
use crate::providers::Providers;

/// How many runs one worker processes at the same time. The number of calls is bounded by the providers'
/// own limits.
const AT_ONCE: usize = 8;

/// Processes runs until the shift is over; then waits for the calls under way and gives back unfinished
/// runs.
pub(super) async fn work_off(app: &App, providers: &Providers, mut shift: Shift) {
    let mut under_way = JoinSet::new();
    let mut luck = shift.luck("runs");
    while !shift.is_over() {
        let free = AT_ONCE.saturating_sub(under_way.len());
        let time = match caught(take_up(app, providers, free)).await {
            Ok(collections) => {
                for collection in collections {
                    under_way.spawn(collection.run(shift.clone()));
                }
                luck.good()
            }
            Err(error) => luck.bad(&error),
        };
        tokio::select! {
            _ = shift.wait(time) => {}
            Some(ended) = under_way.join_next() => report(ended),
        }
    }
    while let Some(ended) = under_way.join_next().await {
        report(ended);
    }
}

/// Claims up to `most` waiting runs.
async fn take_up(app: &App, providers: &Providers, most: usize) -> Result<Vec<Collection>> {
    let now = app.now();
    // Reading first saves a write: most of the time there is nothing to do.
    if most == 0 || !work::is_any_waiting(&mut app.db.read().await?, now).await? {
        return Ok(Vec::new());
    }
    // A new holder per claim, so that a worker that loses a lease and claims the run again can tell the
    // two apart.
    let holder = HolderId::new(now.to_utc());
    let lease = TimeDelta::seconds(app.config.limits.run_lease_seconds.into());
    let claimed = app
        .db
        .transaction(async |tx| work::claim(tx, holder, now, lease, most as i64).await)
        .await?;
    let collections = claimed.into_iter().map(|run| Collection {
        app: app.clone(),
        providers: providers.clone(),
        run,
        holder,
    });
    Ok(collections.collect())
}

/// Logs a collection that panicked, which is a bug of ours. Its lease expires, and the run is claimed
/// again.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "collecting the answers of a run failed");
    }
}
