//! Purging: workspaces that can no longer be restored, the remains of deleted organizations and
//! accounts, and counted calls too old for any rate limit.
//!
//! One call deletes or changes a bounded number of rows, children before their parents, so that no
//! parent row takes thousands with it, and nobody waits long for a lock or for SQLite's only writer.
//! What is left after a crash is found again by the next call.

mod batch;
mod organization;
mod person;
mod workspace;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub use organization::purge_organization;
pub use person::purge_person;
pub use workspace::purge_workspace;

use crate::db::types::Instant;
use crate::db::{Connection, Transaction, delete_some};
use crate::error::Result;
use crate::run;
use crate::schema::{organizations, rate_hits, users, workspaces};

/// How long a counted call is kept: well beyond every window.
const RATE_HITS: TimeDelta = TimeDelta::days(1);

/// Number of rows deleted or changed, by table.
pub type Counts = BTreeMap<&'static str, usize>;

/// What one call has purged of one entity.
#[derive(Debug)]
pub struct Purged<I> {
    /// The entity's id.
    pub id: I,
    /// How many of its rows were deleted, or changed so that they do not refer to it any more.
    pub counts: Counts,
    /// Whether it is gone completely, its own row included.
    pub is_gone: bool,
}

/// Checks whether there is anything to purge.
///
/// # Errors
/// Database errors only.
pub async fn is_any(conn: &mut Connection, now: Instant) -> Result<bool> {
    let workspace = workspaces::table
        .filter(workspaces::purge_at.le(now))
        .select(workspaces::id);
    let organization = organizations::table
        .filter(organizations::deleted_at.is_not_null())
        .select(organizations::id);
    let hit = rate_hits::table
        .filter(rate_hits::created_at.lt(now.plus(-RATE_HITS)))
        .select(rate_hits::id);
    let person = users::table
        .filter(users::deleted_at.is_not_null())
        .select(users::id);
    let any = exists(workspace)
        .or(exists(organization))
        .or(exists(person))
        .or(exists(hit));
    Ok(run!(conn, diesel::select(any).get_result(conn).await)?)
}

/// Deletes up to `limit` counted calls too old for any rate limit. Returns how many.
///
/// # Errors
/// Database errors only.
pub async fn purge_rate_hits(tx: &mut Transaction, now: Instant, limit: i64) -> Result<usize> {
    let old = rate_hits::created_at.lt(now.plus(-RATE_HITS));
    tx.plan_for_values().await?;
    Ok(run!(
        tx,
        delete_some(rate_hits::table, old, limit).execute(tx).await
    )?)
}
