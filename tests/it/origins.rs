//! Which pages may call the API and open sockets.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use url::Url;

use crate::support::{Database, Postgres, Reply, Socket, Sqlite, TestIssuer, TestServer};

const CONFIGURED: &str = "https://app.example.com";

/// Pages served from this machine.
const LOCAL: [&str; 4] = [
    "http://localhost:5173",
    "http://app.localhost:3000",
    "http://127.0.0.1:3000",
    "http://[::1]:3000",
];

const FOREIGN: [&str; 6] = [
    "https://example.com",
    "http://app.example.com",
    "https://app.example.com.evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "null",
];

/// Whether a page may call the API, according to both the preflight and the actual request.
async fn may_call(server: &TestServer, origin: &str) -> bool {
    let url = format!("{}/graphql", server.url());
    let preflight = server.http().request(Method::OPTIONS, url);
    let headers = "authorization, content-type";
    let preflight = preflight
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", headers);
    let preflight = Reply::to(preflight.header("origin", origin)).await;
    let request = server.post(&json!({ "query": "{ __typename }" }));
    let reply = Reply::to(request.header("origin", origin)).await;

    let credentials = preflight.header("access-control-allow-credentials");
    assert_eq!(credentials, "", "{origin}");
    let exposed = reply.header("access-control-expose-headers");
    assert!(exposed.contains("retry-after") && exposed.contains("x-request-id"));
    let allowed = preflight.header("access-control-allow-origin");
    assert_eq!(reply.header("access-control-allow-origin"), allowed);
    assert!([origin, ""].contains(&allowed), "{allowed} is not {origin}");
    allowed == origin
}

/// Whether a page may open a socket, for which browsers send no preflight.
async fn may_open_socket(server: &TestServer, origin: &str) -> bool {
    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("origin", origin),
    ];
    match Socket::try_open(server, "/graphql/ws", &headers).await {
        Ok(_) => true,
        Err(status) => {
            assert_eq!(status, 403, "{origin}");
            false
        }
    }
}

/// Development identities are there for developing pages on the same machine.
#[rstest]
#[case::of_nobody_else(false, None, true)]
#[case::beside_an_issuer(true, Some(true), true)]
#[case::off_for_an_issuer(true, None, false)]
#[case::off(false, Some(false), false)]
#[tokio::test(flavor = "multi_thread")]
async fn configured_pages_may_and_with_development_identities_those_of_this_machine(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] with_issuer: bool,
    #[case] development: Option<bool>,
    #[case] local: bool,
) {
    let server = TestServer::with(on, |config| {
        config.http.allowed_origins = vec![CONFIGURED.to_owned()];
        config.auth.development = development;
        if with_issuer {
            TestIssuer::new().configure(config);
        }
    })
    .await;
    let local = LOCAL.map(|origin| (origin, local));
    let foreign = FOREIGN.map(|origin| (origin, false));
    for (origin, is_allowed) in [(CONFIGURED, true)].iter().chain(&local).chain(&foreign) {
        assert_eq!(may_call(&server, origin).await, *is_allowed, "{origin}");
        let opens = may_open_socket(&server, origin).await;
        assert_eq!(opens, *is_allowed, "{origin}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_pages_may_open_sockets(#[values(Sqlite, Postgres)] on: Database) {
    let public = "https://tenantry.example.com";
    let server = TestServer::with(on, |config| {
        config.auth.development = Some(false);
        config.public_url = Some(Url::parse(public).expect("a URL"));
    })
    .await;
    // Whatever name the server is reached by.
    let port = server.url().rsplit_once(':').expect("a port").1;
    for (origin, is_allowed) in [
        (server.url(), true),
        (public, true),
        ("http://tenantry.example.com", false),
        ("https://tenantry.example.com:8443", false),
        (&format!("http://localhost:{port}"), false),
    ] {
        let opens = may_open_socket(&server, origin).await;
        assert_eq!(opens, is_allowed, "{origin}");
    }
}
