//! Stopping runs.

use rstest::rstest;
use serde_json::json;
use tenantry::access::WorkspaceRole;

use super::{cancel, events, shown, started};
use crate::support::collecting::prompts;
use crate::support::{Database, Postgres, Sqlite, TestServer, home};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_stopped_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let mia = server
        .member("mia@example.com", &home, WorkspaceRole::Member)
        .await;
    let run = started(&ada, &home.workspace).await;
    let stopped = cancel(&mia, &run).await;
    assert_eq!(stopped["status"], "CANCELLED");
    assert!(stopped["finishedAt"].is_string());
    let again = json!({ "runId": run });
    ada.mutate_refused("CONFLICT", "cancelRun", again).await;
    let kinds = events(&ada, &home.workspace).await;
    assert_eq!(kinds, ["RUN_CANCELLED", "RUN_QUEUED"]);
    assert_ne!(started(&ada, &home.workspace).await, run);
    // The one that was stopped stays stopped.
    assert_eq!(shown(&ada, &run).await["status"], "CANCELLED");
    ada.mutate_refused("CONFLICT", "cancelRun", json!({ "runId": run }))
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_may_not_be_seen_is_not_there(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let run = started(&ada, &home.workspace).await;
    let eve = server.user("eve@example.com");
    let input = json!({ "runId": run });
    let reply = eve.mutate_refused("NOT_FOUND", "cancelRun", input).await;
    let none = json!({ "runId": "run_01jv9k6rm5e2qscx1y2p9r8z4d" });
    let other = eve.mutate_refused("NOT_FOUND", "cancelRun", none).await;
    assert_eq!(
        reply.body["errors"][0]["message"],
        other.body["errors"][0]["message"]
    );
    assert!(shown(&eve, &run).await.is_null());
    assert_eq!(shown(&ada, &run).await["status"], "QUEUED");
    let bad = ada
        .mutate_refused("INVALID_INPUT", "cancelRun", json!({ "runId": "nonsense" }))
        .await;
    assert_eq!(bad.violations(), ["runId"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_workspace_stops_its_run(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home_ = home(&ada, "Rocket").await;
    home(&ada, "Other").await;
    prompts(&ada, &home_.workspace, &["One?"]).await;
    let run = started(&ada, &home_.workspace).await;
    let id = json!({ "workspaceId": home_.workspace });
    ada.mutate("deleteWorkspace", id.clone(), "workspace { id }")
        .await;
    assert!(shown(&ada, &run).await.is_null());
    ada.mutate_refused("CONFLICT", "cancelRun", json!({ "runId": run }))
        .await;
    ada.mutate_refused("CONFLICT", "startRun", id.clone()).await;
    ada.mutate("restoreWorkspace", id, "workspace { id }").await;
    assert_eq!(shown(&ada, &run).await["status"], "CANCELLED");
    let kinds = events(&ada, &home_.workspace).await;
    assert_eq!(kinds, ["RUN_CANCELLED", "RUN_QUEUED"]);
}
