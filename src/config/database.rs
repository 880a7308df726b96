//! `[database]`: which database, and how it is connected to.

use serde::{Deserialize, Serialize};

use super::Secret;

/// The database and its connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// `postgres://…`, `postgresql://…` or `sqlite://` and a path. Also `DATABASE_URL`. Default:
    /// SQLite in the data directory.
    pub url: Option<Secret>,

    /// A PostgreSQL replica that queries read from, where `url` is PostgreSQL. Also
    /// `DATABASE_READ_URL`. Default: they read from `url`.
    pub read_url: Option<Secret>,

    /// PostgreSQL itself, if `url` leads through a pooler that lends connections by the transaction:
    /// for LISTEN and NOTIFY, and for migrations. Also `DATABASE_LISTEN_URL`. Default: `url`.
    pub listen_url: Option<Secret>,

    /// PostgreSQL connections for writing, 1 to 1,000. SQLite has one writer. Default: 8.
    pub max_connections: u32,

    /// Connections for reading, on either database, and as many to the replica, 1 to 1,000. Default: 4.
    pub readers: u32,

    /// How long a request waits for a connection before it is answered UNAVAILABLE, in
    /// milliseconds, 1 to 60,000. Default: 2,000.
    pub acquire_timeout_ms: u64,

    /// When the database stops a statement, in seconds, 1 to 3,600; through a pooler, that is up to
    /// the role. Default: 15.
    pub statement_timeout_seconds: u64,

    /// Whether `serve`, `seed` and `organization set-plan` bring the database up to date before
    /// anything else. Default: true.
    pub auto_migrate: bool,
}

impl Database {
    /// Whether `url` names a PostgreSQL database.
    pub fn is_postgres(&self) -> bool {
        self.url.as_ref().is_some_and(is_postgres)
    }
}

/// Whether it is the URL of a PostgreSQL database, by its scheme.
pub(super) fn is_postgres(url: &Secret) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.expose().starts_with(scheme))
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            read_url: None,
            listen_url: None,
            max_connections: 8,
            readers: 4,
            acquire_timeout_ms: 2_000,
            statement_timeout_seconds: 15,
            auto_migrate: true,
        }
    }
}

impl super::Config {
    /// Where the database is, for opening it: the configured URL, or a SQLite file in the data
    /// directory.
    pub fn database_options(&self) -> crate::db::Options {
        let database = &self.database;
        let file = || format!("sqlite://{}", self.data_dir.join("tenantry.db").display());
        crate::db::Options {
            url: database
                .url
                .as_ref()
                .map_or_else(file, |url| url.expose().to_owned()),
            read_url: database
                .read_url
                .as_ref()
                .map(|url| url.expose().to_owned()),
            listen_url: database
                .listen_url
                .as_ref()
                .map(|url| url.expose().to_owned()),
            writers: database.max_connections as usize,
            readers: database.readers as usize,
            acquire_timeout: std::time::Duration::from_millis(database.acquire_timeout_ms),
            statement_timeout: std::time::Duration::from_secs(database.statement_timeout_seconds),
        }
    }
}
