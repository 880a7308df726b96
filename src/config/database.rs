//! `[database]`: which database to use, and how to connect to it.

use serde::{Deserialize, Serialize};

use super::Secret;

/// The database and its connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// `postgres://…`, `postgresql://…` or `sqlite://` and a path. Also `DATABASE_URL`. Default:
    /// SQLite in the data directory.
    pub url: Option<Secret>,

    /// A PostgreSQL replica that queries read from, if `url` is PostgreSQL. Also `DATABASE_READ_URL`.
    /// Default: queries read from `url`.
    pub read_url: Option<Secret>,

    /// A direct PostgreSQL connection, if `url` leads through a pooler in transaction mode: for LISTEN
    /// and NOTIFY, and for migrations. Also `DATABASE_LISTEN_URL`. Default: `url`.
    pub listen_url: Option<Secret>,

    /// PostgreSQL connections for writing, 1 to 1,000. SQLite has one writer. Default: 8.
    pub max_connections: u32,

    /// Connections for reading, with either database, and as many again to the replica, 1 to 1,000.
    /// Default: 4.
    pub readers: u32,

    /// How long a request waits for a connection before it is answered UNAVAILABLE, in
    /// milliseconds, 1 to 60,000. Default: 2,000.
    pub acquire_timeout_ms: u64,

    /// How long a statement may run before the database stops it, in seconds, 1 to 3,600; through a
    /// pooler, the role's own setting applies instead. Default: 15.
    pub statement_timeout_seconds: u64,

    /// Whether `serve`, `seed` and `organization set-plan` apply pending migrations first. Default:
    /// true.
    pub auto_migrate: bool,
}

impl Database {
    /// Whether `url` names a PostgreSQL database.
    pub fn is_postgres(&self) -> bool {
        self.url.as_ref().is_some_and(is_postgres)
    }
}

/// Whether `url` names a PostgreSQL database, judging by its scheme.
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
    /// Returns the options for opening the database: at the configured URL, or in a SQLite file in the
    /// data directory.
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
