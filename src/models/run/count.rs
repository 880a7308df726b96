//! How many runs are unfinished, for monitoring.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::types::Instant;
use crate::error::Result;
use crate::run;
use crate::schema::runs;

/// The numbers of unfinished runs in all workspaces.
#[derive(Clone, Copy, Debug)]
pub struct Unfinished {
    /// Runs that no worker has, or whose worker has died.
    pub waiting: i64,
    /// Runs that a worker has.
    pub under_way: i64,
}

/// Counts the unfinished runs, of which each workspace has at most one, using an index on them.
///
/// # Errors
/// Database errors only.
pub async fn count_unfinished(conn: &mut Connection, now: Instant) -> Result<Unfinished> {
    let unfinished = runs::table.filter(runs::finished_at.is_null());
    let all: i64 = run!(conn, unfinished.count().get_result(conn).await)?;
    let under_way: i64 = run!(
        conn,
        unfinished
            .filter(runs::leased_until.gt(now))
            .count()
            .get_result(conn)
            .await
    )?;
    Ok(Unfinished {
        // The two counts are not taken at the same time.
        waiting: (all - under_way).max(0),
        under_way,
    })
}
