//! Bounds on what a client may do with sockets, and on how slow it may be.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tenantry::app::Pace;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use super::{EVENTS, describe};
use crate::support::metrics::{scrape, values};
use crate::support::office::{Office, Person};
use crate::support::{Database, Postgres, Socket, Sqlite, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_cut_off() {
    let pace = Pace {
        read: Duration::from_millis(200),
        ..Pace::default()
    };
    let server = TestServer::paced(Sqlite, pace, |_| {}).await;
    let mut socket = Socket::of(&server, "ada@example.com").await;
    let query = "{ __schema { types { name description fields { name description
        args { name description } } inputFields { name description } } } }";
    for n in 0..90 {
        socket.subscribe(&n.to_string(), query, json!({})).await;
    }
    let cut = async {
        let ping = r#"{"type":"ping"}"#;
        while socket.try_send(Message::text(ping)).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(60), cut)
        .await
        .expect("the connection is broken off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_shows_no_life_is_cut_off() {
    let pace = Pace {
        heartbeat: Duration::from_millis(700),
        ..Pace::default()
    };
    let server = TestServer::paced(Sqlite, pace, |_| {}).await;
    let address = server.url().trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("it connects");
    let request = format!(
        "GET /graphql/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    let mut received = Vec::new();
    // Ends only when the server ends it, since its pings are not answered.
    tokio::time::timeout(Duration::from_secs(9), stream.read_to_end(&mut received))
        .await
        .expect("before it would be for not having signed in")
        .expect("it ends");
    assert!(received.starts_with(b"HTTP/1.1 101"));
    // A client that answers them stays connected.
    let mut socket = Socket::of(&server, "ada@example.com").await;
    socket.pings(3).await;
    socket.settle().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_follows_so_many_subscriptions_at_a_time(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| config.limits.subscriptions_per_viewer = 2).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let follows = json!({ "id": office.workspace });
    let mut first = Socket::of(&server, &ada.email).await;
    let mut second = Socket::of(&server, &ada.email).await;
    first.subscribe("a", EVENTS, follows.clone()).await;
    second.subscribe("b", EVENTS, follows.clone()).await;
    first.settle().await;
    second.settle().await;
    describe(&ada, office.workspace, "Here").await;
    first.next("a").await;
    second.next("b").await;
    second.subscribe("c", EVENTS, follows.clone()).await;
    let refused = second.receive().await;
    assert_eq!(refused["type"], "error", "{refused:#}");
    let extensions = &refused["payload"][0]["extensions"];
    assert_eq!(extensions["code"], "LIMIT_REACHED");
    assert_eq!(extensions["limitName"], "subscriptionsPerViewer");
    assert_eq!(extensions["limit"], 2);
    // Other viewers have their own limit.
    let bob = Person::new(&server, "bob").await;
    let theirs = Office::of(&bob).await;
    let mut third = Socket::of(&server, &bob.email).await;
    let own = json!({ "id": theirs.workspace });
    third.subscribe("d", EVENTS, own).await;
    third.settle().await;
    describe(&bob, theirs.workspace, "There").await;
    third.next("d").await;
    // Completing a subscription makes room for the next one.
    let mut open = "b".to_owned();
    for times in 0..50 {
        let next = format!("e{times}");
        second.send(json!({ "type": "complete", "id": open })).await;
        second.subscribe(&next, EVENTS, follows.clone()).await;
        open = next;
    }
    second.settle().await;
    describe(&ada, office.workspace, "Here again").await;
    second.next(&open).await;
}

/// A subscription's request stays in memory for as long as the subscription lasts.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_viewer_subscribes_with_has_a_bound(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let mut socket = Socket::of(&server, &ada.email).await;
    let query = "subscription($id: ID!, $search: String) { workspaceEvents(workspaceId: $id) {
        workspace { prompts(search: $search) { totalCount } } } }";
    let long = "x".repeat(900_000);
    let variables = json!({ "id": office.workspace, "search": long });
    for id in ["a", "b", "c", "d"] {
        socket.subscribe(id, query, variables.clone()).await;
    }
    socket.settle().await;
    socket.subscribe("e", query, variables).await;
    let refused = socket.receive().await;
    assert_eq!(refused["type"], "error", "{refused:#}");
    let extensions = &refused["payload"][0]["extensions"];
    assert_eq!(extensions["code"], "LIMIT_REACHED");
    assert_eq!(extensions["limitName"], "subscribedBytesPerViewer");
    // Undeclared variables are dropped and do not count.
    let variables = json!({ "id": office.workspace, "search": long });
    for id in ["f", "g", "h"] {
        socket.subscribe(id, EVENTS, variables.clone()).await;
    }
    socket.settle().await;
    for id in ["a", "b", "c", "d"] {
        socket.send(json!({ "type": "complete", "id": id })).await;
    }
    describe(&ada, office.workspace, "Here").await;
    for _ in ["f", "g", "h"] {
        assert_eq!(socket.receive().await["type"], "next");
    }
}

/// However much the client requests at once.
#[tokio::test(flavor = "multi_thread")]
async fn little_is_done_for_a_client_that_does_not_read() {
    let pace = Pace {
        read: Duration::from_millis(500),
        ..Pace::default()
    };
    let server = TestServer::paced(Sqlite, pace, |_| {}).await;
    let ada = server.user("ada@example.com");
    let input = json!({ "name": "Rocket", "settings": { "text": "x".repeat(65_000) } });
    let made = ada
        .mutate("createWorkspace", input, "workspace { id }")
        .await;
    let settings: String = (0..30).map(|n| format!("a{n}: settings ")).collect();
    let query = format!("query Long($id: ID!) {{ workspace(by: {{ id: $id }}) {{ {settings} }} }}");
    let mut socket = Socket::of(&server, "ada@example.com").await;
    for n in 0..100 {
        let variables = json!({ "id": made["workspace"]["id"] });
        socket.subscribe(&n.to_string(), &query, variables).await;
    }
    let cut = async {
        let ping = r#"{"type":"ping"}"#;
        while socket.try_send(Message::text(ping)).await.is_ok() {}
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), cut).await;
    in_time.expect("the connection is broken off");
    let metrics = scrape(server.http(), server.url()).await;
    let labels = [("kind", "query"), ("field", "workspace")];
    let done = values(&metrics, "tenantry_graphql_operations_total", &labels);
    let done = done.iter().sum::<f64>();
    // Each result has 2 MB: eight wait, and a few more are on their way.
    assert!((1.0..50.0).contains(&done), "{done} operations");
}
