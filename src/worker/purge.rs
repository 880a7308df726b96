//! Deleting for good what nobody can restore any more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::app::App;
use crate::error::Result;
use crate::id::AnyId;
use crate::metrics;
use crate::models::purge::{self, Counts, Purged};

/// How many rows one transaction deletes.
const BATCH: i64 = 500;

/// What went so far of what is going.
#[derive(Default)]
pub(super) struct Tally(Mutex<HashMap<AnyId, Counts>>);

/// Deletes a batch of what is to go, and gives whether there may be more.
///
/// # Errors
/// Only those of the database.
pub(super) async fn purge(app: &App, tally: &Tally) -> Result<bool> {
    let now = app.now();
    // Looking costs no write: most of the time there is nothing.
    if !purge::is_any(&mut app.db.read().await?, now).await? {
        return Ok(false);
    }
    let workspace = app
        .db
        .transaction(async |tx| purge::purge_workspace(tx, now, BATCH).await)
        .await?;
    if let Some(purged) = workspace {
        if tally.add("workspace", purged) {
            app.metrics.purged(metrics::Purged::Workspace, 1);
        }
        return Ok(true);
    }
    let organization = app
        .db
        .transaction(async |tx| purge::purge_organization(tx, BATCH).await)
        .await?;
    if let Some(purged) = organization {
        if tally.add("organization", purged) {
            app.metrics.purged(metrics::Purged::Organization, 1);
        }
        return Ok(true);
    }
    let hits = app
        .db
        .transaction(async |tx| purge::purge_rate_hits(tx, now, BATCH).await)
        .await?;
    Ok(hits > 0)
}

impl Tally {
    /// Adds what went, and tells of all of it once there is no more, which it gives.
    fn add<I: Into<AnyId>>(&self, kind: &str, purged: Purged<I>) -> bool {
        let id = purged.id.into();
        // Nothing panics while it holds the lock.
        let mut going = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = going.entry(id).or_default();
        for (table, deleted) in purged.counts {
            *counts.entry(table).or_default() += deleted;
        }
        if purged.is_gone {
            let rows = going.remove(&id).unwrap_or_default();
            tracing::info!(kind, %id, ?rows, "deleted for good");
        }
        purged.is_gone
    }
}
