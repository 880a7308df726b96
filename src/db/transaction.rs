//! Transactions: the only way to write.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncPgConnection, RunQueryDsl, TransactionManager,
};

use super::announce::Topic;
use super::connection::{Connection, Inner};
use super::options::Kind;
use super::pool::Db;
use super::session::PgSession;
use super::sqlite::{Sqlite, in_place};
use crate::error::{Error, Result};
use crate::run;

/// How often a transaction that lost to another one is tried in all.
const ATTEMPTS: u32 = 6;

/// A connection inside a writing transaction. Whatever writes takes one, so that a write on a
/// reader does not compile.
pub struct Transaction {
    conn: Connection,
    announced: HashSet<Topic>,
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.conn
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }
}

/// An async closure whose future can be bounded, which `AsyncFn` alone cannot on stable Rust.
pub trait Work<A, R>: AsyncFn(A) -> R + Fn(A) -> <Self as Work<A, R>>::Future {
    /// What the closure returns.
    type Future: Future<Output = R>;
}

impl<F, A, Fut, R> Work<A, R> for F
where
    F: AsyncFn(A) -> R + Fn(A) -> Fut,
    Fut: Future<Output = R>,
{
    type Future = Fut;
}

impl Db {
    /// Runs `work` in one transaction on the primary: all of it is kept where it succeeds, and none
    /// where it fails. Where it lost to another transaction (a deadlock, a serialization failure, a row
    /// that it refers to and that has gone meanwhile), it is run again from the start, a few times, so it
    /// must do nothing that a rollback cannot undo.
    ///
    /// # Errors
    /// Those of `work`; `UNAVAILABLE` where no connection can be had, another process has SQLite's file,
    /// or the last try lost as well.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'t> Work<&'t mut Transaction, Result<T>, Future: Send> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            let outcome = self.attempt(&work).await;
            match outcome {
                Err(error) if has_lost(&error) && attempt < ATTEMPTS => {
                    tracing::debug!(attempt, "transaction lost to another one; trying again");
                    tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt<T, F>(&self, work: &F) -> Result<T>
    where
        F: for<'t> Work<&'t mut Transaction, Result<T>, Future: Send>,
    {
        let mut transaction = Transaction {
            conn: self.write().await?,
            announced: HashSet::new(),
        };
        transaction.begin().await.map_err(|error| {
            // Another process has SQLite's file, and was waited for while nobody else could write. Whoever
            // began again would be told of it only after many times as long.
            if error.is_contention() {
                return Error::NoConnection(error.details());
            }
            error
        })?;
        let outcome = match transaction.kind() {
            Kind::Postgres => work(&mut transaction).await,
            Kind::Sqlite => in_place(work(&mut transaction)).await,
        };
        match outcome {
            Ok(value) => {
                transaction.commit().await?;
                self.announcements().announce(&transaction.announced);
                Ok(value)
            }
            Err(error) => {
                // The first error tells more than a rollback that fails with it, and a connection
                // whose transaction stayed open is closed.
                if let Err(rollback) = transaction.rollback().await {
                    tracing::debug!(%rollback, "rollback failed");
                }
                Err(error)
            }
        }
    }
}

/// Whether another transaction may be why it failed. What it refers to was there when it looked, so that it
/// finds out by looking again.
fn has_lost(error: &Error) -> bool {
    error.is_contention() || error.is_foreign_key_violation()
}

type PgManager = AnsiTransactionManager;
type SqliteManager = <Sqlite as AsyncConnection>::TransactionManager;

impl Transaction {
    /// Has the topic told to whoever listens, in this process and in others, once the transaction is
    /// committed. Nothing is told of one that is rolled back, and one that is tried again starts
    /// anew.
    pub fn announce(&mut self, topic: Topic) {
        self.announced.insert(topic);
    }

    /// As [`announce`](Transaction::announce), what was to be told of in the same transaction beside this.
    pub(super) fn announce_all(&mut self, beside: Self) {
        self.announced.extend(beside.announced);
    }

    /// The same transaction for what is done at the same time, where the database takes statements
    /// before it has answered others.
    pub(super) fn beside(&self) -> Option<Self> {
        Some(Self {
            conn: self.conn.beside()?,
            announced: HashSet::new(),
        })
    }

    /// Has PostgreSQL plan the statements that follow for the values that they come with: for those whose
    /// best plan depends on how much there is of something.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn plan_for_values(&mut self) -> Result<()> {
        let conn = &mut self.conn;
        if conn.kind() == Kind::Postgres {
            let set = "SET LOCAL plan_cache_mode = force_custom_plan";
            run!(conn, diesel::sql_query(set).execute(conn).await)?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<()> {
        self.conn.set_in_transaction(true);
        let begun = match self.conn.inner() {
            Inner::Postgres(session) => PgManager::begin_transaction(own(session)?).await,
            // The stock `BEGIN` is deferred: two transactions that have read could then not both
            // write, and no waiting helps.
            Inner::Sqlite(session) => {
                session
                    .spawn_blocking(|conn| {
                        diesel::connection::AnsiTransactionManager::begin_transaction_sql(
                            conn,
                            "BEGIN IMMEDIATE",
                        )
                    })
                    .await
            }
        };
        self.conn.settle();
        self.conn.set_in_transaction(begun.is_ok());
        Ok(begun?)
    }

    async fn commit(&mut self) -> Result<()> {
        let committed = match self.conn.inner() {
            Inner::Postgres(session) => PgManager::commit_transaction(own(session)?).await,
            Inner::Sqlite(session) => SqliteManager::commit_transaction(&mut **session).await,
        };
        self.conn.settle();
        self.conn.set_in_transaction(committed.is_err());
        Ok(committed?)
    }

    async fn rollback(&mut self) -> Result<(), Error> {
        let rolled_back = match self.conn.inner() {
            Inner::Postgres(session) => PgManager::rollback_transaction(own(session)?).await,
            Inner::Sqlite(session) => SqliteManager::rollback_transaction(&mut **session).await,
        };
        self.conn.settle();
        self.conn.set_in_transaction(rolled_back.is_err());
        Ok(rolled_back?)
    }
}

/// The session of a transaction, which is nobody else's.
fn own(session: &mut Arc<PgSession>) -> Result<&mut AsyncPgConnection> {
    let session = Arc::get_mut(session).context("a transaction shares its session")?;
    Ok(session)
}
