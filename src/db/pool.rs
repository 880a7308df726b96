//! The connection pools: for reading, for writing, and for reading from a replica.

use std::fmt::Display;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use deadpool::managed::PoolError;
use diesel::ConnectionResult;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_postgres::Client;

use super::announce::Announcements;
use super::connection::{Connection, Inner};
use super::options::{Kind, Options};
use super::postgres::{connect_postgres, establish_postgres, parse, settings};
use super::replica::{Replica, Spares};
use super::session::{Ongoing, Session};
use super::sqlite::{READER, Sqlite, WRITER, establish_sqlite};
use super::statements::Statements;
use crate::error::{Error, Result};
use crate::private;

/// The database: provides connections for reading, and transactions. Cheap to clone.
///
/// All reads go to the primary, so they see everything written before, except those of
/// [`Db::for_query`].
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
    reads: Reads,
    /// The session that the reads of one request share, if this is one request's view of the database.
    ongoing: Option<Arc<Ongoing>>,
}

/// What all clones of a database share.
pub(super) struct Shared {
    options: Options,
    pools: Pools,
    statements: Statements,
    announcements: Arc<Announcements>,
}

/// Where reads go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    Primary,
    /// The replica, while it is available.
    Replica,
}

enum Pools {
    Postgres {
        read: Pool<AsyncPgConnection>,
        write: Pool<AsyncPgConnection>,
        replica: Option<Replica>,
    },
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
}

/// The state of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolStatus {
    /// `read`, `write` or `replica`.
    pub name: &'static str,
    /// The most connections that it may have.
    pub max: usize,
    /// How many connections it has.
    pub open: usize,
    /// How many of them are idle.
    pub available: usize,
    /// How many tasks are waiting for one.
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
    /// Creates the pools; connections are opened when first needed.
    ///
    /// # Errors
    /// If a URL is not of a supported database, or the file of SQLite or its folder cannot be created.
    pub fn new(options: Options) -> Result<Self> {
        let statements = Statements::default();
        let pools = match options.sqlite_path() {
            Some(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).with_context(|| {
                        format!("cannot create the folder {}", folder.display())
                    })?;
                }
                // SQLite itself would create it readable by everybody. The files it puts next to it get
                // the same mode.
                match private::create(&path) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                        Err(error).context(format!("cannot create {}", path.display()))?;
                    }
                    _ => {}
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
                    read: pool(READER, options.readers)?,
                    write: pool(WRITER, 1)?,
                }
            }
            None => {
                let pool_for = |url: &str, read_only, size| {
                    let statements = statements.clone();
                    // Settings would leak from one session of a pooler into others.
                    let settings = match options.listen_url {
                        Some(_) => String::new(),
                        None => settings(read_only, options.statement_timeout),
                    };
                    let connect = move |url: &str| {
                        let url = url.to_owned();
                        let (settings, statements) = (settings.clone(), statements.clone());
                        async move { establish_postgres(&url, &settings, statements).await }.boxed()
                    };
                    pool(url, size, &options, connect)
                };
                let replica = match &options.read_url {
                    Some(url) => {
                        // The parser's message may quote the password.
                        parse(url).map_err(|_| {
                            anyhow!("database.read_url is not the URL of a PostgreSQL database")
                        })?;
                        let spares = Spares {
                            primary: pool_for(&options.url, true, 1)?,
                            replica: pool_for(url, true, 1)?,
                        };
                        let pool = pool_for(url, true, options.readers)?;
                        Some(Replica::new(pool, spares))
                    }
                    None => None,
                };
                Pools::Postgres {
                    read: pool_for(&options.url, true, options.readers)?,
                    write: pool_for(&options.url, false, options.writers)?,
                    replica,
                }
            }
        };
        let listen_url = match &pools {
            Pools::Postgres { .. } => Some(options.direct_url().to_owned()),
            Pools::Sqlite { .. } => None,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                options,
                pools,
                statements,
                announcements: Arc::new(Announcements::new(listen_url)),
            }),
            reads: Reads::Primary,
            ongoing: None,
        })
    }

    /// Returns the same database for one query: reads come from its replica, if there is one that is
    /// reachable and not far behind. They may miss recent writes, so use this only for the fields of a
    /// query.
    pub fn for_query(&self) -> Self {
        self.for_one(Reads::Replica)
    }

    /// Returns the same database for one request that reads from the primary.
    pub fn for_request(&self) -> Self {
        self.for_one(Reads::Primary)
    }

    fn for_one(&self, reads: Reads) -> Self {
        Self {
            shared: self.shared.clone(),
            reads,
            ongoing: Some(Arc::default()),
        }
    }

    /// Returns the replica, if reads currently come from it.
    pub fn replica_in_use(&self) -> Option<&Replica> {
        self.replica()
            .filter(|replica| self.reads == Reads::Replica && !replica.is_away())
    }

    /// Returns the replica, whether or not reads currently come from it.
    pub fn replica(&self) -> Option<&Replica> {
        self.shared
            .primary_and_replica()
            .map(|(_, replica)| replica)
    }

    /// Returns which kind of database this is.
    pub fn kind(&self) -> Kind {
        match self.shared.pools {
            Pools::Postgres { .. } => Kind::Postgres,
            Pools::Sqlite { .. } => Kind::Sqlite,
        }
    }

    /// Returns the state of each pool.
    pub fn pools(&self) -> Vec<PoolStatus> {
        let (read, write) = match &self.shared.pools {
            Pools::Postgres { read, write, .. } => (read.status(), write.status()),
            Pools::Sqlite { read, write } => (read.status(), write.status()),
        };
        let own = [
            PoolStatus::new("read", read),
            PoolStatus::new("write", write),
        ];
        let replica = self
            .replica()
            .map(|replica| PoolStatus::new("replica", replica.pool().status()));
        own.into_iter().chain(replica).collect()
    }

    /// Returns the count of statements sent so far.
    pub fn statements(&self) -> &Statements {
        &self.shared.statements
    }

    pub(super) fn announcements(&self) -> &Arc<Announcements> {
        &self.shared.announcements
    }

    /// Takes a connection that can only read. On PostgreSQL, overlapping reads of one request share a
    /// session: their statements are sent without waiting for one another's answers.
    ///
    /// # Errors
    /// `UNAVAILABLE` if no connection becomes available in time.
    pub fn read(&self) -> BoxFuture<'_, Result<Connection>> {
        // Boxed because it is large, and would be part of every future that reads.
        Box::pin(async {
            let inner = match &self.shared.pools {
                Pools::Postgres { read, replica, .. } => {
                    if let Some(replica) = replica {
                        replica.watch(|| Arc::downgrade(&self.shared));
                    }
                    let take = async {
                        match self.read_replica().await {
                            Some(conn) => Ok(conn),
                            None => get(read).await,
                        }
                    };
                    Inner::Postgres(match &self.ongoing {
                        Some(ongoing) => {
                            let patience = self.shared.options.acquire_timeout;
                            ongoing.join(Instant::now() + patience, take).await?
                        }
                        None => Arc::new(Session::new(take.await?)),
                    })
                }
                Pools::Sqlite { read, .. } => Inner::Sqlite(Session::new(get(read).await?)),
            };
            Ok(Connection::new(inner))
        })
    }

    async fn read_replica(&self) -> Option<Object<AsyncPgConnection>> {
        match self.reads {
            Reads::Primary => None,
            Reads::Replica => self.replica()?.get().await,
        }
    }

    /// Takes a connection to the primary. Outside of `db/`, writing requires a transaction.
    pub(super) fn write(&self) -> BoxFuture<'_, Result<Connection>> {
        // Boxed for the same reason as `read`.
        Box::pin(async {
            let inner = match &self.shared.pools {
                Pools::Postgres { write, .. } => {
                    Inner::Postgres(Arc::new(Session::new(get(write).await?)))
                }
                Pools::Sqlite { write, .. } => Inner::Sqlite(Session::new(get(write).await?)),
            };
            Ok(Connection::new(inner))
        })
    }

    /// Connects to the primary without Diesel, and without a limit on how long a statement may take.
    pub(super) async fn connect_bare(&self) -> Result<Client> {
        let settings = "-c statement_timeout=0";
        let connected = connect_postgres(self.shared.options.direct_url(), settings).await;
        let (client, wire) = connected.map_err(|error| Error::NoConnection(error.to_string()))?;
        // Ends with the client. Its errors are also reported by the statements that they affect.
        tokio::spawn(wire);
        Ok(client)
    }

    /// Connects to the primary outside of the pools, for work that holds a connection for long.
    pub(super) async fn establish_postgres(&self) -> Result<AsyncPgConnection> {
        let settings = settings(false, Duration::ZERO);
        establish_postgres(
            self.shared.options.direct_url(),
            &settings,
            self.shared.statements.clone(),
        )
        .await
        .map_err(|error| Error::NoConnection(error.to_string()))
    }
}

impl Shared {
    /// Returns the read pool of the primary, and the replica, if there is one.
    pub(super) fn primary_and_replica(&self) -> Option<(&Pool<AsyncPgConnection>, &Replica)> {
        match &self.pools {
            Pools::Postgres { read, replica, .. } => Some((read, replica.as_ref()?)),
            Pools::Sqlite { .. } => None,
        }
    }
}

pub(super) async fn get<C>(pool: &Pool<C>) -> Result<Object<C>>
where
    C: PoolableConnection + Send + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    pool.get().await.map_err(no_connection)
}

/// Returns the error for a pool that gave no connection.
pub(super) fn no_connection<E: Display>(error: PoolError<E>) -> Error {
    Error::NoConnection(match error {
        PoolError::Backend(error) => error.to_string(),
        error => error.to_string(),
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
    // By default, each checkout is tested with a query. Instead, a broken connection is noticed by its
    // first statement, and not reused.
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
