//! `tenantry check`: a line for each thing that a server needs.

use std::process::{Command, Output};

use rstest::rstest;

use crate::support::process::Program;
use crate::support::slow::{connect_to, execute};
use crate::support::smtp::SmtpAddress;
use crate::support::{Database, Postgres, Sqlite};

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the program can be run")
}

/// What is said of a subject.
fn line(output: &Output, subject: &str) -> String {
    let said = said(output);
    let found = said.lines().find(|line| line[9..].starts_with(subject));
    found
        .unwrap_or_else(|| panic!("nothing is said of {subject} in {said}"))
        .to_owned()
}

fn assert_problem(output: &Output, subject: &str, says: &[&str]) {
    assert_eq!(output.status.code(), Some(1));
    let line = line(output, subject);
    assert!(line.starts_with("problem"), "{line}");
    for word in says {
        assert!(line.contains(word), "{word} is not in: {line}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_ready_has_no_problem(#[values(Sqlite, Postgres)] on: Database) {
    let home = Program::new(on).await;
    let migrated = home.run(&["migrate"]);
    assert!(migrated.status.success());
    let address = SmtpAddress::free().await;
    let server = address.listen().await;
    let mut command = home.command(&["check"]);
    command
        .env("TENANTRY_MAIL__SMTP_URL", address.url().expose())
        .env("TENANTRY_PROVIDERS__MISTRAL__API_KEY", "secret-key");
    let output = tokio::task::spawn_blocking(move || run(&mut command)).await;
    let output = output.expect("the program can be run");
    drop(server);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(output.stderr.is_empty());
    assert!(said(&output).lines().all(|line| line.starts_with("ok ")));
    let database = match &home.database {
        Some(_) => "PostgreSQL",
        None => "SQLite",
    };
    assert!(line(&output, "database").contains(database));
    assert!(line(&output, "migrations").contains("up to date"));
    assert!(line(&output, "mail").contains("answers"));
    let providers = line(&output, "providers");
    assert!(providers.contains("a key for mistral; none for openai"));
    assert!(!said(&output).contains("secret-key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_on_which_nothing_ran_yet_has_no_problem_and_gets_no_database() {
    let home = Program::new(Sqlite).await;
    let output = home.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(line(&output, "mail").contains("no server is configured"));
    assert!(line(&output, "providers").contains("none has a key"));
    assert!(!home.folder.path().join("data/tenantry.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_problem_is_told_with_what_to_do_about_it() {
    let home = Program::new(Sqlite).await;
    let with = |name: &str, value: &str| run(home.command(&["check"]).env(name, value));

    let output = with("TENANTRY_HTTP__PROT", "1");
    assert_problem(&output, "configuration", &["http.port"]);

    let url = "postgres://someone:hunter2@127.0.0.1:1/none";
    let output = with("DATABASE_URL", url);
    assert_problem(&output, "database", &["DATABASE_URL"]);
    assert_problem(&output, "migrations", &["without the database"]);
    assert!(line(&output, "mail").starts_with("ok"), "the others go on");
    assert!(!said(&output).contains("hunter2"));
    let error = String::from_utf8(output.stderr.clone()).expect("text");
    assert_eq!(error, "tenantry: there are 2 problems\n");

    let address = SmtpAddress::free().await;
    let output = with("TENANTRY_MAIL__SMTP_URL", address.url().expose());
    assert_problem(&output, "mail", &["TENANTRY_MAIL__SMTP_URL"]);

    let file = home.folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let output = with("TENANTRY_DATA_DIR", &file.join("x").display().to_string());
    assert_problem(&output, "data directory", &["TENANTRY_DATA_DIR"]);

    let broken = home.folder.path().join("broken.db");
    std::fs::write(&broken, "This is no database. ".repeat(100)).expect("a file");
    let output = with("DATABASE_URL", &format!("sqlite://{}", broken.display()));
    assert_problem(&output, "database", &["backup"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_bounds_behind_a_pooler_is_told_of(#[values(Postgres)] on: Database) {
    let home = Program::new(on).await;
    let Some(database) = &home.database else {
        return;
    };
    let behind = |url: &str| {
        let mut command = home.command(&["check"]);
        run(command
            .env("DATABASE_URL", url)
            .env("DATABASE_LISTEN_URL", database.url()))
    };
    let output = behind(database.url());
    assert_problem(&output, "database", &["ALTER ROLE", "statement_timeout"]);
    let separator = if database.url().contains('?') {
        '&'
    } else {
        '?'
    };
    let bounded = format!(
        "{}{separator}options=-c%20statement_timeout%3D15s",
        database.url()
    );
    assert_eq!(behind(&bounded).status.code(), Some(0));
    assert_eq!(
        home.run(&["check"]).status.code(),
        Some(0),
        "it says so itself"
    );
}

/// The machine need not know another language: the database says that it speaks one.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_speak_english_is_told_of(#[values(Postgres)] on: Database) {
    let home = Program::new(on).await;
    let Some(database) = &home.database else {
        return;
    };
    assert!(line(&home.run(&["check"]), "messages").starts_with("ok"));
    let says = "CREATE SCHEMA said;
        CREATE FUNCTION said.current_setting(text) RETURNS text LANGUAGE sql AS $$
            SELECT CASE $1 WHEN 'lc_messages' THEN 'de_DE.UTF-8' ELSE pg_catalog.current_setting($1) END
        $$;
        DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I SET search_path = said, pg_catalog, public', current_database());
        END $$";
    execute(&connect_to(database.url()).await, says).await;
    let says = ["de_DE.UTF-8", "ALTER ROLE postgres SET lc_messages = 'C'"];
    assert_problem(&home.run(&["check"]), "messages", &says);
    let log = home.folder.path().join("log");
    home.serve_logging(&log).kill();
    let log = std::fs::read_to_string(log).expect("a log");
    let warned = log.lines().find(|line| line.contains(" WARN "));
    let warned = warned.unwrap_or_else(|| panic!("nothing is told in {log}"));
    assert!(says.iter().all(|word| warned.contains(word)), "{warned}");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_that_are_missing_or_unknown_are_told() {
    let home = Program::new(Sqlite).await;
    assert!(home.run(&["migrate"]).status.success());
    let file = home.folder.path().join("data/tenantry.db");
    let execute = |sql: &str| {
        let url = file.to_str().expect("text");
        let mut conn: diesel::SqliteConnection =
            diesel::Connection::establish(url).expect("a database");
        diesel::connection::SimpleConnection::batch_execute(&mut conn, sql).expect("SQL");
    };
    execute("DELETE FROM __diesel_schema_migrations");
    let output = home.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "the server runs them");
    let output = run(home
        .command(&["check"])
        .env("TENANTRY_DATABASE__AUTO_MIGRATE", "false"));
    assert_problem(&output, "migrations", &["tenantry migrate"]);
    execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    assert_problem(
        &home.run(&["check"]),
        "migrations",
        &["29990101000000", "newer"],
    );
}
