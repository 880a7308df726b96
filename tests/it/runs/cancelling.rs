//! Cancelling runs.

use chrono::TimeDelta;
use futures_util::future::join;
use rstest::rstest;
use serde_json::json;
use tenantry::access::WorkspaceRole;
use tenantry::db::Kind;
use tenantry::models::run::HolderId;
use tenantry::models::run::work::{self, Lease};

use super::{cancel, events, shown, started};
use crate::support::collecting::prompts;
use crate::support::slow::Slow;
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
    // The cancelled run stays cancelled.
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

/// The worker has stored the last answer and comes second. Not on SQLite, which has one writer at a
/// time.
#[tokio::test(flavor = "multi_thread")]
async fn of_stopping_and_ending_at_once_the_first_counts() {
    let server = TestServer::start(Postgres).await;
    if server.app().db.kind() == Kind::Sqlite {
        return;
    }
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let id = started(&ada, &home.workspace).await;
    let (db, now) = (&server.app().db, server.app().now());
    let (run, holder) = (id.parse().expect("an id"), HolderId::new(now.to_utc()));
    let lease = TimeDelta::seconds(30);
    let claimed = db
        .transaction(async |tx| work::claim(tx, holder, now, lease, 8).await)
        .await;
    assert_eq!(claimed.expect("it waits").len(), 1);

    let slow = Slow::workspaces(&server).await;
    let stopping = cancel(&ada, &id);
    let ending = async {
        slow.waiting(1).await;
        let ending = db.transaction(async |tx| work::finish(tx, run, holder, now).await);
        let release = async {
            slow.waiting(2).await;
            slow.end(&server).await;
        };
        join(ending, release).await.0.expect("nothing fails")
    };
    let (stopped, ended) = join(stopping, ending).await;
    assert_eq!(stopped["status"], "CANCELLED");
    assert_eq!(ended, Lease::Lost);
    let query = "query($id: ID!) { workspace(by: { id: $id }) { lastRunAt } }";
    let found = ada.ok(query, json!({ "id": home.workspace })).await;
    assert!(found["workspace"]["lastRunAt"].is_null());
    let kinds = events(&ada, &home.workspace).await;
    assert_eq!(kinds, ["RUN_CANCELLED", "RUN_QUEUED"]);
}
