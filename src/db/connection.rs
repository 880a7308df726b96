//! A connection to either database.

use std::sync::Arc;

use anyhow::anyhow;
use diesel::{QueryResult, SqliteConnection};

use super::options::Kind;
use super::session::{PgSession, SqliteSession};
use super::sqlite::on_its_thread;
use super::tally;
use crate::error::Result;

/// A pooled connection that can read. Code that writes takes a [`Transaction`](super::Transaction).
///
/// If it is dropped in the middle of a statement, because the caller is gone or ran out of time, the
/// database stops the statement as soon as everybody else who shares the session is done, and nobody
/// else gets the session before that.
pub struct Connection {
    inner: Inner,
    is_busy: bool,
}

/// The connection by database, for [`run!`].
pub enum Inner {
    /// PostgreSQL. Other reads of the same request may share it.
    Postgres(Arc<PgSession>),
    /// SQLite.
    Sqlite(SqliteSession),
}

impl Connection {
    pub(super) fn new(inner: Inner) -> Self {
        Self {
            inner,
            is_busy: false,
        }
    }

    /// Returns a second connection on the same session, if several can use it at the same time.
    pub(super) fn beside(&self) -> Option<Self> {
        match &self.inner {
            Inner::Postgres(session) => Some(Self::new(Inner::Postgres(session.clone()))),
            Inner::Sqlite(_) => None,
        }
    }

    /// Returns which database this is.
    pub fn kind(&self) -> Kind {
        match &self.inner {
            Inner::Postgres(_) => Kind::Postgres,
            Inner::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// Returns the session for one statement; for [`run!`] and for the few helpers that differ by
    /// database. The connection counts as busy with the statement until [`Connection::settle`] is
    /// called.
    pub fn inner(&mut self) -> &mut Inner {
        tally::add();
        self.is_busy = true;
        &mut self.inner
    }

    /// Marks the statement as over, however it ended.
    pub fn settle(&mut self) {
        self.is_busy = false;
    }

    /// Runs `task` on the thread of a SQLite connection, for what Diesel has no asynchronous form of.
    ///
    /// # Errors
    /// As `task`; also if the connection is not to SQLite.
    pub(super) async fn on_sqlite<R: Send + 'static>(
        &mut self,
        task: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R> {
        let outcome = match self.inner() {
            // The call is inside the scope, because it alone may already run the task in place.
            Inner::Sqlite(conn) => {
                Ok(on_its_thread(async { conn.spawn_blocking(task).await }).await)
            }
            Inner::Postgres(_) => Err(anyhow!("not a connection to SQLite")),
        };
        self.settle();
        Ok(outcome??)
    }

    pub(super) fn set_in_transaction(&self, in_transaction: bool) {
        match &self.inner {
            Inner::Postgres(session) => session.set_in_transaction(in_transaction),
            Inner::Sqlite(session) => session.set_in_transaction(in_transaction),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_busy {
            match &self.inner {
                Inner::Postgres(session) => session.leave(),
                Inner::Sqlite(session) => session.leave(),
            }
        }
    }
}

/// Runs one Diesel expression on either database, and returns its `QueryResult`.
///
/// `run!(conn, users::table.find(id).first(conn).await)`: inside the expression, the first argument
/// names the connection. The expression is compiled once per database, and must not return early.
#[macro_export]
macro_rules! run {
    ($conn:ident, $query:expr) => {{
        let outcome = match $conn.inner() {
            $crate::db::Inner::Postgres($conn) => {
                let $conn = &mut $conn.prepared();
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
