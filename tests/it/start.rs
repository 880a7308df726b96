//! The program itself: how it starts, what it prints, how it stops.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use rstest::rstest;
use serde_json::json;

use crate::support::process::{MAKE, Program, Serving, assert_fails, text, unprivileged};
use crate::support::slow::{connect_to, execute};
use crate::support::{Database, Postgres, Sqlite, TestServer, until};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_it_is_and_keeps_what_it_acknowledged(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let home = Program::new(on).await;
    let http = reqwest::Client::new();
    let first = home.serve();
    assert!(first.url.starts_with("http://127.0.0.1:"), "{}", first.url);
    assert!(!first.url.ends_with(":0"));
    let database = match &home.database {
        Some(_) => "PostgreSQL",
        None => "SQLite",
    };
    assert!(first.lines[1].contains(database), "{:?}", first.lines);
    let file = home.folder.path().join("data/tenantry.db");
    let is_named = first.lines[1].ends_with(&file.display().to_string());
    assert_eq!(is_named, home.database.is_none(), "{:?}", first.lines);
    assert!(first.lines[2].contains(&format!("{}/", first.url)));
    let (_, token) = first.lines[3]
        .split_once(&format!("{}/#token=", first.url))
        .expect("a link that signs in");
    let made = first.ask(&http, token, MAKE).await;
    assert_eq!(
        made["data"]["createWorkspace"]["workspace"]["slug"],
        "rocket"
    );

    // Dropping it kills it, which nothing can catch.
    let token = token.to_owned();
    drop(first);
    let second = home.serve();
    let found = second
        .ask(&http, &token, "{ workspaces { nodes { slug } } }")
        .await;
    assert_eq!(found["data"]["workspaces"]["nodes"][0]["slug"], "rocket");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_it_is_asked_to(
    #[values(Sqlite, Postgres)] on: Database,
    #[values("TERM", "INT")] signal: &str,
) {
    let home = Program::new(on).await;
    let mut serving = home.serve();
    // A connection that is kept open does not keep it.
    let http = reqwest::Client::new();
    serving.ask(&http, "nonsense", "{ __typename }").await;
    serving.signal(signal);
    assert_eq!(serving.stopped().await, Some(0));
    assert_eq!(serving.rest(), "", "it prints no more than those lines");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_twice_does_not_want_to_wait() {
    let home = Program::new(Sqlite).await;
    let mut command = home.command(&[]);
    command.env("TENANTRY_HTTP__DRAIN_SECONDS", "3600");
    let mut serving = Serving::start(command.stderr(Stdio::null()));
    let http = reqwest::Client::new();
    let is_ready = async || {
        let asked = http.get(format!("{}/readyz", serving.url)).send().await;
        asked.is_ok_and(|reply| reply.status() == 200)
    };
    // Before it serves, it is ended by the first one.
    until("it is ready", &is_ready).await;
    serving.signal("TERM");
    until("it is ready no more", async || !is_ready().await).await;
    // It listens for the second one as soon as it has said so.
    until("it stops", async || {
        serving.signal("TERM");
        serving.status().is_some()
    })
    .await;
    assert_eq!(serving.stopped().await, Some(0));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_may_share_a_data_directory(#[values(Postgres)] on: Database) {
    let home = Program::new(on).await;
    let (one, two) = (home.serve(), home.serve());
    let token = text(&home.run(&["token", "--email", "ada@example.com"]).stdout);
    let http = reqwest::Client::new();
    for server in [one, two] {
        let viewer = server
            .ask(&http, token.trim(), "{ viewer { email } }")
            .await;
        assert_eq!(viewer["data"]["viewer"]["email"], "ada@example.com");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_it_from_starting_is_said_in_one_line() {
    let home = Program::new(Sqlite).await;
    let fails = |name: &str, value: &str, says: &[&str]| {
        let output = home.command(&[]).env(name, value).output();
        assert_fails(&output.expect("the program can be run"), says);
    };

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    fails("PORT", &port, &[&port, "in use"]);
    fails("PORT", "99999", &["PORT"]);
    // Nobody listens on this one.
    fails(
        "DATABASE_URL",
        "postgres://someone:secret@127.0.0.1:1/none",
        &["DATABASE_URL"],
    );
    fails("DATABASE_URL", "mysql://127.0.0.1/none", &[]);
    fails("HOST", "0.0.0.0", &[]);
    fails("HOST", "192.0.2.1", &[]);
    fails("TENANTRY_HTTP__PROT", "1", &["http.port"]);
    fails("RUST_LOG", "[", &[]);

    // Below a file there is no folder, not even for root.
    let file = home.folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let below = file.join("data").display().to_string();
    fails("TENANTRY_DATA_DIR", &below, &["TENANTRY_DATA_DIR"]);

    std::fs::write(home.folder.path().join("bad.toml"), "[http]\nprot = 1\n").expect("a file");
    let output = home.run(&["--config", "bad.toml"]);
    assert_fails(&output, &["prot", "http.port", "bad.toml"]);
    let output = home.run(&["--config", "nowhere.toml"]);
    assert_fails(&output, &["nowhere.toml"]);
    assert!(!home.folder.path().join("data/development.key").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failure_tells_the_password() {
    let home = Program::new(Sqlite).await;
    for url in [
        "postgres://someone:hunter2@127.0.0.1:1/none",
        "postgres://someone:hunter2@127.0.0.1:notaport/none",
    ] {
        for arguments in [&[][..], &["migrate"]] {
            let output = home.command(arguments).env("DATABASE_URL", url).output();
            let output = output.expect("the program can be run");
            assert_fails(&output, &[]);
            assert!(!text(&output.stderr).contains("hunter2"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_is_called_with_must_make_sense() {
    let home = Program::new(Sqlite).await;
    for arguments in [&["nonsense"][..], &["--nonsense"], &["token"]] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
    }
    assert_eq!(home.run(&["--help"]).status.code(), Some(0));
    assert_eq!(home.run(&["--version"]).status.code(), Some(0));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn migrate_brings_an_empty_database_up_to_date_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let mut home = Program::new(on).await;
    if home.database.is_some() {
        home.database = crate::support::postgres::database().await;
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

/// The URL with settings for its sessions.
/// Longer than a statement waits for a lock otherwise.
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
    // It panics where it does not start.
    tokio::join!(server.sibling(), migrating);
}

fn with_settings(url: &str, settings: &str) -> String {
    let mut url = url::Url::parse(url).expect("a URL");
    // PostgreSQL's are not those of forms: a space is %20.
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
    home.database = crate::support::postgres::database().await;
    let url = home.database.as_ref().expect("PostgreSQL").url();
    // No table can be made through it.
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

/// Refuses whoever connects as poolers refuse settings that they do not know, and says where.
fn picky_pooler() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever has gone needs no answer.
            let _ = refuse_settings(stream);
        }
    });
    format!("postgres://someone@{address}/none?sslmode=disable")
}

fn refuse_settings(mut stream: std::net::TcpStream) -> std::io::Result<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut rest)?;
    let fields =
        b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter in options: lock_timeout\0\0";
    let mut reply = vec![b'E'];
    reply.extend(
        u32::try_from(fields.len() + 4)
            .unwrap_or_default()
            .to_be_bytes(),
    );
    reply.extend(fields);
    stream.write_all(&reply)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_was_not_declared_is_told_of() {
    let home = Program::new(Sqlite).await;
    let url = picky_pooler();
    let output = home.command(&[]).env("DATABASE_URL", url).output();
    let output = output.expect("the program can be run");
    assert_fails(&output, &["startup parameter", "DATABASE_LISTEN_URL"]);
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
    // One that somebody else's tables are in.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_written_is_refused() {
    let home = Program::new(Sqlite).await;
    let url = format!("sqlite://{}", home.read_only_database().display());
    for arguments in [&[][..], &["serve", "--worker-only"]] {
        let Some(mut command) = unprivileged(&home, arguments) else {
            return;
        };
        let output = command.env("DATABASE_URL", &url).output();
        let output = output.expect("the program can be run");
        assert_fails(&output, &["read-only.db", "cannot be written"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_the_playground_that_is_not_there_is_refused() {
    let home = Program::new(Sqlite).await;
    let mut command = home.command(&[]);
    command.env("TENANTRY_PLAYGROUND__ASSETS_DIR", "nowhere");
    let output = command.output().expect("the program can be run");
    assert_fails(&output, &["playground.assets_dir", "nowhere"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_not_in_their_file_are_refused() {
    let home = Program::new(Sqlite).await;
    let output = home
        .command(&[])
        .env("TENANTRY_AUTH__ISSUERS__0__ISSUER", "https://id.example")
        .env("TENANTRY_AUTH__ISSUERS__0__AUDIENCE", "tenantry")
        .env("TENANTRY_AUTH__ISSUERS__0__JWKS_FILE", "nowhere.json")
        .output();
    let output = output.expect("the program can be run");
    assert_fails(&output, &["https://id.example", "nowhere.json"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn migrations_that_are_missing_are_told_by_all(#[values(Sqlite, Postgres)] on: Database) {
    let mut home = Program::new(on).await;
    if home.database.is_some() {
        home.database = crate::support::postgres::database().await;
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

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_for_nobody_elses_eyes() {
    use std::os::unix::fs::PermissionsExt;

    let home = Program::new(Sqlite).await;
    let _serving = home.serve();
    for name in ["tenantry.db", "tenantry.db-wal", "tenantry.db-shm"] {
        let file = home.folder.path().join("data").join(name);
        let mode = fs::metadata(&file).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

fn connect(file: &Path) -> diesel::SqliteConnection {
    let url = file.to_str().expect("text");
    diesel::Connection::establish(url).expect("a database")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_signs_in_whom_it_was_made_for() {
    let home = Program::new(Sqlite).await;
    let arguments = ["token", "--email", " Ada@Example.com", "--name", "Ada"];
    let output = home.run(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let token = text(&output.stdout);
    assert_eq!(token.lines().count(), 1);
    let serving = home.serve();
    let http = reqwest::Client::new();
    let viewer = serving
        .ask(&http, token.trim(), "{ viewer { email name } }")
        .await;
    let ada = json!({ "email": "ada@example.com", "name": "Ada" });
    assert_eq!(viewer["data"]["viewer"], ada);

    assert_fails(&home.run(&["token", "--email", "ada"]), &["--email"]);
    let issuer = [
        (
            "TENANTRY_AUTH__ISSUERS__0__ISSUER",
            "https://id.example.com",
        ),
        ("TENANTRY_AUTH__ISSUERS__0__AUDIENCE", "tenantry"),
        (
            "TENANTRY_AUTH__ISSUERS__0__JWKS_URL",
            "https://id.example.com/jwks",
        ),
    ];
    let refused = home.command(&arguments).envs(issuer).output();
    assert_fails(&refused.expect("the program can be run"), &["issuer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_can_be_printed_into_a_pipe_that_closes() {
    let home = Program::new(Sqlite).await;
    let output = home.run(&["schema"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("type Query"));
    assert!(!home.folder.path().join("data").exists());

    let mut child = home
        .command(&["schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("a child of ours");
    assert!(!text(&output.stderr).contains("panicked"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log_line_or_an_event(#[values(Sqlite, Postgres)] on: Database) {
    let home = Program::new(on).await;
    let log = home.folder.path().join("log");
    let mut server = home.serve_logging(&log);
    let http = reqwest::Client::new();
    let token = text(&home.run(&["token", "--email", "ada@example.com"]).stdout);
    let token = token.trim();
    let ask = async |token: &str, query: &str| server.ask(&http, token, query).await;

    let made = ask(
        token,
        r#"mutation { createApiToken(input: { name: "CI" }) { secret } }"#,
    )
    .await;
    let secret = made["data"]["createApiToken"]["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let query = r#"mutation { createWorkspace(input: { name: "Rocket" }) {
        workspace { id joinInfo { inviteCode } } } }"#;
    let made = ask(&secret, query).await;
    let made = &made["data"]["createWorkspace"]["workspace"];
    let (id, first) = (
        &made["id"],
        made["joinInfo"]["inviteCode"].as_str().expect("a code"),
    );
    let query = format!(
        "mutation {{ rotateJoinCode(input: {{ workspaceId: {id} }}) {{ joinInfo {{ inviteCode }} }}
            addWorkspaceMember(input: {{ workspaceId: {id}, email: \"eve@example.com\" }}) {{
                invitation {{ id }} }} }}"
    );
    let made = ask(&secret, &query).await;
    let second = made["data"]["rotateJoinCode"]["joinInfo"]["inviteCode"]
        .as_str()
        .expect("a code");
    let joining = |code: &str| {
        format!(
            r#"mutation {{ joinWorkspaceByCode(input: {{ code: "{code}" }}) {{ __typename }} }}"#
        )
    };
    let bob = text(&home.run(&["token", "--email", "bob@example.com"]).stdout);
    for code in [first, second] {
        ask(bob.trim(), &joining(code)).await;
    }
    ask("tnt_notatokenofanybody", "{ viewer { id } }").await;
    ask(&format!("{token}x"), "{ viewer { id } }").await;
    let events = ask(
        &secret,
        "{ organizations { nodes { events { nodes { data } } } } }",
    )
    .await;

    server.signal("TERM");
    assert_eq!(server.stopped().await, Some(0));
    let said = fs::read_to_string(&log).expect("the log") + &events.to_string();
    assert!(
        said.contains("/graphql"),
        "there is something to look through"
    );
    let bare = |code: &str| code.replace('-', "");
    let secrets = [
        secret,
        token.to_owned(),
        bob.trim().to_owned(),
        first.to_owned(),
        second.to_owned(),
        bare(first),
        bare(second),
        "tnt_notatokenofanybody".to_owned(),
    ];
    for secret in secrets {
        assert!(!said.contains(&secret), "{secret}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_put_on_a_plan(#[values(Sqlite, Postgres)] on: Database) {
    let home = Program::new(on).await;
    let set = |slug: &str, key: &str| {
        let mut command = home.command(&["organization", "set-plan", slug, key]);
        command.env("TENANTRY_PLANS__PRO__MAX_WORKSPACES", "7");
        command.output().expect("the program can be run")
    };
    let server = home.serve();
    let http = reqwest::Client::new();
    let token = text(&home.run(&["token", "--email", "ada@example.com"]).stdout);
    let query =
        r#"mutation { createOrganization(input: { name: "Rocket" }) { organization { id } } }"#;
    server.ask(&http, token.trim(), query).await;

    let done = set("rocket", "pro");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let query = "{ organizations { nodes { plan { key } } } }";
    let seen = server.ask(&http, token.trim(), query).await;
    assert_eq!(
        seen["data"]["organizations"]["nodes"][0]["plan"]["key"],
        "pro"
    );

    assert_fails(&set("rocket", "gold"), &["no plan gold", "free", "pro"]);
    assert_fails(&set("nobody", "pro"), &["no organization", "nobody"]);
}
