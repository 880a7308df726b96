//! Deleting runs that ended long ago, with their answers.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::types::Instant;
use crate::db::{Connection, Transaction, delete_some, lock_skip};
use crate::error::Result;
use crate::id::RunId;
use crate::run;
use crate::schema::{answers, runs};

/// Returns the earliest time at which a run ended, if any has.
///
/// # Errors
/// Database errors only.
pub async fn first_end(conn: &mut Connection) -> Result<Option<Instant>> {
    let first: Option<Option<Instant>> = run!(
        conn,
        runs::table
            .filter(runs::finished_at.is_not_null())
            .order_by((runs::finished_at, runs::id))
            .select(runs::finished_at)
            .first(conn)
            .await
            .optional()
    )?;
    Ok(first.flatten())
}

/// A run that was deleted, or some of whose answers were.
#[derive(Clone, Copy, Debug)]
pub struct Forgotten {
    /// The run's id.
    pub id: RunId,
    /// Whether it is gone completely, its own row included.
    pub is_gone: bool,
}

/// Deletes up to `batch` answers of the run that ended first, if that was before `before`, and the run
/// itself once it has none left. Returns `None` if there is no such run. What `domainVisibility` has
/// counted stays.
///
/// # Errors
/// Database errors only.
pub async fn forget(
    tx: &mut Transaction,
    before: Instant,
    batch: i64,
) -> Result<Option<Forgotten>> {
    let oldest: Option<RunId> = run!(
        tx,
        lock_skip(
            runs::table
                .filter(runs::finished_at.lt(before))
                .order_by((runs::finished_at, runs::id))
                .limit(1)
                .select(runs::id)
        )
        .get_result(tx)
        .await
        .optional()
    )?;
    let Some(oldest) = oldest else {
        return Ok(None);
    };
    let its_answers = answers::run_id.eq(oldest);
    let deleted = run!(
        tx,
        delete_some(answers::table, its_answers, batch)
            .execute(tx)
            .await
    )?;
    let is_gone = i64::try_from(deleted).is_ok_and(|deleted| deleted < batch);
    if is_gone {
        run!(
            tx,
            diesel::delete(runs::table.find(oldest)).execute(tx).await
        )?;
    }
    Ok(Some(Forgotten {
        id: oldest,
        is_gone,
    }))
}
