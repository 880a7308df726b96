//! Runs two servers on one PostgreSQL under a mixed load while machines fail: the database is restarted
//! three times, once by a crash, and a server is killed. In the end, nothing that was acknowledged may
//! be lost, and no invariant may be violated.
//!
//! `cargo build && cargo run --example chaos -- --minutes 10`. This needs PostgreSQL's programs, and
//! creates a cluster of its own, which it removes afterwards.

mod checks;
mod incidents;
mod instance;
mod journal;
mod load;
mod provider;
mod report;

#[path = "../../tests/it/support/postgres/own.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod own;
#[path = "../../tests/it/support/port.rs"]
mod port;
#[path = "../../tests/it/support/postgres/tools.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

use instance::Instance;
use journal::Journal;
use own::OwnCluster;

/// Breaks things while two servers are at work, and checks that nothing is lost.
#[derive(Parser)]
struct Arguments {
    /// How long the load lasts, in minutes.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// How many people work at the same time.
    #[arg(long, default_value_t = 16)]
    people: usize,
    /// The `tenantry` program to test. Default: the one that cargo built next to this example.
    #[arg(long)]
    program: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let program = program(arguments.program)?;
    let time = Duration::from_secs_f64(arguments.minutes * 60.0);
    let cluster = OwnCluster::start().context("PostgreSQL's programs are not installed")?;
    let provider = provider::start().await?;
    let folder = tempfile::tempdir()?;
    instance::configure(folder.path(), &provider)?;
    let mut servers = Vec::new();
    for name in ["a", "b"] {
        servers.push(Instance::start(
            &program,
            folder.path(),
            cluster.url(),
            name,
        )?);
    }
    let urls: Arc<[_]> = servers.iter().map(Instance::url).collect();
    let tokens = instance::tokens(&program, folder.path(), arguments.people)?;
    let journal = Arc::new(Journal::new());

    let load = load::start(&urls, &tokens, &journal, time);
    let incidents = incidents::run(&cluster, &mut servers, &journal, time).await?;
    let events = load.finish().await;
    let findings = checks::run(cluster.url(), &journal).await?;
    let is_sound = report::print(&journal, &incidents, events, &findings);
    if is_sound {
        return Ok(ExitCode::SUCCESS);
    }
    println!("The servers' output is in {}.", folder.keep().display());
    Ok(ExitCode::FAILURE)
}

fn program(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let program = match given {
        Some(program) => program,
        None => {
            let own = std::env::current_exe()?;
            let folder = own.parent().and_then(|folder| folder.parent());
            folder
                .context("the folder of this program is unknown")?
                .join("tenantry")
        }
    };
    anyhow::ensure!(
        program.is_file(),
        "{} does not exist: build it, or pass --program",
        program.display()
    );
    Ok(program)
}
