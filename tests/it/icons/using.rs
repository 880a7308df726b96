//! Setting the icons of workspaces: who may, which icons, and how often.

use futures_util::future::join_all;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::WorkspaceRole;

use crate::support::icons::{another_png, icon_url, offer, png, put, set_icon, stored, uploaded};
use crate::support::{Client, Database, Postgres, Sqlite, TestServer, at, home, text, workspace};

async fn status(server: &TestServer, url: &str) -> StatusCode {
    let response = server.http().get(url).send().await;
    response.expect("an answer").status()
}

fn update(workspace: &str, icon: &str) -> Value {
    json!({ "workspaceId": workspace, "iconStorageId": icon })
}

/// The data of the workspace's events, newest first.
async fn events(by: &Client, workspace: &str) -> Vec<Value> {
    let query =
        "query($id: ID!) { workspace(by: { id: $id }) { events(first: 100) { nodes { data } } } }";
    let found = by.ok(query, json!({ "id": workspace })).await;
    let nodes = at(&found, "workspace.events.nodes").as_array().cloned();
    let data = nodes.expect("events").into_iter();
    data.map(|event| event["data"].clone()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_can_be_made_with_an_icon(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let icon = uploaded(&server, &ada, png()).await;
    let input = json!({ "name": "Rocket", "iconStorageId": icon });
    let made = ada
        .mutate("createWorkspace", input, "workspace { id iconUrl }")
        .await;
    let url = text(&made, "workspace.iconUrl");
    assert_eq!(status(&server, &url).await, StatusCode::OK);
    let id = text(&made, "workspace.id");
    let created = events(&ada, &id).await.pop().expect("an event");
    assert_eq!(created["iconUrl"], json!(url));
    // `null` means no icon.
    let input = json!({ "name": "Other", "iconStorageId": null });
    let made = ada
        .mutate("createWorkspace", input, "workspace { iconUrl }")
        .await;
    assert_eq!(at(&made, "workspace.iconUrl"), &json!(null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_icon_can_be_replaced_and_removed(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let (first, second) = (
        uploaded(&server, &ada, png()).await,
        uploaded(&server, &ada, another_png(1)).await,
    );
    let first_url = set_icon(&ada, &home.workspace, &first).await;
    let second_url = set_icon(&ada, &home.workspace, &second).await;
    assert_eq!(status(&server, &first_url).await, StatusCode::NOT_FOUND);
    assert_eq!(status(&server, &second_url).await, StatusCode::OK);
    // A field that is left out keeps its value.
    let input = json!({ "workspaceId": home.workspace, "description": "New" });
    ada.mutate("updateWorkspace", input, "__typename").await;
    assert_eq!(icon_url(&ada, &home.workspace).await, json!(second_url));
    for _ in 0..2 {
        let input = json!({ "workspaceId": home.workspace, "iconStorageId": null });
        let changed = ada
            .mutate("updateWorkspace", input, "workspace { iconUrl }")
            .await;
        assert_eq!(at(&changed, "workspace.iconUrl"), &json!(null));
    }
    assert_eq!(status(&server, &second_url).await, StatusCode::NOT_FOUND);
    let told = events(&ada, &home.workspace).await;
    // Removing an icon where there is none is no change.
    assert_eq!(told[0], json!({ "iconUrl": null }));
    assert_eq!(told[1], json!({ "description": "New" }));
    assert_eq!(told[2], json!({ "iconUrl": second_url }));
    // The events contain no secret of an upload.
    assert!(!json!(told).to_string().contains("signature"));
    // Former icons count as used.
    for used in [&first, &second] {
        let input = update(&home.workspace, used);
        ada.mutate_refused("CONFLICT", "updateWorkspace", input)
            .await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_its_uploader_uses_a_file_and_only_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let (hers, his) = (home(&ada, "Rocket").await, home(&bob, "Gardening").await);
    let second = workspace(&ada, &hers.organization, "Second").await;
    let icon = uploaded(&server, &ada, png()).await;
    for input in [
        update(&his.workspace, &icon),
        update(&his.workspace, "file_01jv9k6rm5e2qscx1y2p9r8z4d"),
        update(&his.workspace, &his.workspace),
    ] {
        bob.mutate_refused("NOT_FOUND", "updateWorkspace", input)
            .await;
    }
    let input = json!({ "name": "Third", "iconStorageId": icon });
    bob.mutate_refused("NOT_FOUND", "createWorkspace", input)
        .await;
    set_icon(&ada, &hers.workspace, &icon).await;
    // To its uploader it is used; to others it still looks as if it never existed.
    for workspace in [&hers.workspace, &second] {
        ada.mutate_refused("CONFLICT", "updateWorkspace", update(workspace, &icon))
            .await;
    }
    let input = json!({ "name": "Third", "iconStorageId": icon });
    ada.mutate_refused("CONFLICT", "createWorkspace", input)
        .await;
    let input = update(&his.workspace, &icon);
    bob.mutate_refused("NOT_FOUND", "updateWorkspace", input)
        .await;
    assert_eq!(icon_url(&ada, &second).await, json!(null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_an_uploaded_file_can_be_used(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let offer = offer(&ada).await;
    let inputs = [
        ("updateWorkspace", update(&home.workspace, &offer.id)),
        (
            "createWorkspace",
            json!({ "name": "Second", "iconStorageId": offer.id }),
        ),
    ];
    for (mutation, input) in &inputs {
        let reply = ada
            .mutate_refused("INVALID_INPUT", mutation, input.clone())
            .await;
        assert_eq!(reply.violations(), ["iconStorageId"]);
    }
    // Nor an icon whose upload was refused.
    let (status, _) = put(server.http(), &offer.url, vec![0; 64], None).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (mutation, input) = inputs[0].clone();
    ada.mutate_refused("INVALID_INPUT", mutation, input).await;
    // It can be used once it is uploaded.
    let (status, _) = put(server.http(), &offer.url, png(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    set_icon(&ada, &home.workspace, &offer.id).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_icon_takes_managing_and_a_refusal_uses_nothing_up(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let carol = server
        .member("carol@example.com", &home, WorkspaceRole::Member)
        .await;
    let icon = uploaded(&server, &carol, png()).await;
    let input = update(&home.workspace, &icon);
    carol
        .mutate_refused("FORBIDDEN", "updateWorkspace", input)
        .await;
    let input = json!({ "name": "Mine", "slug": "rocket", "iconStorageId": icon });
    carol
        .mutate_refused("SLUG_TAKEN", "createWorkspace", input)
        .await;
    let input = json!({ "name": "Mine", "iconStorageId": icon });
    carol.mutate("createWorkspace", input, "__typename").await;
    let dave = server
        .member("dave@example.com", &home, WorkspaceRole::Admin)
        .await;
    let icon = uploaded(&server, &dave, another_png(1)).await;
    set_icon(&dave, &home.workspace, &icon).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_workspaces_that_want_a_file_at_once_one_gets_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let mut workspaces = vec![home.workspace.clone()];
    for name in ["Second", "Third", "Fourth"] {
        workspaces.push(workspace(&ada, &home.organization, name).await);
    }
    let icon = uploaded(&server, &ada, png()).await;
    let updates = workspaces
        .iter()
        .map(|workspace| ada.try_mutate("updateWorkspace", update(workspace, &icon), "__typename"));
    let replies = join_all(updates).await;
    let mut codes: Vec<_> = replies.iter().map(|reply| reply.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["", "CONFLICT", "CONFLICT", "CONFLICT"]);
    assert_eq!(stored(&server).len(), 1);

    // And of several files set on one workspace at once, one is its icon in the end.
    let mut icons = Vec::new();
    for number in 0..4 {
        icons.push(uploaded(&server, &ada, another_png(number)).await);
    }
    let updates = icons.iter().map(|icon| {
        ada.try_mutate(
            "updateWorkspace",
            update(&home.workspace, icon),
            "__typename",
        )
    });
    for reply in join_all(updates).await {
        assert_eq!(reply.code(), "", "{:#}", reply.body);
    }
    let current = icon_url(&ada, &home.workspace).await;
    let current = current.as_str().expect("an icon");
    let mut served = 0;
    for icon in &icons {
        let url = format!("{}/files/{icon}/icon.png", server.url());
        let is_current = url == current;
        let is_served = status(&server, &url).await == StatusCode::OK;
        assert_eq!(is_current, is_served);
        served += usize::from(is_served);
    }
    assert_eq!(served, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_workspace_keeps_its_icon(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    workspace(&ada, &home.organization, "Second").await;
    let icon = uploaded(&server, &ada, png()).await;
    let url = set_icon(&ada, &home.workspace, &icon).await;
    let input = json!({ "workspaceId": home.workspace });
    ada.mutate("deleteWorkspace", input.clone(), "__typename")
        .await;
    assert_eq!(status(&server, &url).await, StatusCode::OK);
    let restored = ada
        .mutate("restoreWorkspace", input, "workspace { iconUrl }")
        .await;
    assert_eq!(at(&restored, "workspace.iconUrl"), &json!(url));
    // Nor is it deleted with the account of its uploader.
    let bob = server
        .member("bob@example.com", &home, WorkspaceRole::Admin)
        .await;
    let icon = uploaded(&server, &bob, another_png(1)).await;
    let url = set_icon(&bob, &home.workspace, &icon).await;
    let input = json!({ "confirmEmail": "bob@example.com" });
    bob.mutate("deleteAccount", input, "__typename").await;
    assert_eq!(status(&server, &url).await, StatusCode::OK);
}
