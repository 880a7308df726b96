//! Signing in: whose requests are answered, and how long a token is valid.

use chrono::TimeDelta;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::support::introspection::{Ids, Schema};
use crate::support::{Database, Events, Postgres, Reply, Socket, Sqlite, TestIssuer, TestServer};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_there_is_the_schema_and_nothing_else(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let nobody = server.anonymous();
    let schema = Schema::read(&nobody).await;
    let named = nobody.ok("{ __typename }", json!({})).await;
    assert_eq!(named["__typename"], "Query");

    // Without credentials, no mistake in an operation is reported.
    let ids = Ids {
        path: &[],
        id: "",
        others: &|_| "nonsense".to_owned(),
    };
    let operations = |root: &str| {
        let fields = schema.fields(root);
        assert!(fields.len() > 1, "introspection finds the fields");
        let operations = fields.iter().map(|field| schema.operation(field, &ids));
        operations.collect::<Vec<_>>()
    };
    for (query, variables) in [operations("Query"), operations("Mutation")].concat() {
        let reply = nobody.refused("UNAUTHENTICATED", &query, variables).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}");
    }
    let mut socket = Socket::open(&server).await;
    socket.send(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.receive().await["type"], "connection_ack");
    for (query, variables) in operations("Subscription") {
        socket.subscribe("1", &query, variables.clone()).await;
        assert_eq!(socket.error("1").await, "UNAUTHENTICATED", "{query}");
        let url = format!("{}/graphql/stream", server.url());
        let body = json!({ "query": query, "variables": variables });
        let mut events = Events::read(server.http().post(url).json(&body)).await;
        let result = events.result().await;
        let code = &result["errors"][0]["extensions"]["code"];
        assert_eq!(code, "UNAUTHENTICATED", "{query}");
        events.completes().await;
    }
    nobody
        .refused(
            "UNAUTHENTICATED",
            "{ workspaces(first: 0) { totalCount } }",
            json!({}),
        )
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_not_valid_are_never_nobodys(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let token = server.token("ada@example.com");
    let (message, _) = token.rsplit_once('.').expect("a JWT");
    let query = json!({ "query": "{ __typename }" });
    for bad in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer a.b.c",
        &format!("Bearer {message}."),
        &format!("Bearer {token}x"),
        &format!("Basic {token}"),
        token.as_str(),
        "Bearer tnt_nonsense",
    ] {
        let reply = Reply::to(server.post(&query).header("authorization", bad)).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{bad:?}");
        assert!(
            reply.header("www-authenticate").starts_with("Bearer"),
            "{bad:?}"
        );
        assert_eq!(reply.code(), "UNAUTHENTICATED", "{:#}", reply.body);
        assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
    }
    // Of several headers, none is accepted.
    let (good, bad) = (format!("Bearer {token}"), "Bearer nonsense".to_owned());
    for (one, other) in [(&good, &good), (&good, &bad), (&bad, &good)] {
        for path in ["/graphql", "/graphql/stream"] {
            let request = server.http().post(format!("{}{path}", server.url()));
            let request = request.header("authorization", one);
            let reply = Reply::to(request.header("authorization", other).json(&query)).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(reply.code(), "UNAUTHENTICATED", "{:#}", reply.body);
            assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
        }
    }
    // The scheme is case-insensitive.
    let request = server
        .post(&query)
        .header("authorization", format!("bEARER {token}"));
    assert_eq!(Reply::to(request).await.status, StatusCode::OK);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_issuer_has_just_taken_into_use_is_found(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    let status = async |issuer: &TestIssuer| {
        let client = server.bearer(&issuer.token("ada@example.com", json!({})));
        client.send("{ viewer { id } }", json!({})).await.status
    };
    assert_eq!(status(&issuer).await, StatusCode::OK);
    let rotated = issuer.rotated(&server.app().config.data_dir);
    assert_eq!(status(&rotated).await, StatusCode::OK);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_on_time_though_it_was_verified_before(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let issued = server.app().now().to_utc();
    let token = server.token_for("ada@example.com", issued, TimeDelta::minutes(10));
    let query = json!({ "query": "{ viewer { email } }" });
    let status = async || {
        let request = server.post(&query).bearer_auth(&token);
        Reply::to(request).await.status
    };
    assert_eq!(status().await, StatusCode::OK);
    server
        .clock()
        .advance(TimeDelta::minutes(10) - TimeDelta::seconds(5));
    assert_eq!(status().await, StatusCode::OK);
    // Past its expiry, and past the leeway for differing clocks.
    server.clock().advance(TimeDelta::seconds(70));
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
}
