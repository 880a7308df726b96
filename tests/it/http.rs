//! GraphQL over HTTP: the forms of requests and of replies.

use reqwest::{Method, RequestBuilder, StatusCode};
use rstest::rstest;
use serde_json::json;
use tenantry::db::PoolStatus;
use url::Url;

use crate::support::office::{Office, Person};
use crate::support::{
    BusyWriter, Database, Events, Postgres, Reply, Socket, Sqlite, TestServer, until,
};

const RESPONSE: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

fn post(server: &TestServer, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let url = format!("{}/graphql", server.url());
    server.http().post(url).body(body)
}

fn get(server: &TestServer, parameters: &[(&str, &str)]) -> RequestBuilder {
    let url = Url::parse_with_params(&format!("{}/graphql", server.url()), parameters);
    server.http().get(url.expect("a URL"))
}

/// Asserts that a request refused before execution has errors and nothing else.
fn assert_request_error(reply: &Reply, code: &str) {
    assert_eq!(reply.code(), code, "{:#}", reply.body);
    assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn introspection_that_is_switched_off_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| config.graphql.introspection = false).await;
    let schema = format!("{}/schema.graphql", server.url());
    let schema = server.http().get(schema).send().await.expect("an answer");
    assert_eq!(schema.status(), StatusCode::NOT_FOUND);
    let token = server.token("ada@example.com");
    let mut socket = Socket::signed_in(&server, &token).await;
    for (query, operation) in [
        ("{ __schema { types { name } } }", None),
        ("{ __type(name: \"User\") { name } }", None),
        ("{ viewer { id } __schema { description } }", None),
        (
            "{ ... { ...Asks } } fragment Asks on Query { a: __typename s: __schema { description } }",
            None,
        ),
        // The whole document counts, whichever operation runs.
        (
            "query A { __typename } query B { __schema { description } }",
            Some("A"),
        ),
    ] {
        let params = json!({ "query": query, "operationName": operation });
        for client in [
            server.post(&params),
            server.post(&params).bearer_auth(&token),
        ] {
            let reply = Reply::to(client).await;
            assert_request_error(&reply, "GRAPHQL_VALIDATION_FAILED");
            let message = &reply.body["errors"][0]["message"];
            assert_eq!(message, "Introspection is switched off.", "{query}");
        }
        if operation.is_none() {
            socket.subscribe("1", query, json!({})).await;
            assert_eq!(
                socket.error("1").await,
                "GRAPHQL_VALIDATION_FAILED",
                "{query}"
            );
            let mut events = Events::of(&server, &token, query, json!({})).await;
            let result = events.result().await;
            let code = &result["errors"][0]["extensions"]["code"];
            assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}");
            assert!(result.get("data").is_none(), "{result:#}");
            events.completes().await;
        }
    }
    let query = json!({ "query": "{ __typename viewer { __typename } }" });
    let reply = Reply::to(server.post(&query).bearer_auth(&token)).await;
    let named = json!({ "__typename": "Query", "viewer": { "__typename": "User" } });
    assert_eq!(reply.body["data"], named);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_may_look_like(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let typename = json!({ "query": "{ __typename }" });

    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let request = post(&server, typename.to_string()).header("content-type", media);
        let reply = Reply::to(request).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media}");
        assert!(reply.body.get("data").is_none());
    }
    let reply = Reply::to(post(&server, typename.to_string())).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let utf8 = "application/JSON; charset=utf-8";
    let request = post(&server, typename.to_string()).header("content-type", utf8);
    assert_eq!(Reply::to(request).await.status, StatusCode::OK);

    // A client that is still sending gets to read the reply.
    for length in [1024 * 1024, 6 * 1024 * 1024] {
        let mut long = typename.clone();
        long["padding"] = "x".repeat(length).into();
        let reply = Reply::to(server.post(&long)).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
        let reply = Reply::to(post(&server, "x".repeat(length))).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    for malformed in [
        "",
        "{",
        "null",
        "7",
        "\"{ __typename }\"",
        "[]",
        r#"[{ "query": "{ __typename }" }]"#,
        "{}",
        r#"{ "query": null }"#,
        r#"{ "query": 7 }"#,
        r#"{ "query": "{ __typename }", "variables": "x" }"#,
        r#"{ "query": "{ __typename }", "variables": [] }"#,
        r#"{ "query": "{ __typename }", "operationName": 7 }"#,
        r#"{ "query": "{ __typename }", "extensions": 7 }"#,
        "{ \"query\": \"{ __typename }\u{0}\" }",
    ] {
        let reply = Reply::to(post(&server, malformed).header("content-type", JSON)).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{malformed}");
        assert!(
            reply.body["errors"][0]["message"].is_string(),
            "{malformed}"
        );
        assert!(reply.body.get("data").is_none(), "{malformed}");
    }
    let not_utf8 = post(&server, vec![b'{', b'"', 0xff, b'"', b'}']).header("content-type", JSON);
    assert_eq!(Reply::to(not_utf8).await.status, StatusCode::BAD_REQUEST);

    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let request = server
            .http()
            .request(method, format!("{}/graphql", server.url()));
        let reply = Reply::to(request).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_query_may_come_by_get_and_a_mutation_may_not(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let token = server.token("ada@example.com");
    let query = "query A($slug: String!) { slugAvailability(slug: $slug) { isAvailable } }
        mutation B { createOrganization(input: { name: \"Acme\" }) { organization { id } } }";
    let variables = r#"{ "slug": "acme" }"#;
    let operation = |name| {
        let parameters = [
            ("query", query),
            ("variables", variables),
            ("operationName", name),
        ];
        get(&server, &parameters).bearer_auth(&token)
    };
    let reply = Reply::to(operation("A")).await;
    assert_eq!(reply.status, StatusCode::OK, "{:#}", reply.body);
    assert_eq!(reply.body["data"]["slugAvailability"]["isAvailable"], true);

    let reply = Reply::to(operation("B")).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.header("allow"), "POST");
    assert!(reply.body.get("data").is_none());
    let list = server.bearer(&token);
    let list = list.ok("{ organizations { totalCount } }", json!({})).await;
    assert_eq!(list["organizations"]["totalCount"], 0);

    let reply = Reply::to(get(
        &server,
        &[("query", "{ __typename }"), ("variables", "{")],
    ))
    .await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        Reply::to(get(&server, &[])).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_run_is_refused_whole(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let token = server.token("ada@example.com");
    for (code, query) in [
        ("GRAPHQL_PARSE_FAILED", json!({ "query": "" })),
        ("GRAPHQL_PARSE_FAILED", json!({ "query": "{" })),
        ("GRAPHQL_PARSE_FAILED", json!({ "query": "\u{0}" })),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "{ nonsense }" }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "{ viewer }" }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "{ viewer { id(x: 1) } }" }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "{ node { id } }" }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "query A { __typename } query B { __typename }" }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "query A { __typename }", "operationName": "B" }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "query($id: ID!) { node(id: $id) { id } }" }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "query($id: ID!) { node(id: $id) { id } }", "variables": { "id": null } }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "query($n: Int) { workspaces(first: $n) { totalCount } }", "variables": { "n": "x" } }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "query($by: WorkspaceBy!) { workspace(by: $by) { id } }", "variables": { "by": {} } }),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "query": "query($by: WorkspaceBy!) { workspace(by: $by) { id } }", "variables": { "by": { "id": "x", "slug": "x" } } }),
        ),
    ] {
        for (accept, status) in [(JSON, StatusCode::OK), (RESPONSE, StatusCode::BAD_REQUEST)] {
            let request = server.post(&query).header("accept", accept);
            let reply = Reply::to(request.bearer_auth(&token)).await;
            assert_request_error(&reply, code);
            assert_eq!(reply.status, status, "{query} {accept}");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_reply_has_the_media_type_that_is_asked_for(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let query = json!({ "query": "{ __typename }" });
    for (accept, wanted) in [
        (None, JSON),
        (Some("*/*"), JSON),
        (Some("application/*"), JSON),
        (Some(JSON), JSON),
        (Some(RESPONSE), RESPONSE),
        (
            Some("application/graphql-response+json, application/json;q=0.9"),
            RESPONSE,
        ),
        (
            Some("application/graphql-response+json;q=0.2, application/json"),
            JSON,
        ),
        (Some("Application/JSON; charset=utf-8"), JSON),
    ] {
        let mut request = server.post(&query);
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let reply = Reply::to(request).await;
        assert_eq!(reply.status, StatusCode::OK, "{accept:?}");
        let media = reply.header("content-type");
        assert_eq!(media, format!("{wanted}; charset=utf-8"), "{accept:?}");
    }
    let reply = Reply::to(server.post(&query).header("accept", "image/png")).await;
    assert_eq!(reply.status, StatusCode::NOT_ACCEPTABLE);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_reply_has_a_request_id(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let query = json!({ "query": "{ __typename }" });
    for (brought, taken) in [
        ("abc-123_x.y:z", true),
        ("a b", false),
        ("", false),
        ("\"quoted\"", false),
        (&"x".repeat(128), true),
        (&"x".repeat(129), false),
    ] {
        let reply = Reply::to(server.post(&query).header("x-request-id", brought)).await;
        let given = reply.header("x-request-id");
        assert_eq!(given == brought, taken, "{brought}");
        assert!(!given.is_empty());
    }
    for path in [
        "/graphql",
        "/healthz",
        "/readyz",
        "/schema.graphql",
        "/nowhere",
        "/",
    ] {
        let one = Reply::to(server.http().get(format!("{}{path}", server.url()))).await;
        let two = Reply::to(server.http().get(format!("{}{path}", server.url()))).await;
        let id = |reply: &Reply| reply.header("x-request-id").to_owned();
        assert!(!id(&one).is_empty(), "{path}");
        assert_ne!(id(&one), id(&two), "{path}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_is_answered_for(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    server.clock().break_for(1);
    let reply = ada.send("{ viewer { id } }", json!({})).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.code(), "INTERNAL");
    let id = reply.header("x-request-id");
    assert_eq!(reply.body["errors"][0]["extensions"]["requestId"], id);
    ada.ok("{ viewer { id } }", json!({})).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_that_panics_is_answered_for(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(RESPONSE, JSON)] accept: &str,
) {
    let server = TestServer::with(on, |config| config.database.max_connections = 1).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let busy = BusyWriter::of(&server).await;
    let query = "mutation($input: UpdateWorkspaceInput!) {
        updateWorkspace(input: $input) { workspace { id } }
    }";
    let input = json!({ "workspaceId": office.workspace, "description": "Never" });
    let request = json!({ "query": query, "variables": { "input": input } });
    let request = server.post(&request).header("accept", accept);
    let request = request.bearer_auth(server.token(&ada.email));
    let panicking = async {
        let waits = |pool: &PoolStatus| pool.name == "write" && pool.waiting > 0;
        let pools = || server.app().db.pools();
        until("it waits", async || pools().iter().any(waits)).await;
        server.clock().break_for(1);
        busy.end().await;
    };
    let (reply, ()) = tokio::join!(Reply::to(request), panicking);
    assert!(server.clock().is_whole());
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_request_error(&reply, "INTERNAL");
    let id = reply.header("x-request-id");
    assert_eq!(reply.extensions()["requestId"], id);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_the_schema_are_there_for_everyone(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    for path in ["/healthz", "/readyz", "/schema.graphql"] {
        let url = format!("{}{path}", server.url());
        let reply = server.http().get(url).send().await.expect("an answer");
        assert_eq!(reply.status(), StatusCode::OK, "{path}");
        let body = reply.text().await.expect("text");
        assert!(path != "/schema.graphql" || body.contains("type Workspace implements Node"));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn variables_hold_so_many_values(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ask = async |count: usize| {
        let variables = json!({ "nobody": { "uses": vec![0; count - 2] } });
        let params = json!({ "query": "{ __typename }", "variables": variables });
        Reply::to(server.post(&params)).await
    };
    assert_eq!(ask(100_000).await.body["data"]["__typename"], "Query");
    let refused = ask(100_001).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let message = "The parameter variables may hold at most 100,000 values.";
    assert_eq!(refused.message(), message);
}
