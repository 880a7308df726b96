//! The protocol `graphql-sse` in distinct connections mode.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::{RequestBuilder, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::app::Pace;

use super::{EVENTS, describe, suspicious_server};
use crate::support::office::{Office, Person};
use crate::support::{Database, Events, Postgres, Sqlite, TestServer, text};

const VIEWER: &str = "{ viewer { email } }";

/// A GET request with its parameters in the URL.
fn get(server: &TestServer, path: &str, query: &str, variables: &Value) -> RequestBuilder {
    let mut url = url::Url::parse(server.url()).expect("a URL");
    url.set_path(path);
    url.query_pairs_mut()
        .append_pair("query", query)
        .append_pair("variables", &variables.to_string());
    server.http().get(url)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_answered_by_a_stream(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let token = server.token(&ada.email);
    let variables = json!({ "id": office.workspace });
    let post = server.http().post(format!("{}/graphql", server.url()));
    let body = json!({ "query": EVENTS, "variables": variables });
    let accept = "text/event-stream, application/json";
    let requests = [
        server
            .http()
            .post(format!("{}/graphql/stream", server.url()))
            .json(&body),
        post.header("accept", accept).json(&body),
        get(&server, "/graphql/stream", EVENTS, &variables),
        get(&server, "/graphql", EVENTS, &variables).header("accept", "text/event-stream"),
    ];
    for (n, request) in requests.into_iter().enumerate() {
        let mut events = Events::read(request.bearer_auth(&token)).await;
        let headers = events.response.headers();
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-accel-buffering"], "no");
        assert!(headers.contains_key("x-request-id"));
        // The feed may open only after the reply has begun, so events are made until one arrives.
        let happening = async {
            for change in 0.. {
                describe(&ada, office.workspace, &format!("{n}, {change}")).await;
            }
        };
        tokio::select! {
            data = events.next() => {
                assert_eq!(text(&data, "workspaceEvents.kind"), "WORKSPACE_UPDATED");
            }
            () = happening => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_subscription_is_answered_once() {
    let server = TestServer::start(Sqlite).await;
    let token = server.token("ada@example.com");
    let mut events = Events::of(&server, &token, VIEWER, json!({})).await;
    assert_eq!(
        text(&events.next().await, "viewer.email"),
        "ada@example.com"
    );
    events.completes().await;
    let create =
        "mutation { createOrganization(input: { name: \"Acme\" }) { organization { name } } }";
    let mut events = Events::of(&server, &token, create, json!({})).await;
    events.next().await;
    events.completes().await;
    // A client that accepts JSON gets it for an operation with a single result.
    let query = get(&server, "/graphql", VIEWER, &json!({}));
    let accept = "application/json, text/event-stream";
    let reply = query.bearer_auth(&token).header("accept", accept).send();
    let reply = reply.await.expect("the server answers");
    assert!(
        reply.headers()["content-type"]
            .to_str()
            .is_ok_and(|media| media.starts_with("application/json"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_run_is_a_result_with_errors() {
    let server = TestServer::start(Sqlite).await;
    let token = server.token("ada@example.com");
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { run(id: \"x\") { id } }", "INVALID_INPUT"),
        (
            "subscription { run(id: \"run_00000000000000000000000000\") { id } }",
            "NOT_FOUND",
        ),
    ] {
        let mut events = Events::of(&server, &token, query, json!({})).await;
        let result = events.result().await;
        assert!(result.get("data").is_none(), "{result:#}");
        assert_eq!(result["errors"][0]["extensions"]["code"], code, "{query}");
        events.completes().await;
    }
    let run = "subscription { run(id: \"x\") { id } }";
    let mut events = Events::read(get(&server, "/graphql/stream", run, &json!({}))).await;
    let result = events.result().await;
    assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    events.completes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_held_to_the_same_rules() {
    let server = TestServer::start(Sqlite).await;
    let token = server.token("ada@example.com");
    let url = format!("{}/graphql/stream", server.url());
    let status = async |request: RequestBuilder| {
        let response = request.send().await.expect("the server answers");
        response.status()
    };
    let create =
        "mutation { createOrganization(input: { name: \"Acme\" }) { organization { name } } }";
    let mutation = get(&server, "/graphql/stream", create, &json!({})).bearer_auth(&token);
    assert_eq!(status(mutation).await, StatusCode::METHOD_NOT_ALLOWED);
    let plain = server.http().post(&url).body("{}");
    assert_eq!(status(plain).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let nothing = server.http().post(&url).json(&json!({}));
    assert_eq!(status(nothing).await, StatusCode::BAD_REQUEST);
    let bad = get(&server, "/graphql/stream", VIEWER, &json!({})).bearer_auth("nonsense");
    assert_eq!(status(bad).await, StatusCode::UNAUTHORIZED);
    // Without a stream being accepted, there is none.
    let run = "subscription { run(id: \"x\") { id } }";
    let subscription = get(&server, "/graphql", run, &json!({}));
    assert_eq!(status(subscription).await, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_shows_that_it_is_alive() {
    let pace = Pace {
        comment: Duration::from_millis(50),
        ..Pace::default()
    };
    let server = TestServer::paced(Sqlite, pace, |_| {}).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let token = server.token(&ada.email);
    let variables = json!({ "id": office.workspace });
    let mut events = Events::of(&server, &token, EVENTS, variables).await;
    events.comment().await;
    events.comment().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_token(#[values(Sqlite, Postgres)] on: Database) {
    let server = suspicious_server(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let now = server.app().now().to_utc();
    let token = server.token_for(&ada.email, now, TimeDelta::minutes(5));
    let variables = json!({ "id": office.workspace });
    let mut events = Events::of(&server, &token, EVENTS, variables).await;
    server.clock().advance(TimeDelta::minutes(5));
    let result = events.result().await;
    assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    events.completes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_its_streams() {
    let mut server = TestServer::start(Sqlite).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let token = server.token(&ada.email);
    let variables = json!({ "id": office.workspace });
    let mut events = Events::of(&server, &token, EVENTS, variables).await;
    let stopped = server.stop();
    // Without a `complete` event, so that clients reconnect.
    assert_eq!(events.event().await, None);
    stopped.await;
}
