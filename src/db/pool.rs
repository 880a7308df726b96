//! The two pools, one for reading and one for writing.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use diesel::connection::SimpleConnection;
use diesel::{Connection as _, ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::announce::Announcements;
use super::connection::{Connection, Inner};
use super::sqlite::{self, Sqlite};
use super::statements::Statements;
use super::tls;
use crate::error::{Error, Result};

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
    /// Where to LISTEN and NOTIFY on PostgreSQL, if `url` leads through a pooler that cannot.
    pub listen_url: Option<String>,
    /// Connections that write, on PostgreSQL. SQLite has one.
    pub writers: usize,
    /// Connections that only read.
    pub readers: usize,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take before the database stops it. PostgreSQL only.
    pub statement_timeout: Duration,
}

/// The database: gives connections for reading, and transactions.
#[derive(Clone)]
pub struct Db {
    options: Options,
    pools: Pools,
    statements: Statements,
    announcements: Arc<Announcements>,
}

#[derive(Clone)]
enum Pools {
    Postgres {
        read: Pool<AsyncPgConnection>,
        write: Pool<AsyncPgConnection>,
    },
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
}

/// How full a pool is.
#[derive(Clone, Copy, Debug)]
pub struct PoolStatus {
    /// `read` or `write`.
    pub name: &'static str,
    /// How many connections it may have.
    pub max: usize,
    /// How many it has.
    pub open: usize,
    /// How many of them nobody uses.
    pub available: usize,
    /// How many wait for one.
    pub waiting: usize,
}

impl PoolStatus {
    fn new(name: &'static str, status: deadpool::Status) -> Self {
        Self {
            name,
            max: status.max_size,
            open: status.size,
            available: status.available,
            waiting: status.waiting,
        }
    }
}

type SqlitePool = Pool<Sqlite>;

impl Db {
    /// The pools; connections are made when they are first wanted.
    ///
    /// # Errors
    /// Where the URL is not of a database that is known, or the folder of a SQLite file cannot be
    /// made.
    pub fn new(options: Options) -> Result<Self> {
        let statements = Statements::default();
        let pools = match sqlite_path(&options.url) {
            Some(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)
                        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
                }
                let url = path
                    .to_str()
                    .context("the path of the SQLite file is not UTF-8")?;
                let pool = |setup: &'static str, size| {
                    let statements = statements.clone();
                    let connect = move |url: &str| establish_sqlite(url, setup, &statements);
                    pool(url, size, &options, connect)
                };
                Pools::Sqlite {
                    read: pool(SQLITE_READER, options.readers)?,
                    write: pool(SQLITE_WRITER, 1)?,
                }
            }
            None => {
                let pool = |read_only, size| {
                    let (statements, timeout) = (statements.clone(), options.statement_timeout);
                    let connect = move |url: &str| {
                        let (url, statements) = (url.to_owned(), statements.clone());
                        async move { establish_postgres(&url, read_only, timeout, statements).await }.boxed()
                    };
                    pool(&options.url, size, &options, connect)
                };
                Pools::Postgres {
                    read: pool(true, options.readers)?,
                    write: pool(false, options.writers)?,
                }
            }
        };
        let listen_url = match &pools {
            Pools::Postgres { .. } => options.listen_url.as_ref().or(Some(&options.url)).cloned(),
            Pools::Sqlite { .. } => None,
        };
        Ok(Self {
            options,
            pools,
            statements,
            announcements: Arc::new(Announcements::new(listen_url)),
        })
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        match self.pools {
            Pools::Postgres { .. } => Kind::Postgres,
            Pools::Sqlite { .. } => Kind::Sqlite,
        }
    }

    /// How full each pool is.
    pub fn pools(&self) -> [PoolStatus; 2] {
        let (read, write) = match &self.pools {
            Pools::Postgres { read, write } => (read.status(), write.status()),
            Pools::Sqlite { read, write } => (read.status(), write.status()),
        };
        [
            PoolStatus::new("read", read),
            PoolStatus::new("write", write),
        ]
    }

    /// The count of statements sent so far.
    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    pub(super) fn announcements(&self) -> &Arc<Announcements> {
        &self.announcements
    }

    /// A connection that can only read.
    ///
    /// # Errors
    /// `UNAVAILABLE` where none can be had in time.
    pub async fn read(&self) -> Result<Connection> {
        match &self.pools {
            Pools::Postgres { read, .. } => Ok(Connection::new(Inner::Postgres(get(read).await?))),
            Pools::Sqlite { read, .. } => Ok(Connection::new(Inner::Sqlite(get(read).await?))),
        }
    }

    /// A connection to the primary. Outside of `db/`, writing takes a transaction.
    pub(super) async fn write(&self) -> Result<Connection> {
        match &self.pools {
            Pools::Postgres { write, .. } => {
                Ok(Connection::new(Inner::Postgres(get(write).await?)))
            }
            Pools::Sqlite { write, .. } => Ok(Connection::new(Inner::Sqlite(get(write).await?))),
        }
    }

    /// A connection to the primary past Diesel, without bounds on how long a statement may take.
    pub(super) async fn connect_bare(&self) -> Result<Client> {
        let connected = connect_postgres(&self.options.url).await;
        let (client, wire) = connected.map_err(|error| Error::NoConnection(error.to_string()))?;
        // It ends with the client. What goes wrong is told by the statement that it goes wrong for.
        tokio::spawn(wire);
        Ok(client)
    }

    /// A connection to the primary outside of the pools, for what holds one long.
    pub(super) async fn establish_postgres(&self) -> Result<AsyncPgConnection> {
        establish_postgres(
            &self.options.url,
            false,
            Duration::ZERO,
            self.statements.clone(),
        )
        .await
        .map_err(|error| Error::NoConnection(error.to_string()))
    }
}

/// The path in `sqlite://PATH`, or nothing where the URL is of another kind.
fn sqlite_path(url: &str) -> Option<PathBuf> {
    url.strip_prefix("sqlite://").map(PathBuf::from)
}

async fn get<C>(pool: &Pool<C>) -> Result<Object<C>>
where
    C: PoolableConnection + Send + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    pool.get().await.map_err(|error| {
        Error::NoConnection(match error {
            deadpool::managed::PoolError::Backend(error) => error.to_string(),
            error => error.to_string(),
        })
    })
}

fn pool<C>(
    url: &str,
    size: usize,
    options: &Options,
    connect: impl Fn(&str) -> BoxFuture<'static, ConnectionResult<C>> + Send + Sync + 'static,
) -> Result<Pool<C>>
where
    C: PoolableConnection + Send + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    let mut config = ManagerConfig::default();
    // The default tests each checkout with a query. A connection that broke is noticed by its first
    // statement, and not used again.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| connect(url));
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    let pool = Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(options.acquire_timeout))
        .create_timeout(Some(options.acquire_timeout))
        .runtime(deadpool::Runtime::Tokio1)
        .build();
    Ok(pool.map_err(|error| anyhow!(error))?)
}

/// `busy_timeout` first: the statements after it may have to wait for another process.
const SQLITE_WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; \
    PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;";

fn establish_sqlite(
    url: &str,
    setup: &'static str,
    statements: &Statements,
) -> BoxFuture<'static, ConnectionResult<Sqlite>> {
    let (url, statements) = (url.to_owned(), statements.clone());
    let open = move || {
        let bad = |error: &str| ConnectionError::BadConnection(error.to_owned());
        sqlite::watch_connections().map_err(bad)?;
        let mut conn = SqliteConnection::establish(&url)?;
        conn.batch_execute(setup)
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        conn.set_instrumentation(statements);
        Ok(Sqlite::new(conn))
    };
    async move {
        let opened = tokio::task::spawn_blocking(open).await;
        opened.unwrap_or_else(|error| Err(ConnectionError::BadConnection(error.to_string())))
    }
    .boxed()
}

async fn establish_postgres(
    url: &str,
    read_only: bool,
    statement_timeout: Duration,
    statements: Statements,
) -> ConnectionResult<AsyncPgConnection> {
    let (client, connection) = connect_postgres(url).await?;
    let mut conn = AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    let setup = format!(
        "SET statement_timeout = {}; SET default_transaction_read_only = {read_only}; \
         SET idle_in_transaction_session_timeout = 60000; SET lock_timeout = 10000",
        statement_timeout.as_millis(),
    );
    conn.batch_execute(&setup)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    conn.set_instrumentation(statements);
    Ok(conn)
}

/// The half of a connection that has to be polled.
pub(super) type PgWire =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A bare connection to the PostgreSQL at that URL, with TLS as the URL says.
pub(super) async fn connect_postgres(url: &str) -> ConnectionResult<(Client, PgWire)> {
    let bad = |error: &dyn std::fmt::Display| ConnectionError::BadConnection(error.to_string());
    // tokio-postgres does not know `verify-full`, which is `require` and more.
    let verify = url.contains("sslmode=verify-full");
    let url = url.replace("sslmode=verify-full", "sslmode=require");
    let mut config = tokio_postgres::Config::from_str(&url).map_err(|error| bad(&error))?;
    if config.get_application_name().is_none() {
        config.application_name("tenantry");
    }
    // A connection that only listens does not notice otherwise that the other side is gone.
    config.keepalives_idle(Duration::from_secs(30));
    let tls = tls::connector(verify).map_err(|error| bad(&error))?;
    config
        .connect(tls)
        .await
        .map_err(|error| bad(&Causes(&error)))
}

/// An error with its causes on one line: that of tokio-postgres does not print them.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
