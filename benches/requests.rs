//! Measures what requests cost inside the server, on SQLite and without a network: `cargo bench`.
//!
//! The example `load` measures how many requests per second a server answers over a network, on either
//! database.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use chrono::{TimeDelta, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry::app::SystemClock;
use tenantry::config::Config;
use tenantry::http::Server;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const NAVIGATION: &str = "{ navigationState {
    viewer { id name } currentWorkspace { id slug }
    organizations { id name slug viewerAccess { role permissions } }
    workspaces { id name slug viewerRole organization { id } }
} }";

const WORKSPACES: &str = "{ workspaces(first: 50) {
    nodes { id name slug viewerRole organization { id name slug } }
    pageInfo { hasNextPage endCursor }
} }";

const CREATE: &str = "mutation($input: CreateWorkspaceInput!) {
    createWorkspace(input: $input) { workspace { id slug } organization { id } }
}";

/// A server without a listener, and a signed-in person.
struct Bench {
    router: Router,
    token: String,
    _data_dir: TempDir,
}

impl Bench {
    /// Creates a server whose viewer has 50 workspaces.
    async fn new() -> Self {
        let data_dir = TempDir::new().expect("a temporary folder");
        let mut config = Config {
            data_dir: data_dir.path().to_owned(),
            ..Config::default()
        };
        config.http.port = 0;
        let server = Server::start(config, Arc::new(SystemClock)).await;
        let server = server.expect("the server starts");
        let key = server
            .development_key()
            .expect("development identities are on");
        let token = key.sign(
            "ada@example.com",
            Some("Ada"),
            Utc::now(),
            TimeDelta::days(1),
        );
        let bench = Self {
            router: server.into_router(),
            token,
            _data_dir: data_dir,
        };
        let mut organization = json!({ "create": {} });
        for nth in 0..50 {
            let name = format!("Rocket {nth}");
            let input = json!({ "name": name, "organization": organization });
            let made = bench.send(CREATE, json!({ "input": input })).await;
            let made: Value = serde_json::from_slice(&made).expect("JSON");
            organization = json!({ "id": made["data"]["createWorkspace"]["organization"]["id"] });
        }
        bench
    }

    async fn send(&self, query: &str, variables: Value) -> Vec<u8> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::from(body))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await;
        let response = response.unwrap_or_else(|never| match never {});
        let body = to_bytes(response.into_body(), usize::MAX).await;
        let body = body.expect("a body").to_vec();
        assert!(
            body.starts_with(b"{\"data\":"),
            "{}",
            String::from_utf8_lossy(&body)
        );
        body
    }
}

fn requests(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let bench = runtime.block_on(Bench::new());
    let mut query = |name: &str, query: &str| {
        criterion.bench_function(name, |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| bench.send(query, json!({})));
        });
    };
    query("one field", "{ viewer { id } }");
    query("navigation state", NAVIGATION);
    query("50 workspaces", WORKSPACES);
    query(
        "introspection",
        include_str!("../examples/load/introspection.graphql"),
    );
    let mut nth = 0;
    criterion.bench_function("createWorkspace", |bencher| {
        bencher.to_async(&runtime).iter(|| {
            nth += 1;
            let input =
                json!({ "name": format!("Rocket {} {nth}", Utc::now().timestamp_micros()) });
            bench.send(CREATE, json!({ "input": input }))
        });
    });
}

criterion_group!(benches, requests);
criterion_main!(benches);
