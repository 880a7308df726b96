//! How the purge of a large workspace affects readers and writers.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use diesel::connection::SimpleConnection;
use diesel::{Connection as _, QueryableByName, SqliteConnection, sql_query};
use futures_util::future::try_join_all;
use tokio::time::{interval, sleep};

use crate::cluster::Cluster;
use crate::generator::{Connection, Measured};
use crate::program::Program;
use crate::scenario::{Scenario, Tenants};

/// The interval between two requests on a connection: this does not measure the throughput of the
/// machine.
const PACE: Duration = Duration::from_millis(20);
/// How long requests are sent before the purge begins.
const BEFORE: Duration = Duration::from_secs(20);
/// One connection in this many writes.
const WRITERS: usize = 4;

/// Fills one workspace with answers, and purges it while others read and write. Prints how long
/// reads and writes took before and during the purge.
pub async fn measure(
    folder: &Path,
    cluster: Option<&Cluster>,
    answers: u32,
    connections: usize,
) -> Result<()> {
    let program = Program::new(folder, cluster.map(Cluster::url));
    program.seed(1, answers)?;
    let serving = program.serve_and_work()?;
    let tenants = Tenants::make(&serving, folder, connections).await?;
    let database = Database { folder, cluster };
    if let Some(cluster) = cluster {
        cluster.settle().await?;
    }

    let before = send(serving.address, &tenants, sleep(BEFORE)).await?;
    database.end_the_seeded_workspace().await?;
    let begun = Instant::now();
    let meanwhile = send(serving.address, &tenants, database.purged()).await?;
    let time = begun.elapsed();

    let name = if cluster.is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    println!(
        "\n| {name}, a purge of {answers} answers in {:.0} s | p50 | p99 |",
        time.as_secs_f64()
    );
    println!("|---|---|---|");
    for (what, [reads, writes]) in [("before", before), ("meanwhile", meanwhile)] {
        for (kind, measured) in [("reads", reads), ("writes", writes)] {
            let ms = |of| measured.percentile(of).as_secs_f64() * 1000.0;
            println!("| {kind} {what} | {:.2} ms | {:.2} ms |", ms(50), ms(99));
        }
    }
    Ok(())
}

/// Returns how long reads and writes take until `end` completes.
async fn send(address: SocketAddr, tenants: &Tenants, end: impl Future) -> Result<[Measured; 2]> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let begun = Instant::now();
    let [reading, writing] = [Scenario::MEMBERS, Scenario::CREATE];
    let people = reading.people(tenants).iter().zip(writing.people(tenants));
    let all = try_join_all(people.enumerate().map(|(nth, (reader, writer))| {
        let stopped = stopped.clone();
        async move {
            let is_writer = nth % WRITERS == 0;
            let (scenario, person) = match is_writer {
                true => (writing, writer),
                false => (reading, reader),
            };
            let mut connection = Connection::open(address).await?;
            let mut ticks = interval(PACE);
            let mut times = Vec::new();
            let mut number = usize::try_from(chrono::Utc::now().timestamp_millis())?;
            while !*stopped.borrow() {
                ticks.tick().await;
                number += 1;
                let request = scenario.request(person, number);
                let sent = Instant::now();
                connection.ask(&request).await?;
                times.push(sent.elapsed());
            }
            anyhow::Ok((is_writer, times))
        }
    }));
    let ending = async {
        end.await;
        stop.send_replace(true);
    };
    let (all, ()) = tokio::join!(all, ending);
    let over = begun.elapsed();
    let (writes, reads): (Vec<_>, Vec<_>) = all?.into_iter().partition(|(is_writer, _)| *is_writer);
    Ok([reads, writes].map(|times| {
        let times = times.into_iter().flat_map(|(_, times)| times);
        Measured::new(times.collect(), over)
    }))
}

/// Direct access to the server's database.
struct Database<'a> {
    folder: &'a Path,
    cluster: Option<&'a Cluster>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

impl Database<'_> {
    /// Moves the end of the period in which the seeded workspace, the oldest, can be restored into the
    /// past.
    async fn end_the_seeded_workspace(&self) -> Result<()> {
        let (long_ago, oldest) = match self.cluster {
            Some(_) => (
                "'2020-01-01'",
                "(SELECT id FROM workspaces ORDER BY id LIMIT 1)",
            ),
            None => (
                "1577836800000000",
                "(SELECT id FROM workspaces ORDER BY id LIMIT 1)",
            ),
        };
        let statement = format!(
            "UPDATE workspaces SET deleted_at = {long_ago}, purge_at = {long_ago} WHERE id = {oldest}"
        );
        match self.cluster {
            Some(cluster) => cluster.execute(&statement).await,
            None => Ok(self.open()?.batch_execute(&statement)?),
        }
    }

    /// Completes when the workspace is deleted for good.
    async fn purged(&self) {
        loop {
            sleep(Duration::from_millis(250)).await;
            match self.is_purged().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => eprintln!("cannot check what is left: {error:#}"),
            }
        }
    }

    async fn is_purged(&self) -> Result<bool> {
        let statement = "SELECT count(*) AS count FROM workspaces WHERE purge_at IS NOT NULL";
        let left = match self.cluster {
            Some(cluster) => cluster.count(statement).await?,
            None => {
                let counts: Vec<Count> =
                    diesel::RunQueryDsl::load(sql_query(statement), &mut self.open()?)?;
                ensure!(counts.len() == 1, "one count");
                counts[0].count
            }
        };
        Ok(left == 0)
    }

    fn open(&self) -> Result<SqliteConnection> {
        let path = self.folder.join("tenantry.db");
        let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
        connection.batch_execute("PRAGMA busy_timeout = 5000")?;
        Ok(connection)
    }
}
