//! How many requests a second a server answers, and how long they take, on each database; on
//! PostgreSQL beside `pgbench`, which runs the very statements of those requests without anything
//! around them.
//!
//! ```sh
//! cargo build --release && cargo run --release --example load
//! ```
//!
//! The server under load is the program `target/release/tenantry` with a throw-away database that
//! `tenantry seed` has filled: authentication, limits, the log and metrics are on. PostgreSQL's own
//! programs have to be installed. Everything runs on this machine, the generator of the load too, so
//! that they take their share of its cores.

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
    /// On which databases.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    databases: Vec<Database>,
    /// For how long each request is sent, and each `pgbench` runs, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many connections send requests, each the next one when it has its answer.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How `pgbench` sends the statements.
    #[arg(long, value_enum, default_value = "prepared")]
    protocol: Protocol,
    /// Only the requests whose name holds this text.
    #[arg(long, default_value = "")]
    only: String,
    /// How many workspaces there are besides those that are asked for, in a fifth as many
    /// organizations and with as many people.
    #[arg(long, default_value_t = 25_000)]
    workspaces: u32,
    /// How many answers there are.
    #[arg(long, default_value_t = 50_000)]
    answers: u32,
    /// Instead: what is noticed of the purge of a workspace that has all the answers.
    #[arg(long)]
    purge: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

/// A line of the table.
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
