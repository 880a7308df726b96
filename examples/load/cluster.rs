//! A throw-away PostgreSQL, which logs its statements when it is asked to.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Error, Result};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

use crate::tools::{Place, Tools};

/// What makes it as durable, and give it as much memory, as a server that is used, and what says where
/// its log is.
const SETTINGS: &str = "
    fsync = on
    full_page_writes = on
    shared_buffers = '1GB'
    max_wal_size = '4GB'
    logging_collector = on
    log_destination = 'jsonlog'
    log_directory = 'log'
    log_filename = 'log'
    log_rotation_size = 0
";

/// A running cluster, which ends with this value.
pub struct Cluster {
    tools: Tools,
    place: Place,
    url: String,
}

impl Cluster {
    /// Makes one and starts it.
    pub fn start() -> Result<Self> {
        let tools = Tools::find().map_err(Error::msg)?;
        let place = Place::make()?;
        let password = place.init(&tools)?;
        let port = place.start(&tools, SETTINGS)?;
        Ok(Self {
            tools,
            place,
            url: format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres"),
        })
    }

    /// Where it is, for its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of one of PostgreSQL's programs.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.tools.other(name)
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
        let mut log = BufReader::new(File::open(self.place.data().join("log/log.json"))?);
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
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Best effort: what is left is a folder for temporary files.
        let _ = self.place.stop(&self.tools, "immediate");
        let _ = std::fs::remove_dir_all(self.place.directory());
    }
}
