//! The program under load.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The program and its configuration.
pub struct Program<'a> {
    folder: &'a Path,
    database: Option<&'a str>,
}

impl<'a> Program<'a> {
    /// Keeps its data in that folder, and uses that PostgreSQL database, or else SQLite.
    pub fn new(folder: &'a Path, database: Option<&'a str>) -> Self {
        Self { folder, database }
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(path()?);
        command
            .args(arguments)
            .env_clear()
            .env("PORT", "0")
            .env("TENANTRY_DATA_DIR", self.folder)
            // The limits that creating the tenants would exceed.
            .env("TENANTRY_LIMITS__ORGANIZATIONS_PER_HOUR", "1000000")
            .env("TENANTRY_LIMITS__JOINS_PER_15_MINUTES", "1000000")
            .current_dir(self.folder)
            .stdin(Stdio::null());
        if let Some(url) = self.database {
            command.env("DATABASE_URL", url);
        }
        Ok(command)
    }

    /// Fills the database.
    pub fn seed(&self, workspaces: u32, answers: u32) -> Result<()> {
        let organizations = (workspaces / 5).max(1).to_string();
        let (workspaces, answers) = (workspaces.to_string(), answers.to_string());
        let mut command = self.command(&["seed", "--organizations", &organizations])?;
        command
            .args(["--workspaces", &workspaces, "--users", &workspaces])
            .args(["--answers", &answers])
            .stdout(Stdio::null());
        let status = command.status()?;
        ensure!(status.success(), "tenantry seed: {status}");
        Ok(())
    }

    /// Serves requests without background jobs, with the log in a file.
    pub fn serve(&self) -> Result<Serving> {
        self.start(&["serve", "--no-worker"])
    }

    /// Serves requests and runs the background jobs.
    pub fn serve_and_work(&self) -> Result<Serving> {
        self.start(&["serve"])
    }

    fn start(&self, arguments: &[&str]) -> Result<Serving> {
        let log = File::create(self.folder.join("log"))?;
        let mut child = self
            .command(arguments)?
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let output = child.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let Some(address) = line
            .trim_end()
            .strip_prefix("Tenantry is listening on http://")
        else {
            let log = std::fs::read_to_string(self.folder.join("log"))?;
            bail!("the server does not start: {log}");
        };
        let address = address.parse()?;
        Ok(Serving { child, address })
    }

    /// Returns the time from the start of the program to its first response.
    pub async fn time_to_first_answer(&self) -> Result<Duration> {
        let begun = Instant::now();
        let serving = self.serve()?;
        let url = format!("http://{}/readyz", serving.address);
        let response = reqwest::get(url).await?;
        let time = begun.elapsed();
        ensure!(response.status().is_success(), "{}", response.status());
        Ok(time)
    }
}

/// Returns the path of the program as built by `cargo build --release`: next to the folder of this
/// example.
fn path() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent);
    let path = folder.context("a folder above")?.join("tenantry");
    ensure!(
        path.is_file(),
        "{} does not exist: build it first",
        path.display()
    );
    Ok(path)
}

/// A running server, stopped when this is dropped.
pub struct Serving {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Serving {
    /// Returns the peak memory of the server, in MiB.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.context("the system reports peak memory")?;
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024)
    }

    /// Stops the server.
    pub fn stop(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.stop();
    }
}
