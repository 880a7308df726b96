//! `tenantry check`: one line for each thing that a server needs.

use std::process::{Command, Output};

use rstest::rstest;
use tenantry::config::Config;

use crate::support::issuer::TestIssuer;
use crate::support::process::{Program, unprivileged};
use crate::support::slow::{connect_to, execute};
use crate::support::smtp::SmtpAddress;
use crate::support::{Database, Postgres, Sqlite};

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the program can be run")
}

/// What the output says about a subject.
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
    let address = SmtpAddress::free();
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
    for subject in ["data directory", "database", "files", "sign-in"] {
        assert!(line(&output, subject).contains("created at start"));
    }
    assert!(!home.folder.path().join("data").exists());
    assert!(home.run(&["migrate"]).status.success());
    home.run(&["check"]);
    let left = std::fs::read_dir(home.folder.path().join("data")).expect("the data directory");
    let left: Vec<_> = left.map(|it| it.expect("a file").file_name()).collect();
    assert_eq!(left, ["tenantry.db"]);
}

/// Covers what a server refuses to start with, and what it starts with although nobody could sign in.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_would_not_start_with_or_be_of_no_use_with_is_a_problem() {
    let home = Program::new(Sqlite).await;
    let with = |settings: &[(&str, &str)]| {
        let settings = settings.iter().copied();
        run(home.command(&["check"]).envs(settings))
    };
    let problem = |subject, says: &[&str], settings: &[(&str, &str)]| {
        let output = with(settings);
        assert_problem(&output, subject, says);
        let error = String::from_utf8(output.stderr).expect("text");
        assert_eq!(error, "tenantry: there is a problem\n");
    };

    let folder = [("TENANTRY_GRAPHQL__TRUSTED_DOCUMENTS", "nowhere")];
    problem("documents", &["nowhere"], &folder);
    let folder = [("TENANTRY_PLAYGROUND__ASSETS_DIR", "nowhere")];
    problem("playground", &["playground.assets_dir", "nowhere"], &folder);
    problem("configuration", &["http.host"], &[("HOST", "0.0.0.0")]);

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let port = address.port().to_string();
    problem("address", &[&port, "in use"], &[("PORT", &port)]);
    let address = address.to_string();
    let listen = [("TENANTRY_METRICS__LISTEN", address.as_str())];
    problem("metrics", &[&address, "metrics.listen"], &listen);

    let off = [("TENANTRY_AUTH__DEVELOPMENT", "false")];
    problem("sign-in", &["nobody can sign in"], &off);
    let key = home.folder.path().join("data/development.key");
    std::fs::create_dir_all(home.folder.path().join("data")).expect("a folder");
    std::fs::write(&key, "no key").expect("a file");
    problem("sign-in", &["development.key"], &[]);
    std::fs::remove_file(&key).expect("a file");

    std::fs::write(home.folder.path().join("none.json"), "{\"keys\":[]}").expect("a file");
    for (name, value, says) in [
        // Nothing listens there.
        ("JWKS_URL", "http://127.0.0.1:1/jwks", "127.0.0.1:1"),
        ("JWKS_FILE", "nowhere.json", "nowhere.json"),
        ("JWKS_FILE", "none.json", "none of them can be used"),
    ] {
        let name = format!("TENANTRY_AUTH__ISSUERS__0__{name}");
        let issuer = [
            ("TENANTRY_AUTH__ISSUERS__0__ISSUER", "https://id.example"),
            ("TENANTRY_AUTH__ISSUERS__0__AUDIENCE", "tenantry"),
            (&name, value),
        ];
        let says = match value.starts_with("http") {
            true => &["https://id.example", "issuers.0.jwks_url"][..],
            false => &["https://id.example", "issuers.0.jwks_file", says],
        };
        problem("issuer", says, &issuer);
    }

    let file = home.folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let url = format!("file://{}", file.join("icons").display());
    let files = [("TENANTRY_FILES__URL", url.as_str())];
    problem("files", &["TENANTRY_FILES__URL"], &files);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_gives_its_keys_and_a_server_that_runs_are_no_problem() {
    let home = Program::new(Sqlite).await;
    let serving = home.serve();
    let (_, address) = serving.url.split_once("//").expect("a URL");
    let (_, port) = address.split_once(':').expect("a port");
    let mut config = Config {
        data_dir: home.folder.path().to_owned(),
        ..Config::default()
    };
    TestIssuer::new().configure(&mut config);
    let output = run(home
        .command(&["check"])
        .env("PORT", port)
        .env("TENANTRY_AUTH__ISSUERS__0__ISSUER", "https://id.example")
        .env("TENANTRY_AUTH__ISSUERS__0__AUDIENCE", "tenantry")
        .env("TENANTRY_AUTH__ISSUERS__0__JWKS_FILE", "jwks.json"));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(line(&output, "address").contains("answers"));
    assert!(line(&output, "issuer").contains("https://id.example has a key"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_leads_past_a_pooler_is_tried(#[values(Postgres)] on: Database) {
    let home = Program::new(on).await;
    let Some(database) = &home.database else {
        return;
    };
    // Nothing listens there.
    let nowhere = "postgres://someone:hunter2@127.0.0.1:1/none";
    let mut command = home.command(&["check"]);
    let output = run(command.env("DATABASE_LISTEN_URL", nowhere));
    assert_problem(&output, "notifications", &["DATABASE_LISTEN_URL"]);
    assert!(!said(&output).contains("hunter2"));
    let mut command = home.command(&["check"]);
    let output = run(command.env("DATABASE_LISTEN_URL", database.url()));
    assert!(line(&output, "notifications").starts_with("ok"));
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

    let address = SmtpAddress::free();
    let output = with("TENANTRY_MAIL__SMTP_URL", address.url().expose());
    assert_problem(&output, "mail", &["TENANTRY_MAIL__SMTP_URL"]);

    let file = home.folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let output = with("TENANTRY_DATA_DIR", &file.join("x").display().to_string());
    assert_problem(&output, "data directory", &["TENANTRY_DATA_DIR"]);

    if let Some(mut command) = unprivileged(&home, &["check"]) {
        let file = home.read_only_database();
        let url = format!("sqlite://{}", file.display());
        let output = run(command.env("DATABASE_URL", url));
        assert_problem(&output, "database", &["read-only.db", "cannot be written"]);
    }

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

/// The machine may have no other locale, so the database only claims to use one.
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
    execute("ALTER TABLE __diesel_schema_migrations RENAME COLUMN version TO number");
    let output = home.run(&["check"]);
    assert_problem(&output, "database", &["cannot be read", "version"]);
    assert!(!said(&output).contains("backup"), "the file is whole");
}
