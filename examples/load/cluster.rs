//! A throw-away PostgreSQL, which logs its statements when it is asked to.

use std::fs::{DirBuilder, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

/// A running cluster, which ends with this value.
pub struct Cluster {
    folder: PathBuf,
    tools: PathBuf,
    user: Option<(u32, u32)>,
    url: String,
}

impl Cluster {
    /// Makes one and starts it, with the settings that PostgreSQL comes with but for what is logged,
    /// and for memory.
    pub async fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("load-{:016x}", getrandom::u64()?));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let user = user()?;
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let cluster = Self {
            tools: tools()?,
            user,
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            folder,
        };
        let data = cluster.data();
        cluster.run(
            "initdb",
            &[
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
            ],
        )?;
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n\
             shared_buffers = '1GB'\nmax_wal_size = '4GB'\nautovacuum = off\n\
             logging_collector = on\nlog_destination = 'jsonlog'\nlog_directory = 'log'\n\
             log_filename = 'log'\nlog_rotation_size = 0\n",
            cluster.folder.display()
        );
        std::fs::write(data.join("postgresql.auto.conf"), settings)?;
        cluster.run("pg_ctl", &["start", "--wait", "--silent"])?;
        Ok(cluster)
    }

    /// Where it is, for its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of one of PostgreSQL's programs.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.tools.join(name)
    }

    /// Has its statistics and its maps of what is visible brought up to date, as they are on a server
    /// that has run for a while.
    pub async fn settle(&self) -> Result<()> {
        self.execute("VACUUM ANALYZE").await?;
        self.execute("CHECKPOINT").await
    }

    /// Executes a statement.
    pub async fn execute(&self, statement: &str) -> Result<()> {
        Ok(self.connect().await?.batch_execute(statement).await?)
    }

    /// The number that a query gives.
    pub async fn count(&self, query: &str) -> Result<i64> {
        Ok(self.connect().await?.query_one(query, &[]).await?.get(0))
    }

    /// What it logs while `work` is done: each entry's message and details.
    pub async fn logged(
        &self,
        work: impl Future<Output = Result<()>>,
    ) -> Result<Vec<(String, String)>> {
        let client = self.connect().await?;
        let mut log = BufReader::new(File::open(self.data().join("log/log.json"))?);
        self.set_logging(&client, true).await?;
        log.seek(SeekFrom::End(0))?;
        work.await?;
        self.set_logging(&client, false).await?;
        // Entries are written in order: what comes after this one is of no interest.
        client
            .batch_execute("DO $$ BEGIN RAISE LOG 'that was all'; END $$")
            .await?;
        let mut entries = Vec::new();
        let mut line = String::new();
        loop {
            if log.read_line(&mut line)? == 0 || !line.ends_with('\n') {
                tokio::task::yield_now().await;
                continue;
            }
            // The first may have begun before.
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            line.clear();
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            if text("message") == "that was all" {
                return Ok(entries);
            }
            if text("application_name") == "tenantry" {
                entries.push((text("message"), text("detail")));
            }
        }
    }

    /// Has all connections log their statements, or none. Each takes note of it with its next one.
    async fn set_logging(&self, client: &Client, is_on: bool) -> Result<()> {
        let least = if is_on { 0 } else { -1 };
        client
            .batch_execute(&format!(
                "ALTER SYSTEM SET log_min_duration_statement = {least}"
            ))
            .await?;
        client.batch_execute("SELECT pg_reload_conf()").await?;
        // It is told by a signal to all processes at once; this one having it, the others have too.
        loop {
            let row = client
                .query_one("SHOW log_min_duration_statement", &[])
                .await?;
            if row.get::<_, String>(0) == least.to_string() {
                return Ok(());
            }
        }
    }

    async fn connect(&self) -> Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Runs one of PostgreSQL's programs on the cluster.
    fn run(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(self.tool(name));
        command
            .args(arguments)
            .arg("--pgdata")
            .arg(self.data())
            .env_clear()
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let status = command.status()?;
        ensure!(status.success(), "{name}: {status}");
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Best effort: what is left is a folder for temporary files.
        let _ = self.run("pg_ctl", &["stop", "--mode=immediate", "--silent"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Whom PostgreSQL is to run as, if we are root, as whom it refuses to.
fn user() -> Result<Option<(u32, u32)>> {
    let own = std::fs::metadata("/proc/self")?;
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = line
        .context("there is no user postgres")?
        .split(':')
        .skip(2);
    let mut id = || fields.next().unwrap_or_default().parse();
    Ok(Some((id()?, id()?)))
}

/// Where PostgreSQL's programs are: the highest version where Debian keeps them, or on the PATH.
fn tools() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir(Path::new("/usr/lib/postgresql")) {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.sort();
    let has_all = |folder: &&PathBuf| {
        ["initdb", "pgbench"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    let found = folders.iter().rfind(|folder| has_all(folder)).cloned();
    found.context("initdb and pgbench are neither on the PATH nor in /usr/lib/postgresql")
}
