//! Rate limits as clients see them.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;

use crate::support::{Client, Database, Postgres, Reply, Sqlite, TestServer, organization};

async fn make(person: &Client, name: &str) -> Reply {
    let input = json!({ "name": name });
    person
        .try_mutate("createOrganization", input, "organization { id }")
        .await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_fourth_organization_within_an_hour_waits(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    // Organizations created along with a workspace count as well.
    let input = json!({ "name": "Rocket" });
    ada.mutate("createWorkspace", input, "__typename").await;
    server.clock().advance(TimeDelta::minutes(10));
    organization(&ada, "Two").await;
    server.clock().advance(TimeDelta::minutes(10));
    organization(&ada, "Three").await;

    let reply = make(&ada, "Four").await;
    let seconds = reply.retry_after();
    assert!((2340..=2400).contains(&seconds), "{seconds}");
    let input = json!({ "name": "Rocket", "organization": { "create": {} } });
    let reply = ada.try_mutate("createWorkspace", input, "__typename").await;
    reply.retry_after();
    // Neither other people nor workspaces in an existing organization are limited.
    organization(&server.user("bob@example.com"), "Bob's").await;
    let input = json!({ "name": "Rocket" });
    ada.mutate("createWorkspace", input, "__typename").await;

    // The window slides: the first leaves it after an hour, the second ten minutes later. Refused calls
    // in between do not prolong the wait.
    server.clock().advance(TimeDelta::seconds(seconds));
    organization(&ada, "Four").await;
    let seconds = make(&ada, "Five").await.retry_after();
    assert!((540..=600).contains(&seconds), "{seconds}");
    server.clock().advance(TimeDelta::seconds(seconds));
    organization(&ada, "Five").await;
    make(&ada, "Six").await.retry_after();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_another_reason_costs_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    organization(&server.user("bob@example.com"), "Taken").await;
    for _ in 0..5 {
        let input = json!({ "name": "Acme", "slug": "taken" });
        ada.mutate_refused("SLUG_TAKEN", "createOrganization", input)
            .await;
        let input = json!({ "name": "x" });
        ada.mutate_refused("INVALID_INPUT", "createOrganization", input)
            .await;
    }
    for name in ["One", "Two", "Three"] {
        organization(&ada, name).await;
    }
    make(&ada, "Four").await.retry_after();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn instances_count_together_and_a_restart_forgets_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let mut sibling = server.sibling().await;
    let (here, there) = (
        server.user("ada@example.com"),
        sibling.user("ada@example.com"),
    );
    organization(&here, "One").await;
    organization(&there, "Two").await;
    organization(&here, "Three").await;
    for client in [&here, &there] {
        make(client, "Four").await.retry_after();
    }
    sibling.stop().await;
    let restarted = server.sibling().await;
    let there = restarted.user("ada@example.com");
    let seconds = make(&there, "Four").await.retry_after();
    server.clock().advance(TimeDelta::seconds(seconds));
    organization(&there, "Four").await;
}
