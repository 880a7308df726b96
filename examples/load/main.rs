//! Measures how many requests per second a server answers, and how long they take, on each database; on
//! PostgreSQL next to `pgbench`, which runs exactly the statements of those requests and nothing else.
//!
//! ```sh
//! cargo build --release && cargo run --release --example load
//! ```
//!
//! The server under load is the program `target/release/tenantry` with a throw-away database filled by
//! `tenantry seed`; authentication, limits, the log and metrics are on. PostgreSQL's own programs must
//! be installed. Everything runs on this machine, including the load generator, which takes its share of
//! the cores.

mod cluster;
mod generator;
mod pgbench;
#[path = "../../tests/it/support/port.rs"]
mod port;
mod program;
mod purge;
mod scenario;
mod statements;
#[path = "../../tests/it/support/postgres/tools.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod tools;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use tempfile::TempDir;

use cluster::Cluster;
use generator::Measured;
use pgbench::{Pgbench, Protocol};
use program::Program;
use scenario::{Scenario, Tenants};

#[derive(Parser)]
struct Arguments {
    /// The databases to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    databases: Vec<Database>,
    /// How long to send each request, and to run each `pgbench`, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many connections to send requests on, each waiting for one response before the next request.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How `pgbench` sends the statements.
    #[arg(long, value_enum, default_value = "prepared")]
    protocol: Protocol,
    /// Measure only requests whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// How many workspaces to create besides those that requests use, with a fifth as many organizations
    /// and as many people.
    #[arg(long, default_value_t = 25_000)]
    workspaces: u32,
    /// How many answers to create.
    #[arg(long, default_value_t = 50_000)]
    answers: u32,
    /// Measure the effects of purging a workspace with all the answers instead.
    #[arg(long)]
    purge: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

/// A row of the table.
struct Line {
    name: &'static str,
    server: Measured,
    pgbench: Option<Pgbench>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    for database in &arguments.databases {
        let folder = TempDir::new()?;
        let cluster = match database {
            Database::Sqlite => None,
            Database::Postgres => {
                let started = Cluster::start();
                Some(started.context("PostgreSQL does not start")?)
            }
        };
        let (folder, cluster) = (folder.path(), cluster.as_ref());
        if arguments.purge {
            purge::measure(folder, cluster, arguments.answers, arguments.connections).await?;
        } else {
            measure(&arguments, folder, cluster).await?;
        }
    }
    Ok(())
}

/// Measures all requests on one database, and prints the table.
async fn measure(arguments: &Arguments, folder: &Path, cluster: Option<&Cluster>) -> Result<()> {
    let program = Program::new(folder, cluster.map(Cluster::url));
    program.seed(arguments.workspaces, arguments.answers)?;
    let mut serving = program.serve()?;
    let tenants = Tenants::make(&serving, folder, arguments.connections).await?;
    if let Some(cluster) = cluster {
        cluster.settle().await?;
    }
    let mut lines = Vec::new();
    for scenario in Scenario::ALL {
        if !scenario.name.contains(&arguments.only) {
            continue;
        }
        let time = Duration::from_secs(arguments.seconds);
        let server = generator::run(serving.address, &tenants, &scenario, time).await?;
        let pgbench = match cluster {
            Some(cluster) if scenario.asks_the_database => {
                let captured =
                    statements::capture(cluster, serving.address, &tenants, &scenario).await?;
                Some(Pgbench::measure(
                    cluster,
                    folder,
                    &captured,
                    arguments.protocol,
                    arguments.connections,
                    time,
                )?)
            }
            _ => None,
        };
        lines.push(Line {
            name: scenario.name,
            server,
            pgbench,
        });
    }
    let memory = serving.peak_memory()?;
    serving.stop()?;
    let start = program.time_to_first_answer().await?;
    print(
        if cluster.is_some() {
            "PostgreSQL"
        } else {
            "SQLite"
        },
        &lines,
    );
    println!(
        "\npeak memory {memory} MiB, {} ms from start to first answer\n",
        start.as_millis()
    );
    Ok(())
}

fn print(database: &str, lines: &[Line]) {
    println!(
        "\n| {database} | a second | p50 | p99 | `pgbench` | ratio | planned once | ratio |\n\
         |---|---|---|---|---|---|---|---|"
    );
    for Line {
        name,
        server,
        pgbench,
    } in lines
    {
        let (rate, p50, p99) = (server.rate(), server.percentile(50), server.percentile(99));
        let beside = |tps| format!("{tps:.0} | {:.0} %", 100.0 * rate / tps);
        let pgbench = match pgbench {
            Some(Pgbench {
                plain,
                planned_once,
            }) => format!("{} | {}", beside(plain), beside(planned_once)),
            None => "– | – | – | –".to_owned(),
        };
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
        println!(
            "| {name} | {rate:.0} | {} | {} | {pgbench} |",
            ms(p50),
            ms(p99)
        );
    }
}
