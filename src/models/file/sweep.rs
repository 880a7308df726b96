//! Deleting files that belong to no workspace.

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

/// Returns when the first file that belongs to no workspace may be swept, if there is any. Sorted rather
/// than aggregated, so that the index answers it without a scan.
///
/// # Errors
/// Database errors only.
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

/// Deletes up to `limit` files that belong to no workspace and are not kept any longer: files never
/// used, former icons, and icons of purged workspaces. Schedules their objects for deletion and returns
/// how many files there were.
///
/// # Errors
/// Database errors only.
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
