//! How many runs there are to work off, for whoever watches the server.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::types::Instant;
use crate::error::Result;
use crate::run;
use crate::schema::runs;

/// The runs of all workspaces that have not ended.
#[derive(Clone, Copy, Debug)]
pub struct Unfinished {
    /// Those that nobody works off, or whose worker has died.
    pub waiting: i64,
    /// Those that a worker has.
    pub under_way: i64,
}

/// Counts the runs that have not ended: one for each workspace at most, by an index of theirs.
///
/// # Errors
/// Only those of the database.
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
        // They are not counted at one time.
        waiting: (all - under_way).max(0),
        under_way,
    })
}
