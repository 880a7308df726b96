//! Each viewer's budget as clients see it, over every transport.

use chrono::TimeDelta;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::config::Secret;

use crate::support::office::{Office, Person};
use crate::support::postgres::OwnCluster;
use crate::support::{
    Client, Database, Events, Postgres, Reply, Socket, Sqlite, TestServer, at, text,
};

const CHEAP: &str = "{ viewer { email } }";
/// A query that costs 51.
const PAGE: &str = "{ workspaces(first: 50) { totalCount } }";
const EVENTS: &str = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) { kind } }";

/// A server with that budget and a stopped clock, since whole seconds could pass otherwise.
async fn serve(on: Database, per_minute: u32) -> TestServer {
    let server = TestServer::with(on, |config| {
        config.limits.cost_per_minute = Some(per_minute);
        config.http.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    })
    .await;
    server.clock().stop();
    server
}

/// The extensions that report a cost.
fn told(requested: u32, per_minute: u32, remaining: u32) -> Value {
    let budget = json!({ "perMinute": per_minute, "remaining": remaining });
    json!({ "cost": { "requested": requested, "budget": budget } })
}

/// The seconds to wait, asserting that nothing was run.
fn wait(reply: &Reply) -> i64 {
    assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
    reply.retry_after()
}

async fn ask(by: &Client, query: &str) -> Reply {
    by.send(query, json!({})).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_reply_tells_what_it_cost(#[values(Sqlite, Postgres)] on: Database) {
    let server = serve(on, 1000).await;
    let ada = server.user("ada@example.com");
    let reply = ask(&ada, CHEAP).await;
    assert_eq!(
        reply.body,
        json!({ "data": { "viewer": { "email": "ada@example.com" } }, "extensions": told(1, 1000, 999) })
    );
    let reply = ask(&ada, PAGE).await;
    assert_eq!(reply.body["extensions"], told(51, 1000, 948));
    // Page sizes may be variables.
    let query =
        "query($n: Int) { workspaces(first: $n) { nodes { prompts(first: $n) { totalCount } } } }";
    let reply = ada.send(query, json!({ "n": 9 })).await;
    assert_eq!(reply.body["extensions"], told(82, 1000, 866));
    let input = json!({ "name": "Acme" });
    let reply = ada
        .try_mutate("createOrganization", input, "organization { name }")
        .await;
    assert_eq!(reply.body["extensions"], told(11, 1000, 855));
    // What was run is charged, whatever its outcome.
    let input = json!({ "name": "" });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "createOrganization", input)
        .await;
    assert_eq!(reply.body["extensions"], told(11, 1000, 844));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_waits_until_enough_came_back(#[values(Sqlite, Postgres)] on: Database) {
    let server = serve(on, 60).await;
    let ada = server.user("ada@example.com");
    let reply = ask(&ada, PAGE).await;
    assert_eq!(reply.body["extensions"], told(51, 60, 9));
    for _ in 0..3 {
        // A refused call is not charged, and lengthens no wait.
        let reply = ask(&ada, PAGE).await;
        assert_eq!(wait(&reply), 42);
        assert_eq!(reply.body["extensions"], told(51, 60, 9));
    }
    // Nor does the wait depend on the media type that the client accepts.
    let response = "application/graphql-response+json";
    let post = server.post(&json!({ "query": PAGE }));
    let post = post.bearer_auth(server.token("ada@example.com"));
    let reply = Reply::to(post.header("accept", response)).await;
    assert_eq!(wait(&reply), 42);
    // A cheaper operation still gets through.
    let reply = ask(&ada, CHEAP).await;
    assert_eq!(reply.body["extensions"], told(1, 60, 8));
    server.clock().advance(TimeDelta::milliseconds(42_500));
    assert_eq!(wait(&ask(&ada, PAGE).await), 1);
    server.clock().advance(TimeDelta::milliseconds(500));
    let reply = ask(&ada, PAGE).await;
    assert_eq!(reply.body["extensions"], told(51, 60, 0));
    // What costs more than the whole budget takes all of it.
    let large = "{ workspaces(first: 100) { totalCount } }";
    assert_eq!(wait(&ask(&ada, large).await), 60);
    server.clock().advance(TimeDelta::minutes(1));
    let reply = ask(&ada, large).await;
    assert_eq!(reply.body["extensions"], told(101, 60, 0));
    // Nothing accumulates beyond the budget.
    server.clock().advance(TimeDelta::hours(1));
    let reply = ask(&ada, CHEAP).await;
    assert_eq!(reply.body["extensions"], told(1, 60, 59));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_persons_tokens_share_a_budget(#[values(Sqlite, Postgres)] on: Database) {
    let server = serve(on, 60).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let input = json!({ "name": "CI" });
    let made = ada.mutate("createApiToken", input, "secret").await;
    let script = server.bearer(&text(&made, "secret"));
    let reply = ask(&script, CHEAP).await;
    assert_eq!(reply.body["extensions"], told(1, 60, 48));
    assert_eq!(wait(&ask(&script, PAGE).await), 3);
    assert_eq!(wait(&ask(&ada, PAGE).await), 3);
    let reply = ask(&bob, PAGE).await;
    assert_eq!(reply.body["extensions"], told(51, 60, 9));
    // Each instance keeps its own count.
    let sibling = server.sibling().await;
    let reply = ask(&sibling.user("ada@example.com"), PAGE).await;
    assert_eq!(reply.body["extensions"], told(51, 60, 9));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_run_is_not_charged(#[values(Sqlite, Postgres)] on: Database) {
    let server = serve(on, 60).await;
    let ada = server.user("ada@example.com");
    let too_much = "{ workspaces(first: 100) { nodes { members(first: 100) { nodes { user { id } } } prompts { totalCount } } } }";
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        (
            "{ workspaces(first: 50) { nothing } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "query($id: ID!) { node(id: $id) { id } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (too_much, "QUERY_TOO_COMPLEX"),
    ] {
        let reply = ada.refused(code, query, json!({})).await;
        assert!(reply.body.get("extensions").is_none(), "{:#}", reply.body);
    }
    let mut url = url::Url::parse(server.url()).expect("a URL");
    url.set_path("graphql");
    let mutation =
        "mutation { createOrganization(input: { name: \"Acme\" }) { organization { id } } }";
    url.query_pairs_mut().append_pair("query", mutation);
    let token = server.token("ada@example.com");
    let reply = Reply::to(server.http().get(url).bearer_auth(token)).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    let reply = ask(&ada, CHEAP).await;
    assert_eq!(reply.body["extensions"], told(1, 60, 59));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_failed_is_not_charged() {
    let Some(cluster) = OwnCluster::start() else {
        return;
    };
    let server = TestServer::with(Sqlite, |config| {
        config.database.url = Some(Secret::new(cluster.url().to_owned()));
        config.limits.cost_per_minute = Some(160);
    })
    .await;
    server.clock().stop();
    let ada = server.user("ada@example.com");
    let reply = ask(&ada, CHEAP).await;
    assert_eq!(reply.body["extensions"], told(1, 160, 159));
    cluster.stop("fast");
    ada.refused("UNAVAILABLE", PAGE, json!({})).await;
    cluster.resume();
    let reply = ask(&ada, PAGE).await;
    assert_eq!(reply.body["extensions"], told(51, 160, 108));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_streams_draw_on_the_same_budget(#[values(Sqlite, Postgres)] on: Database) {
    let server = serve(on, 90).await;
    let ada = Person::new(&server, "ada").await;
    // Creating the office costs 1 and 11.
    let office = Office::of(&ada).await;
    let id = json!({ "id": office.workspace });
    let mut socket = Socket::of(&server, &ada.email).await;
    socket.subscribe("1", CHEAP, json!({})).await;
    let message = socket.receive().await;
    assert_eq!(message["payload"]["extensions"], told(1, 90, 77));
    socket.completes("1").await;

    // A subscription is charged when it begins; its events are not.
    socket.subscribe("2", EVENTS, id.clone()).await;
    socket.settle().await;
    server.clock().advance(TimeDelta::milliseconds(10));
    let input = json!({ "workspaceId": office.workspace, "description": "new" });
    ada.mutate("updateWorkspace", input, "__typename").await;
    let message = socket.receive().await;
    assert_eq!(message["id"], "2", "{message:#}");
    let kind = at(&message, "payload.data.workspaceEvents.kind");
    assert_eq!(*kind, "WORKSPACE_UPDATED");
    assert!(message["payload"].get("extensions").is_none());
    let refused = "subscription { workspaceEvents(workspaceId: \"x\") { kind } }";
    socket.subscribe("3", refused, json!({})).await;
    assert_eq!(socket.error("3").await, "INVALID_INPUT");
    // An invalid subscription never begins, so it is not charged.
    let invalid = "subscription { workspaceEvents(workspaceId: \"x\") { nothing } }";
    socket.subscribe("4", invalid, json!({})).await;
    assert_eq!(socket.error("4").await, "GRAPHQL_VALIDATION_FAILED");
    let token = server.token(&ada.email);
    let mut events = Events::of(&server, &token, PAGE, json!({})).await;
    let result = events.result().await;
    assert_eq!(result["extensions"], told(51, 90, 13));
    events.completes().await;
    let reply = ask(&ada, CHEAP).await;
    assert_eq!(reply.body["extensions"], told(1, 90, 12));

    // Refused over every transport.
    socket.subscribe("5", PAGE, json!({})).await;
    let message = socket.receive().await;
    assert_eq!(message["type"], "error", "{message:#}");
    let error = at(&message, "payload.0.extensions");
    assert_eq!(
        *error,
        json!({ "code": "RATE_LIMITED", "retryAfterSeconds": 26 })
    );
    let mut events = Events::of(&server, &token, PAGE, json!({})).await;
    let result = events.result().await;
    assert_eq!(*at(&result, "errors.0.extensions"), *error);
    events.completes().await;
    for _ in 0..12 {
        ask(&ada, CHEAP).await;
    }
    socket.subscribe("6", EVENTS, id.clone()).await;
    assert_eq!(socket.error("6").await, "RATE_LIMITED");
    server.clock().advance(TimeDelta::seconds(1));
    socket.subscribe("6", EVENTS, id).await;
    socket.settle().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_address_counts(#[values(Sqlite, Postgres)] on: Database) {
    let server = serve(on, 200).await;
    let from = async |address: &str, query: &str| {
        let post = server.post(&json!({ "query": query }));
        Reply::to(post.header("x-forwarded-for", address)).await
    };
    // The playground's introspection query.
    let whole = include_str!("../../src/graphql/limits/tests/introspection.graphql");
    for left in [148, 96, 44] {
        let reply = from("198.51.100.1", whole).await;
        assert!(reply.body["data"]["__schema"].is_object());
        assert_eq!(reply.body["extensions"], told(52, 200, left));
    }
    assert_eq!(wait(&from("198.51.100.1", whole).await), 3);
    let reply = from("198.51.100.2", "{ __typename }").await;
    assert_eq!(reply.body["extensions"], told(1, 200, 199));
    // In IPv6, all addresses of a network share a budget.
    let reply = from("2001:db8::1", "{ __typename }").await;
    assert_eq!(reply.body["extensions"], told(1, 200, 199));
    let reply = from("2001:db8::2", "{ __typename }").await;
    assert_eq!(reply.body["extensions"], told(1, 200, 198));
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    let headers = [protocol, ("x-forwarded-for", "2001:db8::3")];
    let opened = Socket::try_open(&server, "/graphql/ws", &headers).await;
    let mut socket = opened.expect("the socket opens");
    socket.send(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.receive().await["type"], "connection_ack");
    socket.subscribe("1", "{ __typename }", json!({})).await;
    let message = socket.receive().await;
    assert_eq!(message["payload"]["extensions"], told(1, 200, 197));
    // A person who signs in at that address has their own budget.
    let post = server.post(&json!({ "query": PAGE }));
    let post = post.header("x-forwarded-for", "198.51.100.1");
    let reply = Reply::to(post.bearer_auth(server.token("ada@example.com"))).await;
    assert_eq!(reply.body["extensions"], told(51, 200, 149));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn unless_it_is_set_there_is_none(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    for _ in 0..30 {
        let reply = ask(&ada, "{ __typename }").await;
        assert_eq!(reply.body, json!({ "data": { "__typename": "Query" } }));
    }
}
