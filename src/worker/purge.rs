//! Deleting for good what can no longer be restored.

use std::fmt::Display;

use crate::app::App;
use crate::error::Result;
use crate::metrics;
use crate::models::purge::{self, Purged};

/// How many rows one transaction deletes or changes.
const BATCH: i64 = 500;

/// Deletes a batch of what is due for deletion, and returns whether there may be more.
///
/// # Errors
/// Database errors only.
pub(super) async fn purge(app: &App) -> Result<bool> {
    let now = app.now();
    // Reading first saves a write: most of the time there is nothing to do.
    if !purge::is_any(&mut app.db.read().await?, now).await? {
        return Ok(false);
    }
    let workspace = app
        .db
        .transaction(async |tx| purge::purge_workspace(tx, now, BATCH).await)
        .await?;
    if let Some(purged) = workspace {
        tell(app, metrics::Purged::Workspace, &purged);
        return Ok(true);
    }
    let organization = app
        .db
        .transaction(async |tx| purge::purge_organization(tx, BATCH).await)
        .await?;
    if let Some(purged) = organization {
        tell(app, metrics::Purged::Organization, &purged);
        return Ok(true);
    }
    let person = app
        .db
        .transaction(async |tx| purge::purge_person(tx, BATCH).await)
        .await?;
    if let Some(purged) = person {
        tell(app, metrics::Purged::Person, &purged);
        return Ok(true);
    }
    let hits = app
        .db
        .transaction(async |tx| purge::purge_rate_hits(tx, now, BATCH).await)
        .await?;
    Ok(hits > 0)
}

/// Logs what was deleted, and counts what nothing is left of.
fn tell<I: Display>(app: &App, what: metrics::Purged, purged: &Purged<I>) {
    let Purged {
        id,
        counts,
        is_gone,
    } = purged;
    let kind = what.label();
    tracing::debug!(kind, %id, rows = ?counts, "deleted a batch");
    if *is_gone {
        tracing::info!(kind, %id, "deleted for good");
        app.metrics.purged(what, 1);
    }
}
