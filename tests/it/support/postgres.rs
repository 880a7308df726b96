//! PostgreSQL for tests: an empty database of its own for each test, or a copy of a template.
//!
//! The server is the one at `TEST_DATABASE_URL` (as a superuser, without TLS), else a throw-away
//! cluster made from the installed binaries and shared by all test processes, see [`cluster`].
//! Where there is neither, tests get `None` and the run says so loudly; with `CI=true` they fail.

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

/// A database of one test, dropped with this guard, whoever is still connected to it.
pub struct TestDatabase {
    admin: Url,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Where to connect, as a superuser: `postgres://user:password@host:port/database`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A thread of its own, because a runtime cannot be blocked on from within another. Waited
        // for, because a test process may end right after this and take the thread with it.
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
                // Best effort: whatever is left over ends with a throw-away cluster.
                let _ = tokio::time::timeout(Duration::from_secs(10), drop).await;
            });
            std::io::Result::Ok(())
        });
        let _ = dropping.join();
    }
}

/// A fresh, empty database, or `None` where there is no PostgreSQL to test with.
///
/// # Panics
///
/// If PostgreSQL is there and fails, and if it is not there while `CI=true`.
pub async fn database() -> Option<TestDatabase> {
    let admin = server().await?;
    let name = fresh_name();
    let client = connect(admin).await;
    execute(&client, &format!("CREATE DATABASE {name}")).await;
    Some(test_database(admin, name))
}

/// A copy of the database `template_<name>`, which `prepare` has filled, given its URL, the first
/// time anybody asked for it; `None` where there is no PostgreSQL to test with.
///
/// A template outlives the process, and on a server of `TEST_DATABASE_URL` the run. Its name has to
/// change with what `prepare` does: put a hash of the migrations into it. It is at most 40 of
/// `a-z 0-9 _`.
///
/// # Panics
///
/// As [`database`]; also when `prepare` does, in which case the next one to ask prepares anew.
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

/// Builds a template under another name and gives it its own when it is whole, so that a template
/// is never seen half made, even if a process dies over it.
async fn build_template(
    admin: &Url,
    client: &Client,
    template: &str,
    prepare: impl AsyncFnOnce(&str),
) {
    // The server's own lock: it serves threads, processes and machines, and is given back when the
    // connection ends, so that nobody waits for a process that died.
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
        // Connections that `prepare` has closed may take a moment to be gone, and renaming and
        // copying take a database that nobody is connected to.
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

/// A connection of its own for each use: a client lives in the runtime that made it, and every test
/// has another.
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

/// The server to make databases in, found or started once a process.
async fn server() -> Option<&'static Url> {
    static SERVER: OnceLock<Result<Server, Failure>> = OnceLock::new();
    // Off the runtime's threads: starting a cluster, or waiting for somebody else's, takes seconds.
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
        // A test that silently does not run is worse than one that fails.
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
        // Not `eprintln!`, which the test harness keeps for itself unless a test fails.
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
    // A server of `TEST_DATABASE_URL` stays: leave nothing there.
    let client = connect(server().await.expect("there is a server")).await;
    execute(&client, &format!("DROP DATABASE template_{name}")).await;
}
