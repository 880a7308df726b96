//! Queueing the runs that schedules ask for.

use crate::app::App;
use crate::error::Result;
use crate::models::schedule;

/// How many schedules one transaction takes: few, for their workspaces are locked meanwhile.
const BATCH: i64 = 16;

/// Queues the runs of a batch of schedules that are due, and gives whether there may be more.
///
/// # Errors
/// Only those of the database.
pub(super) async fn run_due(app: &App) -> Result<bool> {
    // Looking costs no write: most of the time there is nothing.
    let first = schedule::first_due(&mut app.db.read().await?).await?;
    if first.is_none_or(|first| first > app.now()) {
        return Ok(false);
    }
    let done = schedule::run_due(app, BATCH).await?;
    if done > 0 {
        app.wake_worker();
    }
    Ok(done > 0)
}
