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

/// How many times in all a transaction that loses to another one is attempted.
const ATTEMPTS: u32 = 6;

/// A connection inside a writing transaction. Code that writes takes one, so that a write on a reader
/// does not compile.
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
    /// Runs `work` in one transaction on the primary: commits if it succeeds, and rolls back if it
    /// fails. If it loses to another transaction (a deadlock, a serialization failure, a referenced row
    /// that has since been deleted), it is run again from the start, a few times, so it must do nothing
    /// that a rollback cannot undo.
    ///
    /// # Errors
    /// As `work`; `UNAVAILABLE` if no connection is available, another process has locked SQLite's file,
    /// or the last attempt lost as well.
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
            // Another process has locked SQLite's file, and nobody else could write while we waited for
            // it. Retrying would report that only after many times as long.
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
                // The first error says more than that of a failed rollback, and a connection whose
                // transaction is still open is closed.
                if let Err(rollback) = transaction.rollback().await {
                    tracing::debug!(%rollback, "rollback failed");
                }
                Err(error)
            }
        }
    }
}

/// Checks whether the failure may be due to another transaction. A row that `work` refers to existed
/// when it looked, so if it is gone, looking again will show that.
fn has_lost(error: &Error) -> bool {
    error.is_contention() || error.is_foreign_key_violation()
}

type PgManager = AnsiTransactionManager;
type SqliteManager = <Sqlite as AsyncConnection>::TransactionManager;

impl Transaction {
    /// Announces `topic` to all listeners, in this process and in others, once the transaction is
    /// committed. A rolled back transaction announces nothing, and a retried one starts afresh.
    pub fn announce(&mut self, topic: Topic) {
        self.announced.insert(topic);
    }

    /// Like [`announce`](Transaction::announce), for all topics of `beside`, which is part of the same
    /// transaction.
    pub(super) fn announce_all(&mut self, beside: Self) {
        self.announced.extend(beside.announced);
    }

    /// Returns a second handle on the same transaction for concurrent work, or nothing if the database
    /// does not accept further statements before it has answered earlier ones.
    pub(super) fn beside(&self) -> Option<Self> {
        Some(Self {
            conn: self.conn.beside()?,
            announced: HashSet::new(),
        })
    }

    /// Makes PostgreSQL plan the following statements for their actual parameter values: for statements
    /// whose best plan depends on how many rows a value matches.
    ///
    /// # Errors
    /// Database errors only.
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
            // The stock `BEGIN` is deferred: of two transactions that have both read, only one could
            // then write, and waiting would not help the other.
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

/// Returns the session of a transaction for exclusive use.
fn own(session: &mut Arc<PgSession>) -> Result<&mut AsyncPgConnection> {
    let session = Arc::get_mut(session).context("a transaction shares its session")?;
    Ok(session)
}
