//! Objects in the store that are to be deleted.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::types::Instant;
use crate::db::{Connection, Transaction, insert_all, lock_skip};
use crate::error::Result;
use crate::files::ObjectId;
use crate::run;
use crate::schema::discarded_objects;

/// An object that is deleted when due, unless a file has taken it over by then.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = discarded_objects)]
struct Discarded {
    id: ObjectId,
    due_at: Instant,
}

/// Schedules the objects for deletion at `due_at`.
pub(super) async fn discard(tx: &mut Transaction, ids: &[ObjectId], due_at: Instant) -> Result<()> {
    let rows: Vec<_> = ids.iter().map(|&id| Discarded { id, due_at }).collect();
    insert_all(tx, discarded_objects::table, &rows).await
}

/// Cancels the deletion of an object if it is still scheduled for `due_at`. Returns whether it was;
/// otherwise the object may be gone.
pub(super) async fn keep(tx: &mut Transaction, id: ObjectId, due_at: Instant) -> Result<bool> {
    let row = discarded_objects::table
        .find(id)
        .filter(discarded_objects::due_at.eq(due_at));
    let kept = run!(tx, diesel::delete(row).execute(tx).await)?;
    Ok(kept > 0)
}

/// Returns when the first object is to be deleted, if there is any.
///
/// # Errors
/// Database errors only.
pub async fn first_discarded(conn: &mut Connection) -> Result<Option<Instant>> {
    Ok(run!(
        conn,
        discarded_objects::table
            .order_by((discarded_objects::due_at, discarded_objects::id))
            .select(discarded_objects::due_at)
            .first(conn)
            .await
            .optional()
    )?)
}

/// Claims up to `limit` objects whose deletion is due, each for the duration of `lease`. Until it ends,
/// no other worker takes them; afterwards any does, in case this one died or the store failed.
///
/// # Errors
/// Database errors only.
pub async fn take_discarded(
    tx: &mut Transaction,
    now: Instant,
    lease: TimeDelta,
    limit: i64,
) -> Result<Vec<ObjectId>> {
    let ids: Vec<ObjectId> = run!(
        tx,
        lock_skip(
            discarded_objects::table
                .filter(discarded_objects::due_at.le(now))
                .order_by((discarded_objects::due_at, discarded_objects::id))
                .limit(limit)
                .select(discarded_objects::id)
        )
        .get_results(tx)
        .await
    )?;
    run!(
        tx,
        diesel::update(discarded_objects::table.filter(discarded_objects::id.eq_any(&ids)))
            .set(discarded_objects::due_at.eq(now.plus(lease)))
            .execute(tx)
            .await
    )?;
    Ok(ids)
}

/// Forgets objects that are no longer in the store.
///
/// # Errors
/// Database errors only.
pub async fn forget_discarded(tx: &mut Transaction, ids: &[ObjectId]) -> Result<()> {
    run!(
        tx,
        diesel::delete(discarded_objects::table.filter(discarded_objects::id.eq_any(ids)))
            .execute(tx)
            .await
    )?;
    Ok(())
}
