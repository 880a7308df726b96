//! The program itself: how it starts, what it prints, and how it stops.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use reqwest::StatusCode;
use rstest::rstest;

use crate::support::process::{MAKE, Program, Serving, assert_fails, text, unprivileged};
use crate::support::{Database, Postgres, Sqlite, until};

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

    // Dropping kills it with a signal that cannot be caught.
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
    // An idle connection that is kept open does not keep the server running.
    let http = reqwest::Client::new();
    serving.ask(&http, "nonsense", "{ __typename }").await;
    serving.signal(signal);
    assert_eq!(serving.stopped().await, Some(0));
    assert_eq!(serving.rest(), "", "it prints no more than those lines");
}

/// A second signal is for operators who do not want to wait for a load balancer.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_until_it_is_asked_again_and_is_not_ready_meanwhile(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let home = Program::new(on).await;
    let token = home.token("ada@example.com");
    let mut command = home.command(&[]);
    command.env("TENANTRY_HTTP__DRAIN_SECONDS", "3600");
    let mut serving = Serving::start(command.stderr(Stdio::null()));
    let readiness = async |url: &str| {
        // On a new connection each time, since these are still accepted.
        let reply = reqwest::get(format!("{url}/readyz")).await;
        reply.map(|reply| reply.status()).ok()
    };
    let url = serving.url.clone();
    assert_eq!(readiness(&url).await, Some(StatusCode::OK));
    serving.signal("TERM");
    until("it is ready no more", async || {
        readiness(&url).await == Some(StatusCode::SERVICE_UNAVAILABLE)
    })
    .await;
    let http = reqwest::Client::new();
    let viewer = serving.ask(&http, &token, "{ viewer { email } }").await;
    assert_eq!(viewer["data"]["viewer"]["email"], "ada@example.com");
    assert_eq!(serving.status(), None);
    // The handler of the second signal may be installed a moment after readiness ends.
    until("it stops", async || {
        serving.signal("TERM");
        serving.status().is_some()
    })
    .await;
    assert_eq!(serving.stopped().await, Some(0));
    assert_eq!(readiness(&url).await, None);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_may_share_a_data_directory(#[values(Postgres)] on: Database) {
    let home = Program::new(on).await;
    let (one, two) = (home.serve(), home.serve());
    let token = home.token("ada@example.com");
    let http = reqwest::Client::new();
    for server in [one, two] {
        let viewer = server.ask(&http, &token, "{ viewer { email } }").await;
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
    // Nothing listens on this port.
    fails(
        "DATABASE_URL",
        "postgres://someone:secret@127.0.0.1:1/none",
        &["DATABASE_URL"],
    );
    fails("DATABASE_URL", "mysql://127.0.0.1/none", &["DATABASE_URL"]);
    for host in ["0.0.0.0", "192.0.2.1"] {
        fails("HOST", host, &["http.host", "HOST", "auth.development"]);
    }
    fails("TENANTRY_HTTP__PROT", "1", &["http.port"]);
    fails("RUST_LOG", "[", &["RUST_LOG"]);
    // Allowed, but not an address of this machine.
    let mut command = home.command(&[]);
    command.env("TENANTRY_AUTH__DEVELOPMENT", "true");
    let output = command.env("HOST", "192.0.2.1").output();
    let output = output.expect("the program can be run");
    assert_fails(&output, &["192.0.2.1", "HOST"]);

    // There can be no folder below a file, not even for root.
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

/// Starts a server that refuses connections as poolers refuse unknown settings, and returns its URL.
fn picky_pooler() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that has gone needs no answer.
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
