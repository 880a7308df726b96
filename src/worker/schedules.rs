//! Queueing the runs of schedules.

use crate::app::App;
use crate::error::Result;
use crate::models::schedule;

/// How many schedules one transaction handles: few, because their workspaces are locked until it ends.
const BATCH: i64 = 16;

/// Queues the runs of a batch of due schedules, and returns whether there may be more.
///
/// # Errors
/// Database errors only.
pub(super) async fn run_due(app: &App) -> Result<bool> {
    // Reading first saves a write: most of the time there is nothing to do.
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
