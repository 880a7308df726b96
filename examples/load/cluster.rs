//! A throw-away PostgreSQL that can log its statements.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Error, Result};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

use crate::tools::{Place, Tools};

/// Settings for the durability and memory of a production server, and for where to log.
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

/// A running cluster, removed when this is dropped.
pub struct Cluster {
    tools: Tools,
    place: Place,
    url: String,
}

impl Cluster {
    /// Creates and starts a cluster.
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

    /// Returns the URL for the superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the path of one of PostgreSQL's programs.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.tools.other(name)
    }

    /// Updates statistics and visibility maps, as they are on a server that has run for a while.
    pub async fn settle(&self) -> Result<()> {
        self.execute("VACUUM ANALYZE").await?;
        self.execute("CHECKPOINT").await
    }

    /// Executes a statement.
    pub async fn execute(&self, statement: &str) -> Result<()> {
        Ok(self.connect().await?.batch_execute(statement).await?)
    }

    /// Returns the number that a query selects.
    pub async fn count(&self, query: &str) -> Result<i64> {
        Ok(self.connect().await?.query_one(query, &[]).await?.get(0))
    }

    /// Returns what is logged while `work` runs: each entry's message and details.
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
        // Entries are written in order: those after this one do not matter.
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
            // The first line may be incomplete.
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

    /// Turns logging of statements on or off for all connections. Each notices with its next statement.
    async fn set_logging(&self, client: &Client, is_on: bool) -> Result<()> {
        let least = if is_on { 0 } else { -1 };
        client
            .batch_execute(&format!(
                "ALTER SYSTEM SET log_min_duration_statement = {least}"
            ))
            .await?;
        client.batch_execute("SELECT pg_reload_conf()").await?;
        // The reload is signaled to all processes at once: when this connection has the setting, so do
        // the others.
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
        // Best effort: what remains is a folder among temporary files.
        let _ = self.place.stop(&self.tools, "immediate");
        let _ = std::fs::remove_dir_all(self.place.directory());
    }
}
