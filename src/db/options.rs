//! Which database it is, and how it is connected to.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::Host;

use super::postgres::parse;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL 14 or later.
    Postgres,
    /// The embedded SQLite.
    Sqlite,
}

/// Where the database is and how many connections to it are kept.
#[derive(Clone)]
pub struct Options {
    /// `postgres://…` or `sqlite://PATH`.
    pub url: String,
    /// A PostgreSQL replica of it that queries read from.
    pub read_url: Option<String>,
    /// PostgreSQL itself, if `url` leads through a pooler: for LISTEN and NOTIFY, and for whatever
    /// else has to keep a connection for itself.
    pub listen_url: Option<String>,
    /// Connections that write, on PostgreSQL. SQLite has one.
    pub writers: usize,
    /// Connections that only read: to the database itself, and as many to its replica.
    pub readers: usize,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take before the database stops it. PostgreSQL only, and not
    /// through a pooler, where it is up to the role.
    pub statement_timeout: Duration,
}

impl Options {
    /// PostgreSQL itself, not through a pooler.
    pub fn direct_url(&self) -> &str {
        self.listen_url.as_ref().unwrap_or(&self.url)
    }

    /// What an operator knows it by: the path of the file, or the database and its server. Without a
    /// password.
    pub fn name(&self) -> String {
        match self.sqlite_path() {
            Some(_) => format!("SQLite, in {}", self.place()),
            None => format!("PostgreSQL, {}", self.place()),
        }
    }

    /// The path of the file, or the database and its server. Without a password.
    pub fn place(&self) -> String {
        match self.sqlite_path() {
            Some(path) => path.display().to_string(),
            None => server(&self.url).unwrap_or_default(),
        }
    }

    /// The path in `sqlite://PATH`, or nothing where the URL is of another kind.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite://").map(PathBuf::from)
    }
}

/// `tenantry at db.example.com:5432`; nothing where the URL is none.
fn server(url: &str) -> Option<String> {
    let config = parse(url).ok()?;
    let name = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    let hosts = config.get_hosts().iter().enumerate().map(|(i, host)| {
        let ports = config.get_ports();
        // One port stands for all hosts.
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
