//! One connection to whichever database it is.

use anyhow::anyhow;
use diesel::{QueryResult, SqliteConnection};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Object;
use tokio::runtime::Handle;

use super::abandon::{abandon_postgres, abandon_sqlite};
use super::pool::Kind;
use super::sqlite::Sqlite;
use super::tally;
use crate::error::Result;

/// A pooled connection that can read. What writes takes a [`Transaction`](super::Transaction).
///
/// Where it is dropped in the middle of a statement, because whoever waited is gone or had their time,
/// the statement is stopped in the database, and nobody else gets the connection before that.
pub struct Connection {
    /// There until it is dropped.
    inner: Option<Inner>,
    kind: Kind,
    is_busy: bool,
    in_transaction: bool,
}

/// The two databases, for [`run!`].
#[allow(
    clippy::large_enum_variant,
    reason = "one is held at a time, and a box would cost each checkout an allocation"
)]
pub enum Inner {
    /// PostgreSQL.
    Postgres(Object<AsyncPgConnection>),
    /// SQLite.
    Sqlite(Object<Sqlite>),
}

impl Connection {
    pub(super) fn new(inner: Inner) -> Self {
        let kind = match &inner {
            Inner::Postgres(_) => Kind::Postgres,
            Inner::Sqlite(_) => Kind::Sqlite,
        };
        Self {
            inner: Some(inner),
            kind,
            is_busy: false,
            in_transaction: false,
        }
    }

    /// Which database it is to.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whichever database it is, for one statement; for [`run!`] and for the few helpers that differ.
    /// It counts as being in the middle of that until [`Connection::settle`] is called.
    pub fn inner(&mut self) -> &mut Inner {
        tally::add();
        self.is_busy = true;
        // Only dropping takes it.
        self.inner
            .as_mut()
            .expect("it is there until it is dropped")
    }

    /// Says that the statement is over, however it ended.
    pub fn settle(&mut self) {
        self.is_busy = false;
    }

    /// Runs `task` on the thread of a SQLite connection, for what Diesel has no asynchronous form of.
    ///
    /// # Errors
    /// Those of `task`; also where the connection is not to SQLite.
    pub(super) async fn on_sqlite<R: Send + 'static>(
        &mut self,
        task: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R> {
        let outcome = match self.inner() {
            Inner::Sqlite(conn) => Ok(conn.spawn_blocking(task).await),
            Inner::Postgres(_) => Err(anyhow!("this is done only on SQLite")),
        };
        self.settle();
        Ok(outcome??)
    }

    pub(super) fn set_in_transaction(&mut self, in_transaction: bool) {
        self.in_transaction = in_transaction;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else {
            return;
        };
        if !self.is_busy && !self.in_transaction {
            // Back to the pool.
            return;
        }
        let (is_busy, in_transaction) = (self.is_busy, self.in_transaction);
        match (Handle::try_current(), inner) {
            (Ok(runtime), Inner::Postgres(conn)) if is_busy => {
                runtime.spawn(abandon_postgres(conn));
            }
            (Ok(runtime), Inner::Sqlite(conn)) if is_busy => {
                runtime.spawn(abandon_sqlite(conn, in_transaction));
            }
            // A pool takes back what is dropped, transaction and all; what is taken out of it is
            // closed, and with that rolled back.
            (_, Inner::Postgres(conn)) => drop(Object::take(conn)),
            (_, Inner::Sqlite(conn)) => drop(Object::take(conn)),
        }
    }
}

/// Runs one Diesel expression on whichever database the connection is to, and gives its
/// `QueryResult`.
///
/// `run!(conn, users::table.find(id).first(conn).await)`: inside the expression, the name given first is
/// the connection. The expression is compiled once for each database, and must not return early.
#[macro_export]
macro_rules! run {
    ($conn:ident, $query:expr) => {{
        let outcome = match $conn.inner() {
            $crate::db::Inner::Postgres($conn) => {
                let $conn = &mut **$conn;
                $query
            }
            $crate::db::Inner::Sqlite($conn) => {
                let $conn = &mut **$conn;
                $query
            }
        };
        $conn.settle();
        outcome
    }};
}
