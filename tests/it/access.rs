//! Who may change a workspace, and who may see it.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};

use crate::support::{Database, Postgres, Sqlite, TestServer, organization, workspace};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn some_fields_take_more_than_others(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    let id = workspace(&ada, &acme, "Rocket").await;
    let owning = [
        ("name", json!("Rocket 2")),
        ("slug", json!("rocket")),
        ("domain", Value::Null),
        ("visibility", json!("PRIVATE")),
    ];
    let managing = [
        ("description", json!("Fast")),
        ("settings", json!({ "a": 1 })),
        ("onboarding", json!({ "a": 1 })),
        ("onboardingCompletedAt", Value::Null),
    ];
    for (name, role, inside, owns, manages) in [
        ("a", OrganizationRole::Admin, None, false, true),
        (
            "b",
            OrganizationRole::Member,
            Some(WorkspaceRole::Owner),
            true,
            true,
        ),
        (
            "c",
            OrganizationRole::Member,
            Some(WorkspaceRole::Admin),
            false,
            true,
        ),
        (
            "d",
            OrganizationRole::Member,
            Some(WorkspaceRole::Member),
            false,
            false,
        ),
        (
            "e",
            OrganizationRole::BillingAdmin,
            Some(WorkspaceRole::Admin),
            false,
            true,
        ),
        // The higher of the two roles counts.
        (
            "f",
            OrganizationRole::Admin,
            Some(WorkspaceRole::Member),
            false,
            true,
        ),
        (
            "g",
            OrganizationRole::Owner,
            Some(WorkspaceRole::Member),
            true,
            true,
        ),
    ] {
        let person = server.user(&format!("{name}@example.com"));
        server.join_organization(&acme, &person, role).await;
        if let Some(inside) = inside {
            server.join_workspace(&acme, &id, &person, inside).await;
        }
        for (fields, may) in [(&owning, owns), (&managing, manages)] {
            for (field, value) in fields {
                let input = json!({ "workspaceId": id, *field: value });
                let reply = person
                    .try_mutate("updateWorkspace", input, "__typename")
                    .await;
                assert_eq!(
                    reply.code(),
                    if may { "" } else { "FORBIDDEN" },
                    "{name} {field}"
                );
            }
        }
        if !owns {
            let both = json!({ "workspaceId": id, "name": "No", "description": "No" });
            person
                .mutate_refused("FORBIDDEN", "updateWorkspace", both)
                .await;
            let delete = json!({ "workspaceId": id });
            person
                .mutate_refused("FORBIDDEN", "deleteWorkspace", delete)
                .await;
            // That a live workspace cannot be restored is told only to those who could restore it.
            let restore = json!({ "workspaceId": id });
            person
                .mutate_refused("FORBIDDEN", "restoreWorkspace", restore)
                .await;
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_sees_a_workspace_depends_on_its_visibility(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    let id = workspace(&ada, &acme, "Rocket").await;
    let people = [
        (
            "owner",
            OrganizationRole::Owner,
            Some("OWNER"),
            Some("OWNER"),
        ),
        (
            "admin",
            OrganizationRole::Admin,
            Some("ADMIN"),
            Some("ADMIN"),
        ),
        ("member", OrganizationRole::Member, None, Some("MEMBER")),
        ("billing", OrganizationRole::BillingAdmin, None, None),
    ];
    for (name, role, ..) in people {
        let person = server.user(&format!("{name}@example.com"));
        server.join_organization(&acme, &person, role).await;
    }
    let query = "query($id: ID!) {
        workspace(by: { id: $id }) { viewerRole }
        bySlug: workspace(by: { slug: \"rocket\" }) { viewerRole }
        node(id: $id) { ... on Workspace { viewerRole } }
        workspaces { totalCount nodes { viewerRole } }
        organizations { nodes { workspaces { totalCount } } }
        navigationState { workspaces { viewerRole } } }";
    for visibility in ["PRIVATE", "ORGANIZATION"] {
        let update = json!({ "workspaceId": id, "visibility": visibility });
        ada.mutate("updateWorkspace", update, "__typename").await;
        for (name, _, private, open) in people {
            let role = if visibility == "PRIVATE" {
                private
            } else {
                open
            };
            let person = server.user(&format!("{name}@example.com"));
            let found = person.ok(query, json!({ "id": id })).await;
            let one = role.map(|role| json!({ "viewerRole": role }));
            let count = usize::from(role.is_some());
            let all = Value::Array(one.iter().cloned().collect());
            let expected = json!({
                "workspace": one, "bySlug": one, "node": one,
                "workspaces": { "totalCount": count, "nodes": all },
                "organizations": { "nodes": [{ "workspaces": { "totalCount": count } }] },
                "navigationState": { "workspaces": all },
            });
            assert_eq!(found, expected, "{name} {visibility}");
            let select = json!({ "workspaceId": id });
            let reply = person
                .try_mutate("selectWorkspace", select, "__typename")
                .await;
            assert_eq!(reply.code(), if role.is_some() { "" } else { "NOT_FOUND" });
        }
    }
}
