//! Working off runs: taking them up under a lease and collecting their answers.

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

/// How many runs one worker works off at the same time. How many calls that makes is bounded by the
/// providers' own limits.
const AT_ONCE: usize = 8;

/// Works off runs until the shift is over; then lets the calls that are under way end, and gives back
/// the runs that are not done.
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

/// Takes up to `most` runs that wait.
async fn take_up(app: &App, providers: &Providers, most: usize) -> Result<Vec<Collection>> {
    let now = app.now();
    // Looking costs no write: most of the time there is nothing.
    if most == 0 || !work::is_any_waiting(&mut app.db.read().await?, now).await? {
        return Ok(Vec::new());
    }
    // A holder of its own for each time that a run is taken up: so that this worker, should it lose a
    // lease and take the run up again, does not take the one for the other.
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

/// A collection that panics is a mistake of ours; its lease ends, and it is taken up again.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "collecting the answers of a run failed");
    }
}
