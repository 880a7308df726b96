//! Metrics that are read when Prometheus scrapes them.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::timeout;

use super::labels::{OutboxLabels, PoolLabels, RunLabels};
use super::{Metrics, counted};
use crate::app::App;
use crate::error::Result;
use crate::models::mail::{self, Queued};
use crate::models::run::{self, Unfinished};

/// How long the database may take to count runs and mails. If it takes longer, the other metrics are
/// returned without them.
const PATIENCE: Duration = Duration::from_secs(3);

/// The metrics that are read on each scrape.
#[derive(Debug)]
pub(super) struct Readings {
    pool_max: Family<PoolLabels, Gauge>,
    pool_open: Family<PoolLabels, Gauge>,
    pool_available: Family<PoolLabels, Gauge>,
    pool_waiting: Family<PoolLabels, Gauge>,
    statements: Counter,
    replica_used: Gauge,
    replica_failures: Counter,
    runs: Family<RunLabels, Gauge>,
    mails: Family<OutboxLabels, Gauge>,
    memory: Gauge,
}

impl Readings {
    /// Registers the metrics. The start time of the process is set here already.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let start = Gauge::<i64>::default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        start.set(now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX)));
        let memory = Gauge::default();
        registry.register_with_unit(
            "process_start_time",
            "Start time of the process since the Unix epoch",
            Unit::Seconds,
            start,
        );
        registry.register_with_unit(
            "process_resident_memory",
            "Resident memory of the process; 0 if the operating system does not report it",
            Unit::Bytes,
            memory.clone(),
        );
        Self {
            pool_max: counted(
                registry,
                "database_pool_max_connections",
                "Maximum number of database connections",
            ),
            pool_open: counted(
                registry,
                "database_pool_connections",
                "Open database connections",
            ),
            pool_available: counted(
                registry,
                "database_pool_available_connections",
                "Idle database connections",
            ),
            pool_waiting: counted(
                registry,
                "database_pool_waiting",
                "Tasks waiting for a database connection",
            ),
            statements: counted(
                registry,
                "database_statements",
                "Statements sent to the database",
            ),
            replica_used: counted(
                registry,
                "database_replica_used",
                "Whether queries read from a replica: 0 while it is away or too far behind, and without one",
            ),
            replica_failures: counted(
                registry,
                "database_replica_failures",
                "Queries that failed on the replica and read from the primary instead",
            ),
            runs: counted(
                registry,
                "runs",
                "Unfinished runs in the database, the same on every instance; absent while the database is away",
            ),
            mails: counted(
                registry,
                "outbox_mails",
                "Unsent mails in the database, the same on every instance; absent while the database is away",
            ),
            memory,
        }
    }
}

impl Metrics {
    /// Returns all metrics as text in the OpenMetrics format.
    pub async fn scrape(&self, app: &App) -> String {
        let readings = &self.0.readings;
        for pool in app.db.pools() {
            let labels = PoolLabels { pool: pool.name };
            for (family, count) in [
                (&readings.pool_max, pool.max),
                (&readings.pool_open, pool.open),
                (&readings.pool_available, pool.available),
                (&readings.pool_waiting, pool.waiting),
            ] {
                family.get_or_create(&labels).set(count as i64);
            }
        }
        let statements = app.db.statements().count();
        readings
            .statements
            .inner()
            .store(statements, Ordering::Relaxed);
        if let Some(replica) = app.db.replica() {
            let used = i64::from(!replica.is_away());
            readings.replica_used.set(used);
            let failures = readings.replica_failures.inner();
            failures.store(replica.failures(), Ordering::Relaxed);
        }
        readings.memory.set(resident_memory().unwrap_or_default());
        match timeout(PATIENCE, queued(app)).await {
            Ok(Ok((Unfinished { waiting, under_way }, Queued { due, put_off }))) => {
                for (state, count) in [("waiting", waiting), ("under_way", under_way)] {
                    readings.runs.get_or_create(&RunLabels { state }).set(count);
                }
                for (state, count) in [("due", due), ("put_off", put_off)] {
                    let labels = OutboxLabels { state };
                    readings.mails.get_or_create(&labels).set(count);
                }
            }
            Ok(Err(_)) | Err(_) => {
                readings.runs.clear();
                readings.mails.clear();
            }
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.0.registry);
        text
    }
}

/// Counts what is queued in the database: runs and mails.
async fn queued(app: &App) -> Result<(Unfinished, Queued)> {
    let (mut conn, now) = (app.db.read().await?, app.now());
    let runs = run::count_unfinished(&mut conn, now).await?;
    Ok((runs, mail::count(&mut conn, now).await?))
}

/// Returns the resident memory of the process, in bytes.
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
