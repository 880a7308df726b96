//! The limit on prompts, with many created at once, and the number of statements that takes.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use tenantry::config::Plan;

use super::{create, office, page};
use crate::support::collecting::prompts;
use crate::support::{Database, Postgres, Sqlite, TestServer};

async fn limited(on: Database, limit: i32) -> TestServer {
    let plan = Plan {
        max_prompts_per_workspace: Some(limit),
        ..Plan::default()
    };
    TestServer::with(on, |config| {
        config.plans.insert("free".into(), plan);
    })
    .await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_has_no_more_prompts_than_its_plan_allows(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = limited(on, 3).await;
    let (ada, office) = office(&server).await;
    let ids = prompts(&ada, office.workspace, &["One", "Two"]).await;
    // All or none.
    let two = json!([{ "text": "Three" }, { "text": "Four" }]);
    let (refused, _) = create(&ada, office.workspace, two.clone(), "LIMIT_REACHED").await;
    assert_eq!(refused.extensions()["limitName"], "maxPromptsPerWorkspace");
    assert_eq!(refused.extensions()["limit"], 3);
    assert_eq!(
        page(&ada, office.workspace, json!({})).await["totalCount"],
        2
    );
    // Inactive prompts count as well.
    let paused = json!({ "promptId": ids[0], "isActive": false });
    ada.mutate("updatePrompt", paused, "__typename").await;
    create(&ada, office.workspace, two.clone(), "LIMIT_REACHED").await;
    ada.mutate("deletePrompt", json!({ "promptId": ids[0] }), "deletedId")
        .await;
    create(&ada, office.workspace, two, "").await;
    create(
        &ada,
        office.workspace,
        json!([{ "text": "Five" }]),
        "LIMIT_REACHED",
    )
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn racing_overshoots_no_limit_and_makes_no_text_twice(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = limited(on, 10).await;
    let (ada, office) = office(&server).await;
    let same = (0..20).map(|_| {
        let given = json!([{ "text": "Same" }]);
        let input = json!({ "workspaceId": office.workspace, "prompts": given });
        ada.try_mutate("createPrompts", input, "prompts { id }")
    });
    let replies = join_all(same).await;
    let made = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(made.count(), 1);
    for reply in replies.iter().filter(|reply| !reply.code().is_empty()) {
        assert_eq!(reply.code(), "CONFLICT", "{:#}", reply.body);
    }

    let pairs = (0..20).map(|n| {
        let given = json!([{ "text": format!("{n} a") }, { "text": format!("{n} b") }]);
        let input = json!({ "workspaceId": office.workspace, "prompts": given });
        ada.try_mutate("createPrompts", input, "prompts { id }")
    });
    let replies = join_all(pairs).await;
    let made = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(made.count(), 4);
    for reply in replies.iter().filter(|reply| !reply.code().is_empty()) {
        assert_eq!(reply.code(), "LIMIT_REACHED", "{:#}", reply.body);
    }
    assert_eq!(
        page(&ada, office.workspace, json!({})).await["totalCount"],
        9
    );

    // If two are renamed to the same text at once, one is.
    let found = page(&ada, office.workspace, json!({ "first": 9 })).await;
    let nodes = found["nodes"].as_array().expect("nodes");
    let renamed = nodes.iter().map(|node| {
        let input = json!({ "promptId": node["id"], "text": "Renamed" });
        ada.try_mutate("updatePrompt", input, "prompt { id }")
    });
    let replies = join_all(renamed).await;
    let done = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(done.count(), 1);
    for reply in replies.iter().filter(|reply| !reply.code().is_empty()) {
        assert_eq!(reply.code(), "CONFLICT", "{:#}", reply.body);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_prompts_take_as_many_statements_as_one(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let mut counts = Vec::new();
    for size in [1, 100] {
        let texts: Vec<_> = (0..size).map(|n| format!("{n} of {size}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let made = prompts(&ada, office.workspace, &texts);
        counts.push(server.statements(made).await.0);
    }
    assert_eq!(counts[0], counts[1]);
}
