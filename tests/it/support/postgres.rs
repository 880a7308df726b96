//! PostgreSQL for tests: an empty database for each test, or a copy of a template.
//!
//! The server is the one at `TEST_DATABASE_URL` (as a superuser, without TLS), or else a throw-away
//! cluster made from the installed binaries and shared by all test processes, see [`cluster`]. If there
//! is neither, tests get `None` and a notice is printed; with `CI=true` they fail.

mod cluster;
mod own;
mod tools;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::OnceLock;
use std::time::Duration;

use tokio_postgres::{Client, NoTls};
use url::Url;
use uuid::Uuid;

use super::port;
use cluster::{Cluster, Failure};

pub use own::OwnCluster;

/// The database of one test, dropped with this guard, even if clients are still connected to it.
pub struct TestDatabase {
    admin: Url,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Returns the URL for connecting as a superuser: `postgres://user:password@host:port/database`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // In its own thread, because blocking on a runtime is impossible from within another one.
        // Joined, because the test process may end right after this and take the thread with it.
        let (admin, name) = (self.admin.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let drop = async {
                    try_connect(&admin)
                        .await?
                        .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                        .await
                };
                // Best effort: whatever is left over disappears with a throw-away cluster.
                let _ = tokio::time::timeout(Duration::from_secs(10), drop).await;
            });
            std::io::Result::Ok(())
        });
        let _ = dropping.join();
    }
}

/// Creates an empty database. `None` if there is no PostgreSQL to test with.
///
/// # Panics
///
/// If PostgreSQL fails, or is missing while `CI=true`.
pub async fn database() -> Option<TestDatabase> {
    let admin = server().await?;
    let name = fresh_name();
    let client = connect(admin).await;
    execute(&client, &format!("CREATE DATABASE {name}")).await;
    Some(test_database(admin, name))
}

/// Creates a copy of the database `template_<name>`. The first caller creates the template: `prepare`
/// fills it, given its URL. `None` if there is no PostgreSQL to test with.
///
/// A template outlives the process and, on a server at `TEST_DATABASE_URL`, the test run. Its name must
/// change with what `prepare` does: include a hash of the migrations. The name is at most 40 characters
/// of `a-z 0-9 _`.
///
/// # Panics
///
/// As [`database`], and if `prepare` panics, in which case the next caller prepares the template again.
pub async fn from_template(name: &str, prepare: impl AsyncFnOnce(&str)) -> Option<TestDatabase> {
    assert!(
        (1..=40).contains(&name.len())
            && name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')),
        "{name:?} is no name for a template"
    );
    let admin = server().await?;
    let template = format!("template_{name}");
    let client = connect(admin).await;
    if !exists(&client, &template).await {
        build_template(admin, &client, &template, prepare).await;
    }
    let database = fresh_name();
    execute(
        &client,
        &format!("CREATE DATABASE {database} TEMPLATE {template}"),
    )
    .await;
    Some(test_database(admin, database))
}

/// Builds a template under another name and renames it when it is complete, so that nobody sees an
/// incomplete template, even if a process dies while building it.
async fn build_template(
    admin: &Url,
    client: &Client,
    template: &str,
    prepare: impl AsyncFnOnce(&str),
) {
    // The server's own lock works across threads, processes and machines, and is released when the
    // connection ends, so that nobody waits for a dead process.
    let mut hasher = DefaultHasher::new();
    template.hash(&mut hasher);
    let key = hasher.finish().cast_signed();
    execute(client, &format!("SELECT pg_advisory_lock({key})")).await;
    if !exists(client, template).await {
        let draft = format!("draft_{template}");
        execute(
            client,
            &format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"),
        )
        .await;
        execute(client, &format!("CREATE DATABASE {draft}")).await;
        prepare(&url_of(admin, &draft)).await;
        // Connections that `prepare` has closed may linger for a moment, and a database can only be
        // renamed and copied while nobody is connected to it.
        let settle = format!(
            "ALTER DATABASE {draft} WITH ALLOW_CONNECTIONS false;
             SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{draft}'"
        );
        execute(client, &settle).await;
        execute(
            client,
            &format!("ALTER DATABASE {draft} RENAME TO {template}"),
        )
        .await;
    }
    execute(client, &format!("SELECT pg_advisory_unlock({key})")).await;
}

async fn exists(client: &Client, database: &str) -> bool {
    client
        .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&database])
        .await
        .expect("PostgreSQL lists its databases")
        .is_some()
}

async fn execute(client: &Client, statement: &str) {
    if let Err(error) = client.batch_execute(statement).await {
        panic!("{statement}: {error:?}");
    }
}

async fn connect(admin: &Url) -> Client {
    try_connect(admin)
        .await
        .unwrap_or_else(|error| panic!("PostgreSQL for tests does not answer: {error:?}"))
}

/// Opens a new connection for each use: a client belongs to the runtime that created it, and each test
/// has its own.
async fn try_connect(admin: &Url) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(admin.as_str(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn fresh_name() -> String {
    format!("t_{}", Uuid::now_v7().simple())
}

fn test_database(admin: &Url, name: String) -> TestDatabase {
    TestDatabase {
        admin: admin.clone(),
        url: url_of(admin, &name),
        name,
    }
}

fn url_of(admin: &Url, database: &str) -> String {
    let mut url = admin.clone();
    url.set_path(database);
    url.into()
}

/// Returns the server for creating databases, found or started once per process.
async fn server() -> Option<&'static Url> {
    static SERVER: OnceLock<Result<Server, Failure>> = OnceLock::new();
    // Off the runtime's threads: starting a cluster, or waiting for another process to do so, takes
    // seconds.
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(find_server))
        .await
        .expect("looking for PostgreSQL does not panic");
    match server {
        Ok(Server::Given(url)) => Some(url),
        Ok(Server::Started(cluster)) => Some(cluster.url()),
        Err(Failure::Missing(why)) if std::env::var("CI").as_deref() == Ok("true") => {
            panic!("CI=true, and there is no PostgreSQL to test with: {why}")
        }
        Err(Failure::Missing(_)) => None,
        // A test that is silently skipped is worse than one that fails.
        Err(Failure::Broken(why)) => panic!("PostgreSQL for tests does not start: {why}"),
    }
}

enum Server {
    Given(Url),
    Started(Cluster),
}

fn find_server() -> Result<Server, Failure> {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) if !url.is_empty() => {
            return Url::parse(&url)
                .map(Server::Given)
                .map_err(|error| Failure::Broken(format!("TEST_DATABASE_URL: {error}")));
        }
        _ => {}
    }
    let cluster = cluster::join_or_start();
    if let Err(Failure::Missing(why)) = &cluster {
        let notice =
            format!("PostgreSQL was NOT tested: {why}. Install it, or set TEST_DATABASE_URL.");
        let line = "=".repeat(notice.len());
        // Not `eprintln!`, whose output the test harness hides unless the test fails.
        let _ = std::io::stderr().write_all(format!("\n{line}\n{notice}\n{line}\n").as_bytes());
    }
    cluster.map(Server::Started)
}

#[tokio::test]
async fn a_database_is_empty_its_own_and_dropped_in_the_end() {
    let Some(one) = database().await else { return };
    let other = database().await.expect("there is a server");
    let url = |database: &TestDatabase| Url::parse(database.url()).expect("a URL");
    let client = connect(&url(&one)).await;
    execute(&client, "CREATE TABLE mine (id int)").await;
    assert!(
        connect(&url(&other))
            .await
            .query("SELECT * FROM mine", &[])
            .await
            .is_err()
    );

    let (name, admin) = (one.name.clone(), one.admin.clone());
    drop(one);
    assert!(!exists(&connect(&admin).await, &name).await);
    assert!(client.query("SELECT 1", &[]).await.is_err());
}

#[tokio::test]
async fn a_template_is_prepared_once_and_a_half_made_one_again() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    if server().await.is_none() {
        return;
    }
    let name = fresh_name();
    let half = tokio::spawn({
        let name = name.clone();
        async move { from_template(&name, async |_| panic!("half made")).await }
    });
    assert!(half.await.is_err());

    let times = AtomicUsize::new(0);
    let copy = || {
        from_template(&name, async |url| {
            times.fetch_add(1, Ordering::SeqCst);
            let client = connect(&Url::parse(url).expect("a URL")).await;
            execute(
                &client,
                "CREATE TABLE t (id int); INSERT INTO t VALUES (42)",
            )
            .await;
        })
    };
    let (one, other) = tokio::join!(copy(), copy());
    assert_eq!(times.load(Ordering::SeqCst), 1);
    for copy in [one, other].into_iter().flatten() {
        let client = connect(&Url::parse(copy.url()).expect("a URL")).await;
        let rows = client
            .query("DELETE FROM t RETURNING id", &[])
            .await
            .expect("a copied table");
        assert_eq!(rows[0].get::<_, i32>(0), 42);
    }
    // A server at `TEST_DATABASE_URL` remains: leave nothing there.
    let client = connect(server().await.expect("there is a server")).await;
    execute(&client, &format!("DROP DATABASE template_{name}")).await;
}
