//! The protocol `graphql-transport-ws`.

use std::time::Duration;

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::app::Pace;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::{EVENTS, NEVER, describe, suspicious_server};
use crate::support::office::{Office, Person};
use crate::support::{Database, Events, Postgres, Socket, Sqlite, TestServer, text};

const VIEWER: &str = "{ viewer { email } }";
const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

fn init() -> Value {
    json!({ "type": "connection_init" })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_closes_the_socket_with_its_code() {
    let server = TestServer::start(Sqlite).await;
    let subscribe =
        json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ __typename }" } });

    let mut socket = Socket::of(&server, "ada@example.com").await;
    socket.send(json!({ "type": "start" })).await;
    assert_eq!(socket.closed().await, 4400);

    let mut socket = Socket::of(&server, "ada@example.com").await;
    socket.send_raw(Message::binary(b"{}".to_vec())).await;
    assert_eq!(socket.closed().await, 4400);

    let mut socket = Socket::open(&server).await;
    socket.send(subscribe).await;
    assert_eq!(socket.closed().await, 4401);

    for bad in ["Bearer nonsense", "nonsense", ""] {
        let mut socket = Socket::open(&server).await;
        let payload = json!({ "Authorization": bad });
        let init = json!({ "type": "connection_init", "payload": payload });
        socket.send(init).await;
        assert_eq!(socket.closed().await, 4403, "{bad}");
    }

    let opened = Socket::try_open(&server, "/graphql/ws", &[]).await;
    let mut socket = opened.expect("the socket opens");
    assert_eq!(socket.closed().await, 4406);

    let mut socket = Socket::of(&server, "ada@example.com").await;
    socket.send(init()).await;
    assert_eq!(socket.closed().await, 4429);

    let mut socket = Socket::of(&server, "ada@example.com").await;
    let long = "x".repeat(server.app().config.http.max_body_bytes + 1);
    socket.send_raw(Message::text(long)).await;
    assert_eq!(socket.closed().await, 1009);

    // RFC 6455 §7.4.1: text that is not UTF-8, and a frame with a reserved opcode.
    let broken = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
    let reserved = Frame::message(vec![b'x'], OpCode::Data(Data::Reserved(3)), true);
    for (frame, code) in [(broken, 1007), (reserved, 1002)] {
        let mut socket = Socket::of(&server, "ada@example.com").await;
        socket.send_raw(Message::Frame(frame)).await;
        assert_eq!(socket.closed().await, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_in_use_closes_the_socket() {
    let server = TestServer::start(Sqlite).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let mut socket = Socket::of(&server, &ada.email).await;
    let id = json!({ "id": office.workspace });
    socket.subscribe("1", EVENTS, id.clone()).await;
    socket.subscribe("1", EVENTS, id).await;
    assert_eq!(socket.closed().await, 4409);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_sign_in_in_time_is_closed() {
    let pace = Pace {
        sign_in: Duration::from_millis(50),
        ..Pace::default()
    };
    let server = TestServer::paced(Sqlite, pace, |_| {}).await;
    assert_eq!(Socket::open(&server).await.closed().await, 4408);
    // It is enough to be heard in time.
    let mut socket = Socket::open(&server).await;
    socket.send(init()).await;
    if let Some(Ok(Message::Text(ack))) = socket.frame().await {
        assert_eq!(ack.as_str(), r#"{"type":"connection_ack"}"#);
        socket.settle().await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_with_the_first_message_or_the_request(
    #[values("/graphql/ws", "/graphql")] path: &str,
) {
    let server = TestServer::start(Sqlite).await;
    let bearer = format!("Bearer {}", server.token("ada@example.com"));
    let payloads = [
        json!({ "Authorization": bearer }),
        json!({ "authorization": bearer }),
        json!({}),
    ];
    for payload in payloads {
        let mut headers = vec![PROTOCOL];
        if payload == json!({}) {
            headers.push(("authorization", &bearer));
        }
        let opened = Socket::try_open(&server, path, &headers).await;
        let mut socket = opened.expect("the socket opens");
        socket
            .send(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(socket.receive().await["type"], "connection_ack");
        socket.subscribe("a", VIEWER, json!({})).await;
        let viewer = socket.next("a").await;
        assert_eq!(text(&viewer, "viewer.email"), "ada@example.com");
        socket.completes("a").await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn queries_and_mutations_are_answered_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let mut socket = Socket::of(&server, "ada@example.com").await;
    let create =
        "mutation { createOrganization(input: { name: \"Acme\" }) { organization { name } } }";
    socket.subscribe("m", create, json!({})).await;
    let made = socket.next("m").await;
    assert_eq!(text(&made, "createOrganization.organization.name"), "Acme");
    socket.completes("m").await;
    // An error in a field is part of a result.
    let reserved =
        "mutation { createOrganization(input: { name: \"\" }) { organization { name } } }";
    socket.subscribe("m", reserved, json!({})).await;
    let message = socket.receive().await;
    assert_eq!(message["type"], "next");
    let code = &message["payload"]["errors"][0]["extensions"]["code"];
    assert_eq!(code, "INVALID_INPUT");
    socket.completes("m").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_not_run_is_an_error() {
    let server = TestServer::start(Sqlite).await;
    let mut socket = Socket::of(&server, "ada@example.com").await;
    for (query, code) in [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (EVENTS, "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { a: run(id: \"x\") { id } b: run(id: \"x\") { id } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { ...F } fragment F on Subscription { run(id: \"x\") { id } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "subscription { run(id: \"x\") { workspace { members(first: 100) { nodes { workspace {
                members(first: 100) { nodes { workspace { members(first: 100) { nodes { id } } } }
            } } } } } } }",
            "QUERY_TOO_COMPLEX",
        ),
        ("subscription { run(id: \"x\") { id } }", "INVALID_INPUT"),
    ] {
        socket.subscribe("1", query, json!({})).await;
        assert_eq!(socket.error("1").await, code, "{query}");
    }
    // The connection stays open.
    socket.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_completes_gives_nothing_more() {
    let server = TestServer::start(Sqlite).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let mut socket = Socket::of(&server, &ada.email).await;
    let id = json!({ "id": office.workspace });
    socket.subscribe("1", EVENTS, id.clone()).await;
    socket.send(json!({ "type": "complete", "id": "1" })).await;
    socket.send(json!({ "type": "complete", "id": "?" })).await;
    socket.settle().await;
    describe(&ada, office.workspace, "one").await;
    socket.subscribe("2", VIEWER, json!({})).await;
    socket.next("2").await;
    socket.completes("2").await;
    // The id can be used again.
    socket.subscribe("1", VIEWER, json!({})).await;
    socket.next("1").await;
    socket.completes("1").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_its_token(#[values(Sqlite, Postgres)] on: Database) {
    let server = suspicious_server(on).await;
    let now = server.app().now().to_utc();
    let token = server.token_for("ada@example.com", now, TimeDelta::minutes(5));
    let mut socket = Socket::signed_in(&server, &token).await;
    socket.settle().await;
    server.clock().advance(TimeDelta::minutes(5));
    assert_eq!(socket.closed().await, 4403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_when_its_token_is_revoked(#[values(Sqlite, Postgres)] on: Database) {
    let server = suspicious_server(on).await;
    let ada = Person::new(&server, "ada").await;
    let made = ada
        .mutate(
            "createApiToken",
            json!({ "name": "ci" }),
            "secret apiToken { id }",
        )
        .await;
    let mut socket = Socket::signed_in(&server, &text(&made, "secret")).await;
    socket.settle().await;
    let input = json!({ "apiTokenId": text(&made, "apiToken.id") });
    ada.mutate("revokeApiToken", input, "__typename").await;
    assert_eq!(socket.closed().await, 4403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_event_comes_after_a_token_was_revoked(#[values(Sqlite, Postgres)] on: Database) {
    // Rules out the periodic check.
    let pace = Pace {
        check: NEVER,
        ..Pace::default()
    };
    let server = TestServer::paced(on, pace, |_| {}).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let selection = "secret apiToken { id }";
    let made = ada
        .mutate("createApiToken", json!({ "name": "ci" }), selection)
        .await;
    let secret = text(&made, "secret");
    let variables = json!({ "id": office.workspace });
    let mut socket = Socket::signed_in(&server, &secret).await;
    socket.subscribe("e", EVENTS, variables.clone()).await;
    socket.settle().await;
    let mut stream = Events::of(&server, &secret, EVENTS, variables).await;
    describe(&ada, office.workspace, "before").await;
    socket.next("e").await;
    stream.next().await;

    let input = json!({ "apiTokenId": text(&made, "apiToken.id") });
    ada.mutate("revokeApiToken", input, "__typename").await;
    describe(&ada, office.workspace, "after").await;
    match socket.frame().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 4403),
        other => panic!("not closed: {other:?}"),
    }
    let result = stream.result().await;
    assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    stream.completes().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_bad_credentials_opens_no_socket(
    #[values("/graphql/ws", "/graphql")] path: &str,
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let good = format!("Bearer {}", server.token("ada@example.com"));
    let refused: [&[&str]; 5] = [
        &["Bearer nonsense"],
        &["Bearer tnt_nonsense"],
        &[""],
        &[&good, &good],
        &["Bearer nonsense", &good],
    ];
    for values in refused {
        let mut request = server.http().get(format!("{}{path}", server.url()));
        for (name, value) in [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            PROTOCOL,
        ] {
            request = request.header(name, value);
        }
        for value in values {
            request = request.header("authorization", *value);
        }
        let reply = request.send().await.expect("the server answers");
        assert_eq!(reply.status(), 401, "{values:?}");
        assert!(reply.headers().contains_key("www-authenticate"));
        let body: Value = reply.json().await.expect("JSON");
        let code = &body["errors"][0]["extensions"]["code"];
        assert_eq!(code, "UNAUTHENTICATED");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_the_account(#[values(Sqlite, Postgres)] on: Database) {
    let server = suspicious_server(on).await;
    let ada = Person::new(&server, "ada").await;
    let mut socket = Socket::of(&server, &ada.email).await;
    ada.mutate(
        "deleteAccount",
        json!({ "confirmEmail": ada.email }),
        "__typename",
    )
    .await;
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_its_socket_is_answered() {
    let server = TestServer::start(Sqlite).await;
    let mut socket = Socket::of(&server, "ada@example.com").await;
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: "bye".into(),
    };
    socket.send_raw(Message::Close(Some(frame))).await;
    assert_eq!(socket.closed().await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_closes_its_sockets() {
    let mut server = TestServer::start(Sqlite).await;
    let mut socket = Socket::of(&server, "ada@example.com").await;
    let stopped = server.stop();
    assert_eq!(socket.closed().await, 1001);
    stopped.await;
}

/// With another version, or without an upgrade at all: RFC 6455 §4.4.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_told_how_to_make_one() {
    let server = TestServer::start(Sqlite).await;
    let url = format!("{}/graphql/ws", server.url());
    let asked = server.http().get(&url).send().await.expect("an answer");
    let old = server.http().get(&url).header("upgrade", "websocket");
    let old = old.header("connection", "upgrade");
    let old = old.header("sec-websocket-version", "8");
    let old = old.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let old = old.send().await.expect("an answer");
    for response in [asked, old] {
        assert_eq!(response.status(), 426);
        let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("sec-websocket-version"), "13");
        assert_eq!(header("upgrade"), "websocket");
        assert_eq!(header("connection").to_lowercase(), "upgrade");
    }
}
