//! Asking for runs.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use tenantry::access::WorkspaceRole;

use super::{cancel, events, start, started};
use crate::support::collecting::prompts;
use crate::support::{Database, Postgres, Sqlite, TestServer, home, text};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_to_run_without_an_active_prompt(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    // More often than the limit: a request that starts no run is not counted.
    for _ in 0..5 {
        let request = start(&ada, &home.workspace).await;
        assert_eq!(request["status"], "EMPTY");
        assert!(request["jobId"].is_null() && request["run"].is_null());
    }
    let made = prompts(&ada, &home.workspace, &["Who builds rockets?"]).await;
    let off = json!({ "promptId": made[0], "isActive": false });
    ada.mutate("updatePrompt", off, "prompt { isActive }").await;
    assert_eq!(start(&ada, &home.workspace).await["status"], "EMPTY");
    assert!(events(&ada, &home.workspace).await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_puts_every_active_prompt_to_every_enabled_provider(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let made = prompts(&ada, &home.workspace, &["One?", "Two?", "Three?"]).await;
    let off = json!({ "promptId": made[2], "isActive": false });
    ada.mutate("updatePrompt", off, "prompt { id }").await;
    let run = start(&ada, &home.workspace).await["run"].take();
    assert_eq!(run["total"], 2 * 6);
    assert_eq!(run["status"], "QUEUED");
    assert_eq!(run["trigger"], "MANUAL");
    assert_eq!((&run["completed"], &run["failed"]), (&json!(0), &json!(0)));
    assert!(run["startedAt"].is_null() && run["finishedAt"].is_null());
    assert_eq!(events(&ada, &home.workspace).await, ["RUN_QUEUED"]);

    cancel(&ada, &text(&run, "id")).await;
    let input =
        json!({ "workspaceId": home.workspace, "providers": ["MISTRAL", "OPENAI", "MISTRAL"] });
    ada.mutate("setEnabledProviders", input, "workspace { id }")
        .await;
    let run = start(&ada, &home.workspace).await["run"].take();
    assert_eq!(run["total"], 2 * 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn asking_while_one_is_under_way_gives_that_one(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let mia = server
        .member("mia@example.com", &home, WorkspaceRole::Member)
        .await;
    let first = started(&ada, &home.workspace).await;
    // More often than the limit: a request that starts no run is not counted.
    for _ in 0..5 {
        assert_eq!(started(&mia, &home.workspace).await, first);
    }
    let at_once = (0..10).map(|_| started(&ada, &home.workspace));
    let given = futures_util::future::join_all(at_once).await;
    assert!(given.iter().all(|run| *run == first));
    assert_eq!(events(&ada, &home.workspace).await, ["RUN_QUEUED"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_ask_at_once_one_queues_a_run(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let at_once = (0..20).map(|_| started(&ada, &home.workspace));
    let mut given = futures_util::future::join_all(at_once).await;
    given.dedup();
    assert_eq!(given.len(), 1);
    assert_eq!(events(&ada, &home.workspace).await, ["RUN_QUEUED"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_limited_to_three_a_minute(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    for _ in 0..3 {
        let run = started(&ada, &home.workspace).await;
        cancel(&ada, &run).await;
    }
    let input = json!({ "workspaceId": home.workspace });
    let reply = ada.mutate_refused("RATE_LIMITED", "startRun", input).await;
    assert!((1..=60).contains(&reply.retry_after()));
    server.clock().advance(TimeDelta::seconds(61));
    started(&ada, &home.workspace).await;
}
