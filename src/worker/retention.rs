//! Deleting runs that ended longer ago than the retention period.

use chrono::TimeDelta;

use crate::app::App;
use crate::error::Result;
use crate::metrics::Purged;
use crate::models::run::{self, Forgotten};

/// How many answers one transaction deletes.
const BATCH: i64 = 500;

/// Deletes a batch of expired runs and their answers, and returns whether there may be more.
///
/// # Errors
/// Database errors only.
pub(super) async fn forget(app: &App) -> Result<bool> {
    let Some(days) = app.config.limits.run_days else {
        return Ok(false);
    };
    let before = app.now().plus(-TimeDelta::days(days.into()));
    // Reading first saves a write: most of the time there is nothing to do.
    let first = run::first_end(&mut app.db.read().await?).await?;
    if first.is_none_or(|first| first >= before) {
        return Ok(false);
    }
    let forgotten = app
        .db
        .transaction(async |tx| run::forget(tx, before, BATCH).await)
        .await?;
    if let Some(Forgotten { id, is_gone: true }) = forgotten {
        tracing::info!(kind = "run", %id, "deleted for good");
        app.metrics.purged(Purged::Run, 1);
    }
    Ok(forgotten.is_some())
}
