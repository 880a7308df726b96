//! Connections: how many there may be, how slow their clients may be, whom they belong to, and how they
//! end.

use std::fs;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;
use tenantry::app::Pace;
use tenantry::config::Http;

use crate::support::metrics::value;
use crate::support::process::{Program, Serving};
use crate::support::raw::Raw;
use crate::support::wait::PATIENCE;
use crate::support::{Database, Postgres, Socket, Sqlite, TestServer, until};

async fn start(on: Database, change: impl FnOnce(&mut Http)) -> TestServer {
    TestServer::with(on, |config| change(&mut config.http)).await
}

/// Whether a new connection is answered.
async fn is_answered(server: &TestServer) -> bool {
    Raw::connect(server).await.lives().await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_so_many_connections(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(false, true)] is_bound_of_all: bool,
) {
    let server = start(on, |http| match is_bound_of_all {
        true => http.max_connections = 2,
        false => http.max_connections_per_address = 2,
    })
    .await;
    let mut first = Raw::connect(&server).await;
    assert!(first.lives().await);
    // A connection that becomes a WebSocket still counts.
    let socket = Socket::of(&server, "ada@example.com").await;
    assert!(!is_answered(&server).await);
    assert!(first.lives().await);

    drop(socket);
    until("there is room for one", async || is_answered(&server).await).await;
    // Asked over the open connection, as no other is accepted.
    let request = "GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    first.send(request).await;
    let told = first.rest().await;
    let bound = if is_bound_of_all { "all" } else { "address" };
    let refused = [("bound", bound)];
    let refused = value(&told, "tenantry_http_connections_refused_total", &refused);
    assert!(refused >= Some(1.0), "{told}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_has_as_many_connections_as_there_may_be(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = start(on, |http| {
        http.max_connections = 3;
        http.max_connections_per_address = 1;
        http.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut connection = Raw::connect(&server).await;
        assert!(connection.lives().await);
        held.push(connection);
    }
    assert!(!is_answered(&server).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_too_long_for_a_head_is_cut_off(#[values(Sqlite, Postgres)] on: Database) {
    let server = start(on, |http| http.header_timeout_seconds = 1).await;
    let mut idle = Raw::connect(&server).await;
    assert!(idle.lives().await);
    let begun = Instant::now();

    let silent = Raw::connect(&server).await;
    assert_eq!(silent.rest().await, "");
    let mut half = Raw::connect(&server).await;
    half.send("GET /healthz HTTP/1.1\r\nho").await;
    assert_eq!(half.rest().await, "");
    // Nor does it help to trickle bytes on a connection that was used before.
    let mut trickling = Raw::connect(&server).await;
    assert!(trickling.lives().await);
    trickling.send("GET /healthz HTTP/1.1\r\nx: ").await;
    until("it is cut off", async || {
        trickling.try_send("x").await.is_err()
    })
    .await;

    // Between requests a connection may be idle for longer.
    assert!(begun.elapsed() > Duration::from_secs(1));
    assert!(idle.lives().await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_read_is_cut_off(#[values(Sqlite, Postgres)] on: Database) {
    let pace = Pace {
        read: Duration::from_millis(200),
        ..Pace::default()
    };
    let server = TestServer::paced(on, pace, |_| {}).await;
    let mut deaf = Raw::connect(&server).await;
    let requests = "GET /schema.graphql HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
    let cut = async { while deaf.try_send(&requests).await.is_ok() {} };
    let cut = tokio::time::timeout(PATIENCE, cut).await;
    cut.expect("the connection is broken off");
    assert!(is_answered(&server).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_not_used_is_closed(#[values(Sqlite, Postgres)] on: Database) {
    let server = start(on, |http| http.keep_alive_seconds = 1).await;
    let mut idle = Raw::connect(&server).await;
    assert!(idle.lives().await);
    assert!(idle.lives().await);
    assert_eq!(idle.rest().await, "");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_not_taken_for_a_slow_client(#[values(Sqlite, Postgres)] on: Database) {
    let server = start(on, |http| {
        http.header_timeout_seconds = 1;
        http.keep_alive_seconds = 1;
    })
    .await;
    let mut socket = Socket::of(&server, "ada@example.com").await;
    for _ in 0..2 {
        assert_eq!(Raw::connect(&server).await.rest().await, "");
        socket.settle().await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_takes_too_long_is_408(#[values(Sqlite, Postgres)] on: Database) {
    let server = start(on, |http| http.body_timeout_seconds = 1).await;
    for path in ["/graphql", "/graphql/stream"] {
        let mut slow = Raw::connect(&server).await;
        slow.post(path, 100, &[]).await;
        slow.send("{\"query\":").await;
        let reply = slow.rest().await;
        assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
        assert!(reply.contains("\"code\":\"TIMEOUT\""), "{reply}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_long_is_431(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let mut long = Raw::connect(&server).await;
    let padding = "x".repeat(200 * 1024);
    // The head may be refused before it is sent completely.
    let head = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx: {padding}\r\n\r\n");
    let sent = long.try_send(&head).await;
    let reply = long.rest().await;
    assert!(
        sent.is_err() || reply.is_empty() || reply.starts_with("HTTP/1.1 431 "),
        "{reply}"
    );
    assert!(is_answered(&server).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_begun_is_finished(#[values(Sqlite, Postgres)] on: Database) {
    let mut server = TestServer::start(on).await;
    let mut idle = Raw::connect(&server).await;
    assert!(idle.lives().await);
    let body = json!({ "query": "{ viewer { email } }" }).to_string();
    let mut begun = Raw::connect(&server).await;
    let bearer = format!("Bearer {}", server.token("ada@example.com"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("expect", "100-continue"),
    ];
    begun.post("/graphql", body.len(), &headers).await;
    let head = begun.head().await.expect("an answer");
    assert!(head.starts_with("HTTP/1.1 100 "), "{head}");

    let stopped = server.stop();
    // Idle connections are closed first.
    assert_eq!(idle.rest().await, "");
    begun.send(&body).await;
    let reply = begun.rest().await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert!(reply.contains("ada@example.com"), "{reply}");
    stopped.await;
}

/// A second signal would stop it sooner.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_to_stop_goes_on_for_as_long_as_is_configured(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let mut server = start(on, |http| http.drain_seconds = Some(1)).await;
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[rstest]
#[case::trusted("127.0.0.0/8", "203.0.113.9, 198.51.100.7", "198.51.100.7")]
#[case::not_trusted("10.0.0.0/8", "198.51.100.7", "127.0.0.1")]
#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_the_client_that_trusted_proxies_name(
    #[case] trusted: &str,
    #[case] forwarded: &str,
    #[case] client: &str,
) {
    let program = Program::new(Sqlite).await;
    let path = program.folder.path().join("log");
    let log = fs::File::create(&path).expect("a file");
    let mut command = program.command(&[]);
    command
        .env("TENANTRY_HTTP__TRUSTED_PROXIES", trusted)
        .env("RUST_LOG", "tenantry=info")
        .stderr(log);
    let serving = Serving::start(&mut command);
    let request = reqwest::Client::new().get(format!("{}/schema.graphql", serving.url));
    let request = request.header("x-forwarded-for", forwarded);
    request.send().await.expect("the server answers");
    // The line is written before the reply is sent.
    let log = fs::read_to_string(&path).expect("text");
    let line = log.lines().find(|line| line.contains("/schema.graphql"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(&format!("client=\"{client}\"")), "{line}");
}
