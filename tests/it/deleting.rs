//! Deleting workspaces, which is a soft deletion, and restoring them.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::config::Plan;

use crate::support::{
    Client, Database, Postgres, Sqlite, TestServer, organization, text, workspace,
};

async fn change(person: &Client, mutation: &str, id: &str) -> Value {
    let selection = "workspace { slug status deletedAt purgeAt }";
    let mut changed = person
        .mutate(mutation, json!({ "workspaceId": id }), selection)
        .await;
    changed["workspace"].take()
}

async fn by_slug(person: &Client, slug: &str) -> Value {
    let query = "query($slug: String!) { workspace(by: { slug: $slug }) { id } }";
    let mut found = person.ok(query, json!({ "slug": slug })).await;
    found["workspace"]["id"].take()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_workspace_frees_its_slug_and_can_be_restored(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    workspace(&ada, &acme, "Kept").await;
    let rocket = workspace(&ada, &acme, "Rocket").await;
    let describe = json!({ "workspaceId": rocket, "description": "Fast" });
    ada.mutate("updateWorkspace", describe.clone(), "__typename")
        .await;

    let deleted = change(&ada, "deleteWorkspace", &rocket).await;
    assert_eq!(deleted["status"], "DELETED");
    let instant = |field: &str| {
        let found = deleted[field].as_str().map(DateTime::parse_from_rfc3339);
        found.expect("an instant").expect("RFC 3339")
    };
    assert_eq!(
        instant("purgeAt") - instant("deletedAt"),
        TimeDelta::days(30)
    );
    assert_eq!(by_slug(&ada, "rocket").await, Value::Null);
    let query = "query($id: ID!) { workspace(by: { id: $id }) { status description }
        workspaces { totalCount } navigationState { workspaces { name } currentWorkspace { name } }
        organizations { nodes { workspaces { totalCount } } } }";
    let found = ada.ok(query, json!({ "id": rocket })).await;
    let expected = json!({
        "workspace": { "status": "DELETED", "description": "Fast" },
        "workspaces": { "totalCount": 1 },
        "navigationState": {
            "workspaces": [{ "name": "Kept" }],
            "currentWorkspace": { "name": "Kept" },
        },
        "organizations": { "nodes": [{ "workspaces": { "totalCount": 1 } }] },
    });
    assert_eq!(found, expected);
    for mutation in ["updateWorkspace", "deleteWorkspace", "selectWorkspace"] {
        let input = json!({ "workspaceId": rocket });
        ada.mutate_refused("CONFLICT", mutation, input).await;
    }

    let restored = change(&ada, "restoreWorkspace", &rocket).await;
    let live = json!({ "slug": "rocket", "status": "ACTIVE", "deletedAt": null, "purgeAt": null });
    assert_eq!(restored, live);
    assert_eq!(by_slug(&ada, "rocket").await, rocket.as_str());
    let input = json!({ "workspaceId": rocket });
    ada.mutate_refused("CONFLICT", "restoreWorkspace", input)
        .await;

    // Another workspace takes the slug, even one derived from a name.
    change(&ada, "deleteWorkspace", &rocket).await;
    let other = workspace(&ada, &acme, "Rocket").await;
    assert_eq!(by_slug(&ada, "rocket").await, other.as_str());
    let restored = change(&ada, "restoreWorkspace", &rocket).await;
    assert_eq!(restored["slug"], "rocket-2");
    assert_eq!(by_slug(&ada, "rocket").await, other.as_str());
    assert_eq!(by_slug(&ada, "rocket-2").await, rocket.as_str());

    let query = "query($id: ID!) { workspace(by: { id: $id }) { events { nodes { kind } } } }";
    let found = ada.ok(query, json!({ "id": rocket })).await;
    let kinds = found["workspace"]["events"]["nodes"].as_array().cloned();
    let kinds: Vec<_> = kinds
        .iter()
        .flatten()
        .map(|event| text(event, "kind"))
        .collect();
    let expected = [
        "WORKSPACE_RESTORED",
        "WORKSPACE_DELETED",
        "WORKSPACE_RESTORED",
        "WORKSPACE_DELETED",
        "WORKSPACE_UPDATED",
        "WORKSPACE_CREATED",
    ];
    assert_eq!(kinds, expected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn former_slugs_find_a_workspace_only_while_it_lives(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    workspace(&ada, &acme, "Kept").await;
    let rocket = workspace(&ada, &acme, "Rocket").await;
    let rename = json!({ "workspaceId": rocket, "slug": "apex" });
    ada.mutate("updateWorkspace", rename, "__typename").await;
    assert_eq!(by_slug(&ada, "rocket").await, rocket.as_str());
    change(&ada, "deleteWorkspace", &rocket).await;
    assert_eq!(by_slug(&ada, "rocket").await, Value::Null);
    assert_eq!(by_slug(&ada, "apex").await, Value::Null);
    let input = json!({ "name": "New", "slug": "rocket", "organization": { "id": acme } });
    ada.mutate("createWorkspace", input, "__typename").await;
    change(&ada, "restoreWorkspace", &rocket).await;
    assert_eq!(by_slug(&ada, "apex").await, rocket.as_str());
    assert_ne!(by_slug(&ada, "rocket").await, rocket.as_str());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn to_those_who_cannot_restore_it_a_deleted_workspace_is_gone(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    workspace(&ada, &acme, "Kept").await;
    let rocket = workspace(&ada, &acme, "Rocket").await;
    server
        .join_organization(&acme, &bob, OrganizationRole::Admin)
        .await;
    server
        .join_workspace(&acme, &rocket, &bob, WorkspaceRole::Admin)
        .await;
    let cleo = server.user("cleo@example.com");
    server
        .join_organization(&acme, &cleo, OrganizationRole::Member)
        .await;
    server
        .join_workspace(&acme, &rocket, &cleo, WorkspaceRole::Admin)
        .await;
    let query = "query($id: ID!) { workspace(by: { id: $id }) { events { nodes { id } } } }";
    let listed = cleo.ok(query, json!({ "id": rocket })).await;
    let event = text(&listed, "workspace.events.nodes.0.id");
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let found = cleo.ok(node, json!({ "id": event })).await;
    assert_eq!(found["node"]["id"], event);
    change(&ada, "deleteWorkspace", &rocket).await;
    let found = cleo.ok(node, json!({ "id": event })).await;
    assert_eq!(found["node"], Value::Null);
    let found = ada.ok(node, json!({ "id": event })).await;
    assert_eq!(found["node"]["id"], event);
    for mutation in [
        "updateWorkspace",
        "deleteWorkspace",
        "restoreWorkspace",
        "selectWorkspace",
    ] {
        let input = json!({ "workspaceId": rocket });
        bob.mutate_refused("NOT_FOUND", mutation, input).await;
    }
    let query = "query($id: ID!) { node(id: $id) { id } workspace(by: { id: $id }) { id } }";
    let found = bob.ok(query, json!({ "id": rocket })).await;
    assert_eq!(found, json!({ "node": null, "workspace": null }));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn by_its_id_alone_a_deleted_workspace_is_gone_to_its_owners_too(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    workspace(&ada, &acme, "Kept").await;
    let rocket = workspace(&ada, &acme, "Rocket").await;
    let input = json!({ "workspaceId": rocket, "email": "eve@example.com" });
    let invited = ada
        .mutate("addWorkspaceMember", input, "invitation { id }")
        .await;
    let invitation = text(&invited, "invitation.id");
    let query = "query($id: ID!, $ids: [ID!]!) { node(id: $id) { id } nodes(ids: $ids) { id }
        workspace(by: { id: $id }) { id invitations(status: null) { nodes { id } } } }";
    let variables = json!({ "id": rocket, "ids": [rocket, invitation] });
    let (workspace, invited) = (json!({ "id": rocket }), json!({ "id": invitation }));
    let looked_up = json!({ "id": rocket, "invitations": { "nodes": [invited] } });
    let live = json!({ "node": workspace, "nodes": [workspace, invited], "workspace": looked_up });
    assert_eq!(ada.ok(query, variables.clone()).await, live);

    change(&ada, "deleteWorkspace", &rocket).await;
    let deleted = json!({ "node": null, "nodes": [null, null], "workspace": looked_up });
    assert_eq!(ada.ok(query, variables.clone()).await, deleted);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let found = eve.ok(node, json!({ "id": invitation })).await;
    assert_eq!(found["node"], Value::Null);

    change(&ada, "restoreWorkspace", &rocket).await;
    assert_eq!(ada.ok(query, variables).await, live);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ones_last_workspace_is_protected_unless_configured_otherwise(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(true, false)] protected: bool,
) {
    let server = TestServer::with(on, |config| {
        config.limits.protect_last_workspace = protected;
    })
    .await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    let bobs = organization(&bob, "Bob's").await;
    server
        .join_organization(&bobs, &ada, OrganizationRole::Owner)
        .await;
    let one = workspace(&ada, &acme, "One").await;
    let two = workspace(&ada, &acme, "Two").await;
    let his = workspace(&bob, &bobs, "His").await;
    change(&ada, "deleteWorkspace", &two).await;
    // A workspace in which she has no membership of her own does not count as hers.
    let last = json!({ "workspaceId": one });
    if protected {
        ada.mutate_refused("LAST_WORKSPACE", "deleteWorkspace", last)
            .await;
        change(&ada, "restoreWorkspace", &two).await;
    }
    change(&ada, "deleteWorkspace", &one).await;
    change(&ada, "deleteWorkspace", &his).await;
    let made = ada
        .mutate(
            "createWorkspace",
            json!({ "name": "Next", "organization": { "id": acme } }),
            "isFirstWorkspace",
        )
        .await;
    assert_eq!(made["isFirstWorkspace"], !protected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_as_long_as_the_plan_says(#[values(Sqlite, Postgres)] on: Database) {
    for days in [None, Some(14)] {
        let server = TestServer::with(on, |config| {
            let plan = Plan {
                trial_days: days,
                ..Plan::default()
            };
            config.plans = BTreeMap::from([("free".to_owned(), plan)]);
        })
        .await;
        let ada = server.user("ada@example.com");
        let selection = "workspace { createdAt trialEndsAt }";
        let made = ada
            .mutate("createWorkspace", json!({ "name": "Rocket" }), selection)
            .await;
        let instant = |field: &str| {
            let text = made["workspace"][field].as_str()?;
            DateTime::parse_from_rfc3339(text).ok()
        };
        let trial = instant("trialEndsAt").map(|end| end - instant("createdAt").unwrap_or(end));
        assert_eq!(trial, days.map(|days| TimeDelta::days(days.into())));
    }
}
