//! The audits of GraphQL over HTTP by the package `graphql-http`. They need Node and its modules: `npm
//! ci` in `tests/audits`.

use std::process::Command;

use rstest::rstest;

use crate::support::optional::{folder, has_node_modules, is_there, said_by};
use crate::support::{Database, Postgres, Sqlite, TestServer};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_audit_of_graphql_over_http_passes(#[values(Sqlite, Postgres)] on: Database) {
    let folder = folder("tests/audits");
    if !is_there(
        has_node_modules(&folder, "graphql-http"),
        "GraphQL over HTTP was NOT audited: install Node, and run npm ci in tests/audits.",
    ) {
        return;
    }
    let server = TestServer::start(on).await;
    let said = said_by(
        Command::new("node")
            .arg("run.mjs")
            .current_dir(folder)
            .env("AUDIT_URL", format!("{}/graphql", server.url()))
            .env("AUDIT_TOKEN", server.token("ada@example.com")),
    );
    assert!(said.contains("61 of 61 audits pass"), "{said}");
}
