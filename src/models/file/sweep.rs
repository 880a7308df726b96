//! Forgetting files that are no workspace's.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::object::discard;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock_skip};
use crate::error::Result;
use crate::files::ObjectId;
use crate::id::FileId;
use crate::run;
use crate::schema::files;

/// Until when the file is kept that is kept the shortest of those that are no workspace's, if there are
/// any. Asked for in order, so that the index tells and nothing is read through.
///
/// # Errors
/// Only those of the database.
pub async fn first_to_sweep(conn: &mut Connection) -> Result<Option<Instant>> {
    Ok(run!(
        conn,
        files::table
            .filter(files::workspace_id.is_null())
            .order_by((files::kept_until, files::id))
            .select(files::kept_until)
            .first(conn)
            .await
            .optional()
    )?)
}

/// Forgets up to `limit` files that are no workspace's and are kept no longer: those that nobody used,
/// those that a workspace had, and those of workspaces that are gone for good. Has what the store has of
/// them deleted, and gives how many there were.
///
/// # Errors
/// Only those of the database.
pub async fn sweep(tx: &mut Transaction, now: Instant, limit: i64) -> Result<usize> {
    let swept: Vec<(FileId, Option<ObjectId>)> = run!(
        tx,
        lock_skip(
            files::table
                .filter(files::workspace_id.is_null())
                .filter(files::kept_until.le(now))
                .order_by((files::kept_until, files::id))
                .limit(limit)
                .select((files::id, files::object_id))
        )
        .get_results(tx)
        .await
    )?;
    let objects: Vec<_> = swept.iter().filter_map(|(_, object)| *object).collect();
    discard(tx, &objects, now).await?;
    let ids: Vec<_> = swept.iter().map(|(id, _)| *id).collect();
    run!(
        tx,
        diesel::delete(files::table.filter(files::id.eq_any(ids)))
            .execute(tx)
            .await
    )?;
    Ok(swept.len())
}
