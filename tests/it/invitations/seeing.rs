//! Who sees invitations, and what they see of them.

use rstest::rstest;
use serde_json::Value;
use tenantry::access::WorkspaceRole;

use super::*;
use crate::support::{Database, Postgres, Sqlite, TestServer, home};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_invited_reads_it_and_not_what_it_is_to(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    let query =
        format!("query($id: ID!) {{ node(id: $id) {{ ... on Invitation {{ {INVITATION} }} }} }}");
    let seen = eve.ok(&query, json!({ "id": id })).await;
    let seen = &seen["node"];
    assert_eq!(seen["organizationName"], "Rocket Labs");
    assert_eq!(seen["workspaceName"], "Rocket Labs");
    assert_eq!(seen["organization"], Value::Null);
    assert_eq!(seen["workspace"], Value::Null);
    assert_eq!(seen["invitedBy"], Value::Null);
    let managed = ada.ok(&query, json!({ "id": id })).await;
    assert_eq!(managed["node"]["workspace"]["id"], *home.workspace);

    let member = server.member("member@example.com", &home, WorkspaceRole::Member);
    let member = member.await;
    for client in [&member, &server.user("stranger@example.com")] {
        let seen = client.ok(&query, json!({ "id": id })).await;
        assert_eq!(seen["node"], Value::Null);
    }
    let list =
        "query($id: ID!) { workspace(by: { id: $id }) { name invitations { nodes { id } } } }";
    let variables = json!({ "id": home.workspace });
    let reply = member.refused("FORBIDDEN", list, variables).await;
    assert_eq!(reply.body["data"]["workspace"]["name"], "Rocket Labs");
    assert_eq!(reply.body["data"]["workspace"]["invitations"], Value::Null);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn they_are_listed_newest_first_in_pages(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(invite(&ada, &home, &format!("{name}@example.com"), "MEMBER").await);
    }
    ids.reverse();
    let query = "query($id: ID!, $after: String) { workspace(by: { id: $id }) {
        invitations(first: 2, after: $after) {
            nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } } }";
    let mut after = Value::Null;
    let mut seen = Vec::new();
    loop {
        let page = ada
            .ok(query, json!({ "id": home.workspace, "after": after }))
            .await;
        let page = &page["workspace"]["invitations"];
        assert_eq!(page["totalCount"], 5);
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !seen.is_empty());
        for node in page["nodes"].as_array().into_iter().flatten() {
            seen.push(text(node, "id"));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ids);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_many_workspaces_are_read_together(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    invite(&ada, &home, "a@example.com", "MEMBER").await;
    let query = "{ workspaces { nodes { invitations { totalCount nodes { id organization { id }
        workspace { id } invitedBy { id } } } } } }";
    ada.ok(query, Value::Null).await;
    let (few, _) = server.statements(ada.ok(query, Value::Null)).await;
    for name in ["b", "c", "d", "e"] {
        let input = json!({ "name": name.repeat(3), "organization": { "id": home.organization } });
        let made = ada
            .mutate("createWorkspace", input, "workspace { id }")
            .await;
        let other = Home {
            workspace: text(&made, "workspace.id"),
            organization: home.organization.clone(),
        };
        invite(&ada, &other, &format!("{name}@example.com"), "MEMBER").await;
        invite(&ada, &other, "x@example.com", "MEMBER").await;
    }
    let (many, found) = server.statements(ada.ok(query, Value::Null)).await;
    assert_eq!(few, many);
    let lists = found["workspaces"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    let counts = lists.map(|one| one["invitations"]["totalCount"].as_i64());
    assert_eq!(counts.map(Option::unwrap_or_default).sum::<i64>(), 9);
}
