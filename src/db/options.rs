//! The kind of database, and how to connect to it.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::Host;

use super::postgres::parse;

/// The kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL 14 or later.
    Postgres,
    /// The embedded SQLite.
    Sqlite,
}

/// Where the database is, and how to connect to it.
#[derive(Clone)]
pub struct Options {
    /// `postgres://…` or `sqlite://PATH`.
    pub url: String,
    /// A PostgreSQL replica of the database that queries read from.
    pub read_url: Option<String>,
    /// PostgreSQL itself, if `url` leads through a pooler: for LISTEN and NOTIFY, and for anything else
    /// that needs a connection to itself.
    pub listen_url: Option<String>,
    /// How many connections that write, on PostgreSQL; on SQLite there is always one.
    pub writers: usize,
    /// How many connections that only read: to the database itself, and as many to its replica.
    pub readers: usize,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take before the database stops it. PostgreSQL only, and not through a
    /// pooler, where the role's setting decides.
    pub statement_timeout: Duration,
}

impl Options {
    /// Returns the URL of PostgreSQL itself, not that of a pooler.
    pub fn direct_url(&self) -> &str {
        self.listen_url.as_ref().unwrap_or(&self.url)
    }

    /// Describes the database for operators: its kind, and its [`place`](Self::place).
    pub fn name(&self) -> String {
        match self.sqlite_path() {
            Some(_) => format!("SQLite, in {}", self.place()),
            None => format!("PostgreSQL, {}", self.place()),
        }
    }

    /// Returns the path of the file, or the database's name and server, without a password.
    pub fn place(&self) -> String {
        match self.sqlite_path() {
            Some(path) => path.display().to_string(),
            None => server(&self.url).unwrap_or_default(),
        }
    }

    /// Returns the path in `sqlite://PATH`, or nothing if the URL is of another kind.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite://").map(PathBuf::from)
    }
}

/// Formats a URL as `tenantry at db.example.com:5432`; nothing if the URL is invalid.
fn server(url: &str) -> Option<String> {
    let config = parse(url).ok()?;
    let name = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    let hosts = config.get_hosts().iter().enumerate().map(|(i, host)| {
        let ports = config.get_ports();
        // A single port stands for all hosts.
        let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        }
    });
    let hosts: Vec<_> = hosts.collect();
    Some(format!("{name} at {}", hosts.join(", ")))
}
