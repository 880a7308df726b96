//! SQLite's statements: on a thread of each connection's own, and stopped when nobody waits for them any
//! more; those of short transactions in place.
//!
//! SQLite asks every so often whether to go on, on the thread that the statement runs on. Which job
//! that thread is at is known there without asking the connection, so that nothing is shared between
//! threads but a flag of each job's own.

use std::cell::RefCell;
use std::error::Error;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{ptr, thread};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use libsqlite3_sys::{
    SQLITE_DBCONFIG_ENABLE_QPSG, SQLITE_OK, sqlite3, sqlite3_api_routines, sqlite3_auto_extension,
    sqlite3_db_config, sqlite3_progress_handler,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task_local;

use super::statements::Statements;

/// A connection whose statements are stopped when nobody waits for them any more.
pub type Sqlite = SyncConnectionWrapper<SqliteConnection, Runner>;

/// After how many of its steps SQLite asks whether to go on: some tens of microseconds' worth.
const STEPS: c_int = 2_000;

/// For how long what a transaction does may keep a thread that serves requests. What comes after it in the
/// same transaction is run on the connection's thread.
const SHORT: Duration = Duration::from_millis(2);

/// What the connection that writes begins with. `busy_timeout` first: the statements after it may have
/// to wait for another process. A request that waits for one in vain is told so within 5 seconds, though it
/// has waited for the connection before.
pub const WRITER: &str = "PRAGMA busy_timeout = 2500; PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
/// What a connection that reads begins with.
pub const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; \
    PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;";

/// A connection to the file at that path.
pub fn establish_sqlite(
    url: &str,
    setup: &'static str,
    statements: &Statements,
) -> BoxFuture<'static, ConnectionResult<Sqlite>> {
    let (url, statements) = (url.to_owned(), statements.clone());
    let open = move || -> ConnectionResult<SqliteConnection> {
        let bad = |error: &str| ConnectionError::BadConnection(error.to_owned());
        prepare_connections().map_err(bad)?;
        let mut conn = SqliteConnection::establish(&url)?;
        conn.batch_execute(setup)
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        conn.set_instrumentation(statements);
        Ok(conn)
    };
    async move {
        let mut runner = Runner::get_runtime();
        match runner.spawn_blocking(open).await {
            Ok(opened) => Ok(Sqlite::with_runtime(opened?, runner)),
            Err(error) => Err(ConnectionError::BadConnection(error.to_string())),
        }
    }
    .boxed()
}

task_local! {
    /// Since when statements are run in place, where they are.
    static IN_PLACE: Option<Instant>;
}

/// Has the statements of `work` run on the thread that asks for them, for as long as it is [`SHORT`]. What
/// writes has the file for itself, and handing a statement to another thread takes longer than most
/// statements do. One that is run in place is not stopped when nobody waits for it any more.
pub async fn in_place<F: Future>(work: F) -> F::Output {
    match IN_PLACE.try_with(Option::is_none) {
        // Whoever is at leisure stays so.
        Ok(true) => work.await,
        Ok(false) | Err(_) => IN_PLACE.scope(Some(Instant::now()), work).await,
    }
}

/// Has what `work` does take its connection's thread after all, for what takes long.
pub async fn on_its_thread<F: Future>(work: F) -> F::Output {
    IN_PLACE.scope(None, work).await
}

fn is_in_place() -> bool {
    let is_short = |since: &Option<Instant>| since.is_some_and(|since| since.elapsed() < SHORT);
    IN_PLACE.try_with(is_short).unwrap_or(false)
}

thread_local! {
    /// Whether nobody waits any more for the job that this thread is at.
    static IS_ABANDONED: RefCell<Arc<AtomicBool>> = RefCell::default();
}

/// Has every connection that is opened from now on ask whether to go on, and plan a statement once. May
/// be called again.
///
/// # Errors
/// Where there is no memory left.
fn prepare_connections() -> Result<(), &'static str> {
    // SAFETY: `install` is a function of the signature that SQLite calls it by, and there for as long
    // as the process. SQLite guards its list with a lock, and keeps each entry once.
    match unsafe { sqlite3_auto_extension(Some(install)) } {
        SQLITE_OK => Ok(()),
        _ => Err("SQLite has no memory left"),
    }
}

/// Called by SQLite for each connection, while it is being opened.
unsafe extern "C" fn install(
    connection: *mut sqlite3,
    _: *mut *mut c_char,
    _: *const sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite passes the connection that it is opening, which nobody else has yet. The handler
    // is there for as long as the process, and is given no pointer that could end before it.
    unsafe { sqlite3_progress_handler(connection, STEPS, Some(is_abandoned), ptr::null_mut()) };
    // Without it, where the database has been analyzed, a statement is parsed and planned anew whenever
    // what it compares an indexed column with changes, which takes longer than to run it.
    // https://sqlite.org/queryplanner-ng.html#qpsg
    // SAFETY: as above; this setting takes an integer and a place for the answer, which may be null.
    unsafe {
        sqlite3_db_config(
            connection,
            SQLITE_DBCONFIG_ENABLE_QPSG,
            1 as c_int,
            ptr::null_mut::<c_int>(),
        )
    }
}

/// Called by SQLite on the thread that a statement runs on. Anything but 0 ends the statement with an
/// error. Reads a flag and calls nothing that could panic.
unsafe extern "C" fn is_abandoned(_: *mut c_void) -> c_int {
    let is_abandoned = IS_ABANDONED.try_with(|flag| {
        let flag = flag.try_borrow();
        flag.is_ok_and(|flag| flag.load(Ordering::Relaxed))
    });
    is_abandoned.unwrap_or(false).into()
}

/// Runs the jobs of one connection, one after the other, on a thread of its own that ends with it, or
/// [in place](in_place). A job whose future is dropped is stopped, or not begun.
pub struct Runner {
    jobs: mpsc::UnboundedSender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl SpawnBlocking for Runner {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        let panicked = |_| "what was done on SQLite panicked".into();
        if is_in_place() {
            let outcome = catch_unwind(AssertUnwindSafe(task));
            return ready(outcome.map_err(panicked)).boxed();
        }
        let (reply, answer) = oneshot::channel();
        let waiter = Waiter::default();
        let is_abandoned = Arc::clone(&waiter.is_gone);
        let job = move || {
            if is_abandoned.load(Ordering::Relaxed) {
                return;
            }
            IS_ABANDONED.set(is_abandoned);
            // The thread is there for the next job as well.
            let outcome = catch_unwind(AssertUnwindSafe(task));
            // Nobody may be waiting any more.
            let _ = reply.send(outcome);
        };
        let sent = self.jobs.send(Box::new(job));
        let outcome = async move {
            let _waiter = waiter;
            sent.map_err(|_| "SQLite's connection has no thread")?;
            let outcome = answer.await?;
            outcome.map_err(panicked)
        };
        outcome.boxed()
    }

    fn get_runtime() -> Self {
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        // Where there can be no thread, nobody receives the jobs, and each fails to be sent.
        let _ = thread::Builder::new()
            .name("sqlite".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job();
                }
            });
        Self { jobs }
    }
}

/// Whoever waits for a job.
#[derive(Default)]
struct Waiter {
    is_gone: Arc<AtomicBool>,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use libsqlite3_sys::{
        SQLITE_DONE, SQLITE_STMTSTATUS_REPREPARE, sqlite3_bind_int, sqlite3_close, sqlite3_exec,
        sqlite3_finalize, sqlite3_open, sqlite3_prepare_v2, sqlite3_reset, sqlite3_step,
        sqlite3_stmt_status,
    };

    use super::*;

    #[test]
    fn what_is_looked_for_does_not_have_a_statement_planned_anew() {
        prepare_connections().unwrap();
        // SAFETY: one thread, and nothing is used after it was closed.
        unsafe {
            let mut connection = ptr::null_mut();
            assert_eq!(
                sqlite3_open(c":memory:".as_ptr(), &mut connection),
                SQLITE_OK
            );
            // By what is known of a table's values, the one looked for tells which plan is best.
            let table = c"CREATE TABLE t (a INTEGER); CREATE INDEX i ON t (a); \
                INSERT INTO t VALUES (-1), (-2), (-3); ANALYZE"
                .as_ptr();
            let made = sqlite3_exec(connection, table, None, ptr::null_mut(), ptr::null_mut());
            assert_eq!(made, SQLITE_OK);
            let mut statement = ptr::null_mut();
            let query = c"SELECT a FROM t WHERE a > ?".as_ptr();
            let prepared =
                sqlite3_prepare_v2(connection, query, -1, &mut statement, ptr::null_mut());
            assert_eq!(prepared, SQLITE_OK);
            for a in 0..3 {
                assert_eq!(sqlite3_bind_int(statement, 1, a), SQLITE_OK);
                assert_eq!(sqlite3_step(statement), SQLITE_DONE);
                assert_eq!(sqlite3_reset(statement), SQLITE_OK);
            }
            assert_eq!(
                sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0),
                0
            );
            assert_eq!(sqlite3_finalize(statement), SQLITE_OK);
            assert_eq!(sqlite3_close(connection), SQLITE_OK);
        }
    }

    #[tokio::test]
    async fn a_job_that_panics_fails_and_the_next_one_is_run() {
        let mut runner = Runner::get_runtime();
        let panicked = runner.spawn_blocking(|| panic!("on purpose"));
        let outcome: Result<(), _> = panicked.await;
        assert!(outcome.is_err());
        assert_eq!(runner.spawn_blocking(|| 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn jobs_are_done_in_place_while_that_is_short() {
        let here = thread::current().id();
        let mut runner = Runner::get_runtime();
        let mut ask = async || runner.spawn_blocking(|| thread::current().id()).await;
        assert_ne!(ask().await.unwrap(), here);
        let since = in_place(async { IN_PLACE.get() }).await.unwrap();
        // Long enough for any machine.
        let just_now = Some(since + Duration::from_mins(1));
        assert_eq!(IN_PLACE.scope(just_now, ask()).await.unwrap(), here);
        let long_ago = since.checked_sub(SHORT);
        assert_ne!(IN_PLACE.scope(long_ago, ask()).await.unwrap(), here);
        let asked = IN_PLACE.scope(just_now, on_its_thread(ask()));
        assert_ne!(asked.await.unwrap(), here);
        // A transaction of whoever is at leisure.
        assert_ne!(on_its_thread(in_place(ask())).await.unwrap(), here);
    }

    #[tokio::test]
    async fn a_job_that_panics_in_place_fails() {
        let mut runner = Runner::get_runtime();
        let work = async { runner.spawn_blocking(|| panic!("on purpose")).await };
        let outcome: Result<(), _> = in_place(work).await;
        assert!(outcome.is_err());
    }

    #[tokio::test]
    async fn a_job_that_nobody_waits_for_is_not_begun() {
        let mut runner = Runner::get_runtime();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let first = runner.spawn_blocking(move || gate.recv());
        let (begin, has_begun) = std::sync::mpsc::channel();
        drop(runner.spawn_blocking(move || begin.send(())));
        open.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert!(has_begun.recv().is_err());
    }
}
