//! How SQLite runs statements: on a thread per connection, and stopped when nobody waits for them any
//! more; those of short transactions in place.
//!
//! SQLite regularly calls back, on the thread that runs the statement, to ask whether to go on. The
//! thread itself knows which job it is running, without asking the connection, so all that threads share
//! is one flag per job.

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

/// After how many of its virtual machine's steps SQLite asks whether to go on: some tens of
/// microseconds.
const STEPS: c_int = 2_000;

/// How long a transaction's statements may occupy a thread that serves requests. Later statements of the
/// same transaction run on the connection's thread.
const SHORT: Duration = Duration::from_millis(2);

/// The setup of the writing connection. `busy_timeout` comes first, as the statements after it may have
/// to wait for another process. A request that waits in vain for one gets its error within 5 seconds,
/// even though it has waited for the connection before.
pub const WRITER: &str = "PRAGMA busy_timeout = 2500; PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
/// The setup of a reading connection.
pub const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; \
    PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;";

/// Opens a connection to the file at `url` and runs `setup` on it.
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
    /// When the work that runs statements in place began; `None` for work that uses the connection's
    /// thread.
    static IN_PLACE: Option<Instant>;
}

/// Runs the statements of `work` on the thread that asks for them, until [`SHORT`] has passed. A writing
/// transaction has the file to itself, and handing a statement to another thread takes longer than most
/// statements do. A statement that runs in place is not stopped when nobody waits for it any more.
pub async fn in_place<F: Future>(work: F) -> F::Output {
    match IN_PLACE.try_with(Option::is_none) {
        // Inside `on_its_thread`, statements stay on the connection's thread.
        Ok(true) => work.await,
        Ok(false) | Err(_) => IN_PLACE.scope(Some(Instant::now()), work).await,
    }
}

/// Runs the statements of `work` on the connection's thread even inside [`in_place`], for work that
/// takes long.
pub async fn on_its_thread<F: Future>(work: F) -> F::Output {
    IN_PLACE.scope(None, work).await
}

fn is_in_place() -> bool {
    let is_short = |since: &Option<Instant>| since.is_some_and(|since| since.elapsed() < SHORT);
    IN_PLACE.try_with(is_short).unwrap_or(false)
}

thread_local! {
    /// Whether nobody waits any more for the job that this thread is running.
    static IS_ABANDONED: RefCell<Arc<AtomicBool>> = RefCell::default();
}

/// Makes every connection opened from now on ask whether to go on, and plan each statement only once.
/// May be called again.
///
/// # Errors
/// If there is no memory left.
fn prepare_connections() -> Result<(), &'static str> {
    // SAFETY: `install` has the signature that SQLite calls it with, and lives as long as the process.
    // SQLite guards its list with a lock, and keeps each entry once.
    match unsafe { sqlite3_auto_extension(Some(install)) } {
        SQLITE_OK => Ok(()),
        _ => Err("SQLite is out of memory"),
    }
}

/// Called by SQLite for each connection while it is being opened.
unsafe extern "C" fn install(
    connection: *mut sqlite3,
    _: *mut *mut c_char,
    _: *const sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite passes the connection that it is opening, which nobody else has yet. The handler
    // lives as long as the process, and gets no pointer that could dangle.
    unsafe { sqlite3_progress_handler(connection, STEPS, Some(is_abandoned), ptr::null_mut()) };
    // Without this setting, once the database has been analyzed, a statement is parsed and planned again
    // whenever a value that it compares an indexed column with changes, which takes longer than running
    // it.
    // https://sqlite.org/queryplanner-ng.html#qpsg
    // SAFETY: as above; this setting takes an integer and a pointer for the answer, which may be null.
    unsafe {
        sqlite3_db_config(
            connection,
            SQLITE_DBCONFIG_ENABLE_QPSG,
            1 as c_int,
            ptr::null_mut::<c_int>(),
        )
    }
}

/// Called by SQLite on the thread that runs a statement. A result other than 0 ends the statement with
/// an error. Reads a flag and calls nothing that could panic.
unsafe extern "C" fn is_abandoned(_: *mut c_void) -> c_int {
    let is_abandoned = IS_ABANDONED.try_with(|flag| {
        let flag = flag.try_borrow();
        flag.is_ok_and(|flag| flag.load(Ordering::Relaxed))
    });
    is_abandoned.unwrap_or(false).into()
}

/// Runs the jobs of one connection one after the other, [in place](in_place) or on its own thread, which
/// ends with it. A job whose future is dropped is stopped, or never started.
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
        let panicked = |_| "a job on a SQLite connection panicked".into();
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
            // A panic must not end the thread, which is needed for the next job.
            let outcome = catch_unwind(AssertUnwindSafe(task));
            // Fails if nobody is waiting any more.
            let _ = reply.send(outcome);
        };
        let sent = self.jobs.send(Box::new(job));
        let outcome = async move {
            let _waiter = waiter;
            sent.map_err(|_| "the thread of a SQLite connection has ended")?;
            let outcome = answer.await?;
            outcome.map_err(panicked)
        };
        outcome.boxed()
    }

    fn get_runtime() -> Self {
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        // If no thread can be spawned, the receiver is dropped and sending a job fails.
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

/// Held by whoever waits for a job; dropping it abandons the job.
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
        // SAFETY: there is one thread, and nothing is used after it was closed.
        unsafe {
            let mut connection = ptr::null_mut();
            assert_eq!(
                sqlite3_open(c":memory:".as_ptr(), &mut connection),
                SQLITE_OK
            );
            // With statistics about the table's values, the value compared with decides which plan is
            // best.
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
        // A transaction inside `on_its_thread`.
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
