//! Deleting for good: workspaces whose time to be restored is over, what is left of deleted
//! organizations and of people who deleted their accounts, and counts of calls that no limit looks at any
//! more.
//!
//! One call deletes or changes a bounded number of rows, children before their parents, so that no row of a
//! parent takes thousands with it, and nobody waits long for a lock or for SQLite's one writer. What
//! is left after a crash is found again by the next call.

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

/// How long the count of a call is kept: well beyond every window.
const RATE_HITS: TimeDelta = TimeDelta::days(1);

/// How many rows went or were changed, by table.
pub type Counts = BTreeMap<&'static str, usize>;

/// What one call has deleted of something.
#[derive(Debug)]
pub struct Purged<I> {
    /// What it was.
    pub id: I,
    /// How many of its rows went, or named it and do no longer.
    pub counts: Counts,
    /// Whether that was all of it, its own row included.
    pub is_gone: bool,
}

/// Whether there is anything to delete for good.
///
/// # Errors
/// Only those of the database.
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

/// Forgets up to `limit` counted calls that no limit looks at any more. Gives how many.
///
/// # Errors
/// Only those of the database.
pub async fn purge_rate_hits(tx: &mut Transaction, now: Instant, limit: i64) -> Result<usize> {
    let old = rate_hits::created_at.lt(now.plus(-RATE_HITS));
    tx.plan_for_values().await?;
    Ok(run!(
        tx,
        delete_some(rate_hits::table, old, limit).execute(tx).await
    )?)
}
