//! The servers, each in its own process.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Writes the servers' configuration, except for where the database is: no limits but that of seats.
pub fn configure(folder: &Path, provider: &str) -> std::io::Result<()> {
    let text = format!(
        "[limits]
        organizations_per_hour = 1000000
        joins_per_15_minutes = 1000000
        invitations_per_hour = 1000000
        runs_per_minute = 1000000
        run_lease_seconds = 5
        [plans.free]
        max_members_per_workspace = {SEATS}
        max_workspaces = 1000000
        max_owned_workspaces = 1000000
        [providers.mistral]
        base_url = '{provider}'
        api_key = 'none'
        "
    );
    std::fs::write(folder.join("tenantry.toml"), text)
}

/// How many seats a workspace has.
pub const SEATS: i64 = 5;

/// A person, and the token they sign in with.
#[derive(Clone)]
pub struct Token {
    /// Their email address.
    pub email: String,
    /// Their token.
    pub secret: String,
}

/// Creates tokens for `people` people.
pub fn tokens(program: &Path, folder: &Path, people: usize) -> anyhow::Result<Vec<Token>> {
    let token = |n: usize| {
        let email = format!("person{n}@example.com");
        let output = command(program, folder)
            .args(["token", "--email", &email])
            .output()?;
        anyhow::ensure!(output.status.success(), "no token can be made");
        let secret = String::from_utf8(output.stdout)?.trim().to_owned();
        Ok(Token { email, secret })
    };
    (0..people).map(token).collect()
}

/// A server, killed when this is dropped.
pub struct Instance {
    program: PathBuf,
    folder: PathBuf,
    database: String,
    name: &'static str,
    url: String,
    child: Child,
}

impl Instance {
    /// Starts a server on a free port.
    pub fn start(
        program: &Path,
        folder: &Path,
        database: &str,
        name: &'static str,
    ) -> anyhow::Result<Self> {
        let (child, url) = serve(program, folder, database, name, "0")?;
        Ok(Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            database: database.to_owned(),
            name,
            url,
            child,
        })
    }

    /// Returns the base URL of the server.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns the name of the server.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Kills the server with SIGKILL.
    pub fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Starts the server again on the same port. It is listening when this returns.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let (_, port) = self.url.rsplit_once(':').context("a port")?;
        let port = port.to_owned();
        let (program, folder) = (&self.program, &self.folder);
        (self.child, self.url) = serve(program, folder, &self.database, self.name, &port)?;
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // The process may be dead already.
        let _ = self.kill();
    }
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("TENANTRY_DATA_DIR", folder.join("data"))
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

fn serve(
    program: &Path,
    folder: &Path,
    database: &str,
    name: &str,
    port: &str,
) -> anyhow::Result<(Child, String)> {
    let log = folder.join(format!("{name}.log"));
    let log: File = OpenOptions::new().create(true).append(true).open(log)?;
    let mut child = command(program, folder)
        .env("DATABASE_URL", database)
        .env("PORT", port)
        .env("RUST_LOG", "tenantry=warn")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let output = child.stdout.take().context("a pipe")?;
    let mut lines = BufReader::new(output).lines();
    let first = lines.next().context("the server does not start")??;
    // Its other output is read, so that it does not block on a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    let url = first.rsplit(' ').next().context("a URL")?.to_owned();
    Ok((child, url))
}
