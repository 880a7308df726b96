//! GraphQL over HTTP: what is asked how, and how it is answered.

use chrono::TimeDelta;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use url::Url;

use crate::support::{Database, Events, Postgres, Reply, Socket, Sqlite, TestIssuer, TestServer};

const RESPONSE: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("the server answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.expect("a whole body");
    Reply {
        status,
        headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

fn post(server: &TestServer, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let url = format!("{}/graphql", server.url());
    server.http().post(url).body(body)
}

fn post_json(server: &TestServer, body: &Value) -> RequestBuilder {
    post(server, body.to_string()).header("content-type", JSON)
}

fn get(server: &TestServer, parameters: &[(&str, &str)]) -> RequestBuilder {
    let url = Url::parse_with_params(&format!("{}/graphql", server.url()), parameters);
    server.http().get(url.expect("a URL"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).map(HeaderValue::to_str);
    value.and_then(Result::ok).unwrap_or_default()
}

/// A request that was refused before it was executed has errors and nothing else.
fn assert_request_error(reply: &Reply, code: &str) {
    assert_eq!(reply.code(), code, "{:#}", reply.body);
    assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_there_is_the_schema_and_nothing_else(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let nobody = server.anonymous();
    let schema = nobody
        .ok("{ __typename __schema { queryType { name } } }", json!({}))
        .await;
    assert_eq!(schema["__typename"], "Query");

    let every_field = [
        "{ viewer { id } }",
        "{ navigationState { __typename } }",
        "{ organizations { totalCount } }",
        "{ organization(by: { slug: \"acme\" }) { id } }",
        "{ organizationAccess(organizationId: \"x\") { role } }",
        "{ workspaces { totalCount } }",
        "{ workspaces(first: 0) { totalCount } }",
        "{ workspace(by: { id: \"x\" }) { id } }",
        "{ slugAvailability(slug: \"acme\") { isAvailable } }",
        "{ node(id: \"x\") { id } }",
        "{ nodes(ids: [\"x\"]) { id } }",
        "mutation { createOrganization(input: { name: \"\" }) { organization { id } } }",
        "mutation { generateWorkspaceIconUploadUrl { storageId } }",
        "mutation { setEnabledProviders(input: { workspaceId: \"x\", providers: [] }) { __typename } }",
        "mutation { createPrompts(input: { workspaceId: \"x\", prompts: [] }) { prompts { id } } }",
        "mutation { updatePrompt(input: { promptId: \"x\" }) { prompt { id } } }",
        "mutation { deletePrompt(input: { promptId: \"x\" }) { deletedId } }",
        "mutation { setSchedule(input: { workspaceId: \"x\" }) { runRequest { status } } }",
        "mutation { startRun(input: { workspaceId: \"x\" }) { runRequest { status } } }",
        "mutation { cancelRun(input: { runId: \"x\" }) { run { id } } }",
        "mutation { deleteWorkspace(input: { workspaceId: \"x\" }) { workspace { id } } }",
    ];
    for query in every_field {
        let reply = nobody.refused("UNAUTHENTICATED", query, json!({})).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}");
    }
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
        let reply = send(post_json(&server, &query).header("authorization", bad)).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{bad:?}");
        assert!(
            header(&reply.headers, "www-authenticate").starts_with("Bearer"),
            "{bad:?}"
        );
        assert_request_error(&reply, "UNAUTHENTICATED");
    }
    // Of several, none is taken.
    let (good, bad) = (format!("Bearer {token}"), "Bearer nonsense".to_owned());
    for (one, other) in [(&good, &good), (&good, &bad), (&bad, &good)] {
        for path in ["/graphql", "/graphql/stream"] {
            let request = server.http().post(format!("{}{path}", server.url()));
            let request = request.header("authorization", one);
            let reply = send(request.header("authorization", other).json(&query)).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_request_error(&reply, "UNAUTHENTICATED");
        }
    }
    // The scheme's case does not matter.
    let request = post_json(&server, &query).header("authorization", format!("bEARER {token}"));
    assert_eq!(send(request).await.status, StatusCode::OK);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn introspection_that_is_switched_off_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| config.graphql.introspection = false).await;
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
        // The document, whichever of its operations runs.
        (
            "query A { __typename } query B { __schema { description } }",
            Some("A"),
        ),
    ] {
        let params = json!({ "query": query, "operationName": operation });
        for client in [
            post_json(&server, &params),
            post_json(&server, &params).bearer_auth(&token),
        ] {
            let reply = send(client).await;
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
    let reply = send(post_json(&server, &query).bearer_auth(&token)).await;
    let named = json!({ "__typename": "Query", "viewer": { "__typename": "User" } });
    assert_eq!(reply.body["data"], named);
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
        let request = post_json(&server, &query).bearer_auth(&token);
        send(request).await.status
    };
    assert_eq!(status().await, StatusCode::OK);
    server
        .clock()
        .advance(TimeDelta::minutes(10) - TimeDelta::seconds(5));
    assert_eq!(status().await, StatusCode::OK);
    // Past its end, and past the leeway that clocks are given.
    server.clock().advance(TimeDelta::seconds(70));
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
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
        let reply = send(request).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media}");
        assert!(reply.body.get("data").is_none());
    }
    let reply = send(post(&server, typename.to_string())).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let utf8 = "application/JSON; charset=utf-8";
    let request = post(&server, typename.to_string()).header("content-type", utf8);
    assert_eq!(send(request).await.status, StatusCode::OK);

    // Whoever is still sending comes to read the reply.
    for length in [1024 * 1024, 6 * 1024 * 1024] {
        let mut long = typename.clone();
        long["padding"] = "x".repeat(length).into();
        let reply = send(post_json(&server, &long)).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
        let reply = send(post(&server, "x".repeat(length))).await;
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
        let reply = send(post(&server, malformed).header("content-type", JSON)).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{malformed}");
        assert!(
            reply.body["errors"][0]["message"].is_string(),
            "{malformed}"
        );
        assert!(reply.body.get("data").is_none(), "{malformed}");
    }
    let not_utf8 = post(&server, vec![b'{', b'"', 0xff, b'"', b'}']).header("content-type", JSON);
    assert_eq!(send(not_utf8).await.status, StatusCode::BAD_REQUEST);

    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let request = server
            .http()
            .request(method, format!("{}/graphql", server.url()));
        let reply = send(request).await;
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
    let reply = send(operation("A")).await;
    assert_eq!(reply.status, StatusCode::OK, "{:#}", reply.body);
    assert_eq!(reply.body["data"]["slugAvailability"]["isAvailable"], true);

    let reply = send(operation("B")).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&reply.headers, "allow"), "POST");
    assert!(reply.body.get("data").is_none());
    let list = server.bearer(&token);
    let list = list.ok("{ organizations { totalCount } }", json!({})).await;
    assert_eq!(list["organizations"]["totalCount"], 0);

    let reply = send(get(
        &server,
        &[("query", "{ __typename }"), ("variables", "{")],
    ))
    .await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        send(get(&server, &[])).await.status,
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
            let request = post_json(&server, &query).header("accept", accept);
            let reply = send(request.bearer_auth(&token)).await;
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
        let mut request = post_json(&server, &query);
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let reply = send(request).await;
        assert_eq!(reply.status, StatusCode::OK, "{accept:?}");
        let media = header(&reply.headers, "content-type");
        assert_eq!(media, format!("{wanted}; charset=utf-8"), "{accept:?}");
    }
    let reply = send(post_json(&server, &query).header("accept", "image/png")).await;
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
        let reply = send(post_json(&server, &query).header("x-request-id", brought)).await;
        let given = header(&reply.headers, "x-request-id");
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
        let one = send(server.http().get(format!("{}{path}", server.url()))).await;
        let two = send(server.http().get(format!("{}{path}", server.url()))).await;
        let id = |reply: &Reply| header(&reply.headers, "x-request-id").to_owned();
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
    let id = header(&reply.headers, "x-request-id");
    assert_eq!(reply.body["errors"][0]["extensions"]["requestId"], id);
    ada.ok("{ viewer { id } }", json!({})).await;
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
async fn pages_of_this_machine_and_of_configured_origins_may_call(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| {
        config.http.allowed_origins = vec!["https://app.example.com".to_owned()];
    })
    .await;
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("http://localhost:5173", true),
        ("http://app.localhost:3000", true),
        ("http://127.0.0.1:3000", true),
        ("http://[::1]:3000", true),
        ("https://example.com", false),
        ("http://app.example.com", false),
        ("https://app.example.com.evil.example", false),
        ("http://localhost.evil.example", false),
        ("http://127.0.0.1.evil.example", false),
        ("null", false),
    ] {
        let url = format!("{}/graphql", server.url());
        let preflight = server
            .http()
            .request(Method::OPTIONS, url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization, content-type",
            );
        let preflight = send(preflight).await;
        let query = json!({ "query": "{ __typename }" });
        let reply = send(post_json(&server, &query).header("origin", origin)).await;
        for headers in [&preflight.headers, &reply.headers] {
            let given = header(headers, "access-control-allow-origin");
            assert_eq!(given, if allowed { origin } else { "" });
        }
        assert!(
            !preflight
                .headers
                .contains_key("access-control-allow-credentials")
        );
        let exposed = header(&reply.headers, "access-control-expose-headers");
        assert!(exposed.contains("retry-after") && exposed.contains("x-request-id"));
    }
}
