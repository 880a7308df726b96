//! Sessions with a database: taken from a pool, and what becomes of them when nobody needs them any more.

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

/// A session that goes back to its pool when it is dropped; not so one whose transaction is open, which is
/// closed, nor one that is in the middle of a statement.
pub struct Session<C: Pooled> {
    /// There until it is dropped.
    conn: Option<C>,
    has_left: AtomicBool,
    in_transaction: AtomicBool,
}

/// A session with PostgreSQL. Those who share it send their statements one behind the other, and none of
/// them waits for the answers of the others.
pub type PgSession = Session<Object<AsyncPgConnection>>;

impl PgSession {
    /// The session for statements of the program's own.
    pub fn prepared(&self) -> Prepared<'_> {
        Prepared(self)
    }
}

/// A session with SQLite.
pub type SqliteSession = Session<Object<Sqlite>>;

/// A connection of a pool's.
pub trait Pooled: DerefMut + Send + 'static {
    /// Has the database stop the statement that it is at, and nobody else get it before that.
    fn abandon(self, in_transaction: bool) -> impl Future<Output = ()> + Send;

    /// Closes it: another one may take its place in the pool.
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

    /// Says that whoever waited for a statement does not any more.
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
        // Only dropping takes it.
        self.conn.as_ref().expect("it is there until it is dropped")
    }
}

impl<C: Pooled> DerefMut for Session<C> {
    fn deref_mut(&mut self) -> &mut C::Target {
        // Only dropping takes it.
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
            // Back to the pool.
            return;
        }
        match Handle::try_current() {
            Ok(runtime) if has_left => {
                runtime.spawn(conn.abandon(in_transaction));
            }
            // A pool takes back what is dropped, transaction and all; what is taken out of it is
            // closed, and with that rolled back.
            _ => conn.close(),
        }
    }
}

/// The session that the reads of one request share while any of them is under way. Sent together, they
/// wake PostgreSQL once, and however many they are, they hold one session.
#[derive(Default)]
pub struct Ongoing(Mutex<Weak<PgSession>>);

impl Ongoing {
    /// The session that is there, or the one that `take` gives, if it can be had by the deadline.
    pub(super) async fn join(
        &self,
        deadline: Instant,
        take: impl Future<Output = Result<Object<AsyncPgConnection>>>,
    ) -> Result<Arc<PgSession>> {
        let too_late = |_| Error::NoConnection("none became free in time".to_owned());
        // Held while one is taken, so that whoever comes meanwhile waits for the same one.
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
