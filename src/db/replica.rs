//! The replica that queries read from while it is reachable and not far behind.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{OnceLock, Weak};
use std::time::{Duration, Instant};

use deadpool::managed::{PoolError, TimeoutType};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use tokio::time::{sleep, timeout};

use super::pool::{Shared, get, no_connection};
use crate::error::Result;

/// How often presence and lag are checked.
const LOOK: Duration = Duration::from_secs(1);
/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far the replica may lag behind the primary. Bounds how long somebody can still see what they may
/// no longer see.
const MAX_LAG: Duration = Duration::from_secs(10);

/// A replica and its known state.
pub struct Replica {
    pool: PgPool,
    spares: Spares,
    is_away: AtomicBool,
    /// Whether it has been logged that the replica is away.
    is_logged: AtomicBool,
    failures: AtomicU64,
    watching: OnceLock<()>,
}

type PgPool = Pool<AsyncPgConnection>;

/// Pools of one connection each, for checking the replica while queries hold all others.
pub(super) struct Spares {
    /// To the primary.
    pub primary: PgPool,
    /// To the replica.
    pub replica: PgPool,
}

impl Replica {
    /// Creates a replica with this pool. It is not read until it has been seen to be near the primary.
    pub(super) fn new(pool: PgPool, spares: Spares) -> Self {
        Self {
            pool,
            spares,
            is_away: AtomicBool::new(true),
            is_logged: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            watching: OnceLock::new(),
        }
    }

    /// Returns the pool of connections to the replica.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Returns whether queries read the primary instead.
    pub fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Returns how many queries failed on the replica.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Counts a query that failed on the replica. Unless the query only conflicted with what the replica
    /// had to replay (`is_over`), queries read the primary until the next successful check.
    pub fn failed(&self, is_over: bool, why: &dyn Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        if !is_over {
            self.leave(why);
        }
    }

    /// Starts the checks, on the first call. They go on for as long as anybody holds `shared`.
    pub(super) fn watch(&self, shared: impl FnOnce() -> Weak<Shared>) {
        self.watching.get_or_init(|| {
            tokio::spawn(watch(shared()));
        });
    }

    /// Returns a connection to the replica; `None` while it is away, or if none of them becomes free in half of
    /// the time that queries wait for one, which leaves the other half for the primary.
    pub(super) async fn get(&self) -> Option<Object<AsyncPgConnection>> {
        if self.is_away() {
            return None;
        }
        let mut timeouts = self.pool.timeouts();
        timeouts.wait = timeouts.wait.map(|wait| wait / 2);
        match self.pool.timeout_get(&timeouts).await {
            Ok(conn) => Some(conn),
            // It is busy, not away: left alone for this one query, or all would go to the primary at
            // once, when there are most of them.
            Err(PoolError::Timeout(TimeoutType::Wait)) => None,
            Err(error) => {
                self.failed(false, &error);
                None
            }
        }
    }

    fn leave(&self, why: &dyn Display) {
        self.is_away.store(true, Ordering::Relaxed);
        if !self.is_logged.swap(true, Ordering::Relaxed) {
            tracing::warn!(%why, "the replica cannot be read; queries read the primary");
        }
    }

    fn come_back(&self) {
        self.is_logged.store(false, Ordering::Relaxed);
        if self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("queries read the replica");
        }
    }
}

/// A position in the primary's log that the replica has not reached yet, and when the primary was there.
type Mark = Option<(u64, Instant)>;

async fn watch(shared: Weak<Shared>) {
    let mut mark = None;
    loop {
        sleep(LOOK).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let Some((primary, replica)) = shared.primary_and_replica() else {
            return;
        };
        match timeout(PATIENCE, look(primary, replica, &mut mark)).await {
            Ok(Ok(true)) => replica.come_back(),
            Ok(Ok(false)) => {}
            Ok(Err(why)) => replica.leave(&why),
            Err(_) => replica.leave(&"it does not answer"),
        }
    }
}

/// Checks whether the replica is reachable and known to be near. A replica without a log to replay does
/// not use PostgreSQL's own replication, and is trusted.
async fn look(primary: &PgPool, replica: &Replica, mark: &mut Mark) -> Result<bool, String> {
    let mut conn = get_now(&replica.pool, &replica.spares.replica)
        .await
        .map_err(|error| error.details())?;
    let replayed = place(&mut conn, "pg_last_wal_replay_lsn()").await?;
    drop(conn);
    let Some(replayed) = replayed else {
        return Ok(true);
    };
    // What was written since the look before the mark may be missing, until the next look.
    let behind = |at: Instant| at.elapsed() + 2 * LOOK;
    let is_near = match *mark {
        Some((last, at)) if replayed < last && behind(at) > MAX_LAG => {
            return Err(format!("it is more than {} s behind", MAX_LAG.as_secs()));
        }
        // Not there yet, which is inconclusive.
        Some((last, _)) if replayed < last => return Ok(false),
        Some((_, at)) => behind(at) <= MAX_LAG,
        None => false,
    };
    // An unreachable primary writes nothing that the replica could miss.
    *mark = match get_now(primary, &replica.spares.primary).await {
        Ok(mut conn) => place(&mut conn, "pg_current_wal_lsn()")
            .await
            .ok()
            .flatten(),
        Err(_) => None,
    }
    .map(|last| (last, Instant::now()));
    Ok(is_near)
}

/// A connection of the pool, or the spare one if none is free.
async fn get_now(pool: &PgPool, spare: &PgPool) -> Result<Object<AsyncPgConnection>> {
    let mut timeouts = pool.timeouts();
    timeouts.wait = Some(Duration::ZERO);
    match pool.timeout_get(&timeouts).await {
        Err(PoolError::Timeout(TimeoutType::Wait)) => get(spare).await,
        taken => taken.map_err(no_connection),
    }
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Nullable<Text>)]
    lsn: Option<String>,
}

/// Reads a log position as a number.
async fn place(conn: &mut AsyncPgConnection, function: &str) -> Result<Option<u64>, String> {
    let query = format!("SELECT {function}::text AS lsn");
    let found: QueryResult<Place> =
        diesel_async::RunQueryDsl::get_result(diesel::sql_query(query), conn).await;
    let found = found.map_err(|error| error.to_string())?;
    Ok(found.lsn.as_deref().and_then(number))
}

/// Parses a log position, such as `16/B374D848`, into a number.
fn number(lsn: &str) -> Option<u64> {
    let (high, low) = lsn.split_once('/')?;
    let (high, low) = (u64::from_str_radix(high, 16), u64::from_str_radix(low, 16));
    Some(high.ok()? << 32 | low.ok()?)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn places_in_the_log_are_in_order() {
        assert!(number("0/FFFFFFFF") < number("1/0"));
        assert_eq!(number("16/B374D848"), Some(0x16_B374_D848));
        assert_eq!(number("nothing"), None);
    }
}
