//! Database sessions: taken from a pool, and given back or closed when nobody needs them any more.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Object;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::prepared::Prepared;
use super::sqlite::Sqlite;
use crate::error::{Error, Result};

/// A session that returns to its pool when dropped. One with an open transaction is closed instead, and
/// one in the middle of a statement stops that first.
pub struct Session<C: Pooled> {
    /// Present until the session is dropped.
    conn: Option<C>,
    has_left: AtomicBool,
    in_transaction: AtomicBool,
}

/// A PostgreSQL session. Those who share it pipeline their statements: nobody waits for the answers to
/// the others' statements.
pub type PgSession = Session<Object<AsyncPgConnection>>;

impl PgSession {
    /// Returns the session for running the program's own statements.
    pub fn prepared(&self) -> Prepared<'_> {
        Prepared(self)
    }
}

/// A SQLite session.
pub type SqliteSession = Session<Object<Sqlite>>;

/// A connection that belongs to a pool.
pub trait Pooled: DerefMut + Send + 'static {
    /// Makes the database stop the running statement, and keeps the connection from others until it has.
    fn abandon(self, in_transaction: bool) -> impl Future<Output = ()> + Send;

    /// Closes the connection, so that another one may take its place in the pool.
    fn close(self);
}

impl<C: Pooled> Session<C> {
    pub(super) fn new(conn: C) -> Self {
        Self {
            conn: Some(conn),
            has_left: AtomicBool::new(false),
            in_transaction: AtomicBool::new(false),
        }
    }

    /// Records that nobody waits any more for a statement that was sent.
    pub(super) fn leave(&self) {
        self.has_left.store(true, Ordering::Relaxed);
    }

    pub(super) fn set_in_transaction(&self, in_transaction: bool) {
        self.in_transaction.store(in_transaction, Ordering::Relaxed);
    }
}

impl<C: Pooled> Deref for Session<C> {
    type Target = C::Target;

    fn deref(&self) -> &C::Target {
        // Only `drop` takes it.
        self.conn.as_ref().expect("it is there until it is dropped")
    }
}

impl<C: Pooled> DerefMut for Session<C> {
    fn deref_mut(&mut self) -> &mut C::Target {
        // Only `drop` takes it.
        self.conn.as_mut().expect("it is there until it is dropped")
    }
}

impl<C: Pooled> Drop for Session<C> {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else {
            return;
        };
        let (has_left, in_transaction) = (*self.has_left.get_mut(), *self.in_transaction.get_mut());
        if !has_left && !in_transaction {
            // Returns to the pool.
            return;
        }
        match Handle::try_current() {
            Ok(runtime) if has_left => {
                runtime.spawn(conn.abandon(in_transaction));
            }
            // A pool takes back what is dropped, open transaction included; what is taken out of the
            // pool is closed, which rolls the transaction back.
            _ => conn.close(),
        }
    }
}

/// The session that the reads of one request share while any of them is running. Statements sent
/// together wake PostgreSQL once, and however many there are, they occupy one session.
#[derive(Default)]
pub struct Ongoing(Mutex<Weak<PgSession>>);

impl Ongoing {
    /// Returns the ongoing session, or else the one that `take` yields.
    ///
    /// # Errors
    /// As `take`; `UNAVAILABLE` if there is no session by the deadline.
    pub(super) async fn join(
        &self,
        deadline: Instant,
        take: impl Future<Output = Result<Object<AsyncPgConnection>>>,
    ) -> Result<Arc<PgSession>> {
        let too_late =
            |_| Error::NoConnection("no database connection became free in time".to_owned());
        // Held while a session is taken, so that whoever comes meanwhile waits for the same one.
        let ongoing = timeout_at(deadline, self.0.lock()).await;
        let mut ongoing = ongoing.map_err(too_late)?;
        if let Some(session) = ongoing.upgrade() {
            return Ok(session);
        }
        let taken = timeout_at(deadline, take).await.map_err(too_late)?;
        let session = Arc::new(Session::new(taken?));
        *ongoing = Arc::downgrade(&session);
        Ok(session)
    }
}
