//! The audits of GraphQL over HTTP, by the package `graphql-http`, which needs Node and its modules:
//! `npm ci` in `tests/audits`.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use rstest::rstest;
use tokio::task::block_in_place;

use crate::support::{Database, Postgres, Sqlite, TestServer};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_audit_of_graphql_over_http_passes(#[values(Sqlite, Postgres)] on: Database) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audits");
    let node = Command::new("node").arg("--version").output();
    if node.is_err() || !folder.join("node_modules/graphql-http").is_dir() {
        // Not by a macro, whose output is shown of tests that fail only.
        let says =
            "\nGraphQL over HTTP WAS NOT AUDITED: install Node, and run npm ci in tests/audits\n\n";
        let _ = std::io::stderr().write_all(says.as_bytes());
        return;
    }
    let server = TestServer::start(on).await;
    let mut command = Command::new("node");
    command
        .arg("run.mjs")
        .current_dir(folder)
        .env("AUDIT_URL", format!("{}/graphql", server.url()))
        .env("AUDIT_TOKEN", server.token("ada@example.com"));
    let output = block_in_place(|| command.output()).expect("node can be run");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failed}");
    assert!(said.contains("61 of 61 audits pass"), "{said}");
}
