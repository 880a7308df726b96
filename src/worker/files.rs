//! Deleting unused files, and objects in the store that no file needs any more.

use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::app::App;
use crate::error::Result;
use crate::files::ObjectId;
use crate::metrics::Purged;
use crate::models::file;

/// How many files, and how many objects, are deleted at a time.
const BATCH: i64 = 50;

/// How long to wait before retrying an object that could not be deleted.
const LEASE: TimeDelta = TimeDelta::minutes(10);

/// Deletes a batch of files and a batch of objects, and returns whether there may be more.
///
/// # Errors
/// Database errors only.
pub(super) async fn sweep(app: &App) -> Result<bool> {
    let are_more_files = sweep_files(app).await?;
    Ok(delete_objects(app).await? || are_more_files)
}

async fn sweep_files(app: &App) -> Result<bool> {
    let now = app.now();
    // Reading first saves a write: most of the time there is nothing to do.
    let first = file::first_to_sweep(&mut app.db.read().await?).await?;
    if first.is_none_or(|first| first > now) {
        return Ok(false);
    }
    let swept = app
        .db
        .transaction(async |tx| file::sweep(tx, now, BATCH).await)
        .await?;
    if swept > 0 {
        tracing::info!(kind = "file", count = swept, "deleted for good");
        app.metrics.purged(Purged::File, swept as u64);
    }
    Ok(swept > 0)
}

async fn delete_objects(app: &App) -> Result<bool> {
    let now = app.now();
    let first = file::first_discarded(&mut app.db.read().await?).await?;
    if first.is_none_or(|first| first > now) {
        return Ok(false);
    }
    let taken = app
        .db
        .transaction(async |tx| file::take_discarded(tx, now, LEASE, BATCH).await)
        .await?;
    let deleted = join_all(taken.iter().map(|&id| delete(app, id))).await;
    let deleted: Vec<_> = deleted.into_iter().flatten().collect();
    app.db
        .transaction(async |tx| file::forget_discarded(tx, &deleted).await)
        .await?;
    Ok(!taken.is_empty())
}

/// Deletes an object, and returns its id if that succeeded.
async fn delete(app: &App, id: ObjectId) -> Option<ObjectId> {
    match app.files.delete(id).await {
        Ok(()) => Some(id),
        Err(error) => {
            tracing::warn!("an object cannot be deleted; trying again later: {error:#}");
            None
        }
    }
}
