//! Which domain answers are checked for.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::id::WorkspaceId;
use tenantry::schema::workspaces;
use tokio::sync::Notify;

use super::{answers, ended, serve, set_domain, started};
use crate::support::collecting::prompts;
use crate::support::working::Working;
use crate::support::{Answer, Client, Database, FakeProviders, Postgres, Sqlite, home, until};

/// The number of answers, and of those that mention the domain.
async fn visibility(by: &Client, workspace: &str) -> Value {
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        domainVisibility { answers mentions } } }";
    let mut found = by.ok(query, json!({ "id": workspace })).await;
    found["workspace"]["domainVisibility"].take()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn changing_the_domain_does_not_look_at_old_answers_again(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    providers.otherwise(|_, prompt| match prompt {
        "Before?" => Answer::says("Ask before.example."),
        _ => Answer::says("Ask after.example."),
    });
    let server = serve(on, &providers, |_| {}).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["Before?", "After?"]).await;
    set_domain(&ada, &home.workspace, "before.example").await;
    let working = Working::start(&server);
    let old = started(&ada, &home.workspace).await;
    ended(&server, &ada, &old).await;
    let told = answers(&ada, &old).await;
    let visible = visibility(&ada, &home.workspace).await;
    assert_eq!(visible, json!({ "answers": 12, "mentions": 6 }));

    set_domain(&ada, &home.workspace, "after.example").await;
    assert_eq!(answers(&ada, &old).await, told);
    assert_eq!(visibility(&ada, &home.workspace).await, visible);

    // New answers are checked for the new domain.
    let new = started(&ada, &home.workspace).await;
    ended(&server, &ada, &new).await;
    for answer in answers(&ada, &new).await {
        assert_eq!(answer["mentionsDomain"], answer["promptText"] == "After?");
    }
    assert_eq!(answers(&ada, &old).await, told);
    let visible = visibility(&ada, &home.workspace).await;
    assert_eq!(visible, json!({ "answers": 24, "mentions": 12 }));
    working.stop().await;
}

/// The answers have arrived and wait to be stored while a transaction changes the domain.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_looked_at_for_the_domain_that_there_is_when_they_are_stored(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    providers.otherwise(|_, _| Answer::says("Ask after.example."));
    providers.hold();
    let server = serve(on, &providers, |config| {
        config.database.max_connections = 1;
    })
    .await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["Whom?"]).await;
    set_domain(&ada, &home.workspace, "before.example").await;
    let working = Working::start(&server);
    let run = started(&ada, &home.workspace).await;
    providers.arrived(6).await;

    let (changed, kept) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let changing = tokio::spawn({
        let (db, changed, kept) = (server.app().db.clone(), changed.clone(), kept.clone());
        let id: WorkspaceId = home.workspace.parse().expect("an id");
        async move {
            db.transaction(async |tx| {
                let domain = workspaces::domain.eq("after.example");
                let change = diesel::update(workspaces::table.find(id)).set(domain);
                tenantry::run!(tx, change.execute(tx).await)?;
                changed.notify_one();
                kept.notified().await;
                Ok(())
            })
            .await
        }
    });
    changed.notified().await;
    providers.open();
    until("answers wait to be stored", async || {
        let pools = server.app().db.pools();
        pools.iter().any(|it| it.name == "write" && it.waiting > 0)
    })
    .await;
    kept.notify_one();
    let changing = changing.await.expect("it ends");
    changing.expect("the domain changes");
    ended(&server, &ada, &run).await;
    for answer in answers(&ada, &run).await {
        assert_eq!(answer["mentionsDomain"], true);
    }
    working.stop().await;
}
