//! Migrations: who runs them, over which connection, and what is said if they fail or are missing.

use std::fs;
use std::path::Path;

use rstest::rstest;

use crate::support::postgres::database;
use crate::support::process::{Program, Serving, assert_fails, text};
use crate::support::slow::{connect_to, execute};
use crate::support::{Database, Postgres, Sqlite, TestServer, until};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn migrate_brings_an_empty_database_up_to_date_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let mut home = Program::new(on).await;
    if home.database.is_some() {
        home.database = database().await;
    }
    let first = home.run(&["migrate"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let name = match &home.database {
        Some(database) => {
            let url = url::Url::parse(database.url()).expect("a URL");
            let port = url.port().unwrap_or(5432);
            format!(
                "{} at {}:{port}",
                &url.path()[1..],
                url.host().expect("a host")
            )
        }
        None => home
            .folder
            .path()
            .join("data/tenantry.db")
            .display()
            .to_string(),
    };
    let said = text(&first.stdout);
    assert!(said.starts_with("Brought the database"), "{said}");
    assert!(said.contains(&name), "{name} is not in {said}");
    let second = text(&home.run(&["migrate"]).stdout);
    assert!(
        second.ends_with(&format!("{name}) is up to date.\n")),
        "{second}"
    );
}

/// Longer than the time that statements otherwise wait for a lock.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_another_that_brings_the_database_up_to_date(
    #[values(Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let Some(url) = &server.app().config.database.url else {
        return;
    };
    let (other, looks) = (
        connect_to(url.expose()).await,
        connect_to(url.expose()).await,
    );
    execute(
        &other,
        "SELECT pg_advisory_lock(x'74656e616e747279'::bigint)",
    )
    .await;
    let migrating = async {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND wait_event = 'advisory' AND clock_timestamp() - query_start > interval '10.5 s'";
        until("the other waits for long", async || {
            let rows = looks.query_one(waits, &[]).await.expect("a count");
            rows.get::<_, i64>(0) == 1
        })
        .await;
        drop(other);
    };
    // `sibling` panics if the instance does not start.
    tokio::join!(server.sibling(), migrating);
}

/// The URL with settings for its sessions.
fn with_settings(url: &str, settings: &str) -> String {
    let mut url = url::Url::parse(url).expect("a URL");
    // PostgreSQL's URLs are not form-encoded: a space is %20.
    let query = settings.replace(' ', "%20").replace('=', "%3D");
    let query = format!("options={query}");
    let query = match url.query() {
        Some(rest) => format!("{rest}&{query}"),
        None => query,
    };
    url.set_query(Some(&query));
    url.into()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn migrations_do_not_go_through_a_pooler(#[values(Postgres)] on: Database) {
    let mut home = Program::new(on).await;
    if home.database.is_none() {
        return;
    }
    home.database = database().await;
    let url = home.database.as_ref().expect("PostgreSQL").url();
    // A connection that cannot create tables.
    let pooler = with_settings(url, "-c search_path=nowhere");
    let output = home
        .command(&["migrate"])
        .env("DATABASE_URL", &pooler)
        .env("DATABASE_LISTEN_URL", url)
        .output()
        .expect("the program can be run");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("Brought the database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_migrated_is_said_in_one_line() {
    let home = Program::new(Sqlite).await;
    let file = home.folder.path().join("data/tenantry.db");
    let url = format!("sqlite://{}", file.display());
    std::fs::create_dir_all(home.folder.path().join("data")).expect("a folder");
    std::fs::write(&file, "This is no database. ".repeat(100)).expect("a file");
    for arguments in [&[][..], &["migrate"]] {
        let output = home.command(arguments).env("DATABASE_URL", &url).output();
        assert_fails(&output.expect("the program can be run"), &["database"]);
    }
    // A database with someone else's tables.
    let file = home.folder.path().join("data/other.db");
    let mut conn = connect(&file);
    diesel::connection::SimpleConnection::batch_execute(&mut conn, "CREATE TABLE users (id int)")
        .expect("a table");
    let url = format!("sqlite://{}", file.display());
    for arguments in [&[][..], &["migrate"]] {
        let output = home.command(arguments).env("DATABASE_URL", &url).output();
        assert_fails(&output.expect("the program can be run"), &["database"]);
    }
}

fn connect(file: &Path) -> diesel::SqliteConnection {
    let url = file.to_str().expect("text");
    diesel::Connection::establish(url).expect("a database")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn migrations_that_are_missing_are_told_by_all(#[values(Sqlite, Postgres)] on: Database) {
    let mut home = Program::new(on).await;
    if home.database.is_some() {
        home.database = database().await;
    }
    let log = home.folder.path().join("log");
    let mut command = home.command(&[]);
    command.env("TENANTRY_DATABASE__AUTO_MIGRATE", "false");
    let log_file = fs::File::create(&log).expect("a file");
    let serving = Serving::start(command.stderr(log_file));
    let ready = reqwest::get(format!("{}/readyz", serving.url)).await;
    let ready = ready.expect("an answer");
    assert_eq!(ready.status(), 503);
    let said = ready.text().await.expect("text");
    assert_eq!(said, "migrations are missing\n");
    let log = fs::read_to_string(&log).expect("the log");
    let told: Vec<_> = log.lines().filter(|it| it.contains("migrate")).collect();
    assert_eq!(told.len(), 1, "{log}");
    for arguments in [
        &["organization", "set-plan", "rocket", "free"][..],
        &["seed"],
    ] {
        let mut command = home.command(arguments);
        command
            .env("TENANTRY_DATABASE__AUTO_MIGRATE", "false")
            .env("RUST_LOG", "error");
        let output = command.output().expect("the program can be run");
        assert_fails(&output, &["tenantry migrate"]);
    }
}
