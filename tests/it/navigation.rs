//! The current workspace and organization of someone who has selected one, or none.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};

use crate::support::people::user_id;
use crate::support::{
    Client, Database, Home, Postgres, Sqlite, TestServer, at, copies, organization, text, workspace,
};

const STATE: &str = "{ navigationState { currentWorkspace { name } currentOrganization { name }
    workspaces { name } organizations { name } hasMoreWorkspaces } }";

async fn state(person: &Client) -> Value {
    person.ok(STATE, json!({})).await["navigationState"].take()
}

/// The names of the current workspace and the current organization.
async fn current(person: &Client) -> [Value; 2] {
    let state = state(person).await;
    ["currentWorkspace.name", "currentOrganization.name"].map(|path| at(&state, path).clone())
}

fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|one| text(one, "name")).collect()
}

/// Bob, with three workspaces in three organizations. Creation order differs from the order of their
/// names and from that of their organizations' names.
async fn three_homes(server: &TestServer) -> (Client, [Home; 3]) {
    let bob = server.user("bob@example.com");
    let mut organizations = Vec::new();
    for name in ["West", "north", "East"] {
        organizations.push(organization(&bob, name).await);
    }
    let home = async |name: &str, of: usize| Home {
        workspace: workspace(&bob, &organizations[of], name).await,
        organization: organizations[of].clone(),
    };
    let (zeta, alpha) = (home("Zeta", 2).await, home("Alpha", 0).await);
    let beta = home("beta", 1).await;
    (bob, [zeta, alpha, beta])
}

/// Ada, a member of all three who has selected nothing.
async fn member(server: &TestServer, homes: &[Home]) -> Client {
    let ada = server.user("ada@example.com");
    for home in homes {
        let (organization, workspace) = (&home.organization, &home.workspace);
        server
            .join_organization(organization, &ada, OrganizationRole::Member)
            .await;
        server
            .join_workspace(organization, workspace, &ada, WorkspaceRole::Member)
            .await;
    }
    ada
}

async fn select(person: &Client, home: &Home) {
    let input = json!({ "workspaceId": home.workspace });
    person.mutate("selectWorkspace", input, "__typename").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn unless_something_is_selected_the_first_by_name_is_current(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (_, homes) = three_homes(&server).await;
    let ada = member(&server, &homes).await;
    let [zeta, alpha, beta] = homes;
    let state = state(&ada).await;
    assert_eq!(names(&state["workspaces"]), ["Alpha", "beta", "Zeta"]);
    assert_eq!(names(&state["organizations"]), ["East", "north", "West"]);
    assert_eq!(current(&ada).await, ["Alpha", "West"]);
    for (home, names) in [
        (beta, ["beta", "north"]),
        (zeta, ["Zeta", "East"]),
        (alpha, ["Alpha", "West"]),
    ] {
        select(&ada, &home).await;
        assert_eq!(current(&ada).await, names);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_selected_is_current_while_it_is_visible(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (bob, homes) = three_homes(&server).await;
    let ada = member(&server, &homes).await;
    let [zeta, _, beta] = homes;
    select(&ada, &beta).await;
    let input = json!({ "workspaceId": beta.workspace });
    bob.mutate("deleteWorkspace", input.clone(), "__typename")
        .await;
    assert_eq!(current(&ada).await, ["Alpha", "West"]);
    bob.mutate("restoreWorkspace", input, "__typename").await;
    assert_eq!(current(&ada).await, ["beta", "north"]);

    select(&ada, &zeta).await;
    let ada_id = user_id(&ada).await;
    let input = json!({ "workspaceId": zeta.workspace, "userId": ada_id });
    bob.mutate("removeWorkspaceMember", input, "removed").await;
    assert_eq!(current(&ada).await, ["Alpha", "West"]);

    select(&ada, &beta).await;
    let input = json!({ "organizationId": beta.organization, "userId": ada_id });
    bob.mutate("removeOrganizationMember", input, "removed")
        .await;
    assert_eq!(current(&ada).await, ["Alpha", "West"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_no_workspace_has_a_current_organization_all_the_same(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (_, homes) = three_homes(&server).await;
    let ada = server.user("ada@example.com");
    assert_eq!(current(&ada).await, [Value::Null, Value::Null]);
    for home in homes {
        server
            .join_organization(&home.organization, &ada, OrganizationRole::Member)
            .await;
    }
    assert_eq!(current(&ada).await, [Value::Null, json!("East")]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_told_no_organization_goes_to_the_current_one(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (bob, homes) = three_homes(&server).await;
    // As ADMIN of the organizations, they see all the workspaces.
    let admin = async |name: &str| {
        let admin = server.user(&format!("{name}@example.com"));
        for home in &homes {
            server
                .join_organization(&home.organization, &admin, OrganizationRole::Admin)
                .await;
        }
        admin
    };
    let goes_to = async |person: &Client| {
        let input = json!({ "name": "Mine" });
        let made = person.mutate("createWorkspace", input, "organization { name }");
        text(&made.await, "organization.name")
    };
    assert_eq!(goes_to(&admin("ada").await).await, "West");
    let (cy, dee) = (admin("cy").await, admin("dee").await);
    select(&cy, &homes[2]).await;
    assert_eq!(goes_to(&cy).await, "north");
    select(&dee, &homes[2]).await;
    let input = json!({ "workspaceId": homes[2].workspace });
    bob.mutate("deleteWorkspace", input, "__typename").await;
    assert_eq!(goes_to(&dee).await, "West");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_selected_is_current_though_it_is_too_far_down_the_list(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (bob, [zeta, alpha, _]) = three_homes(&server).await;
    copies::of_workspace(server.app(), &alpha.workspace, 500).await;
    select(&bob, &zeta).await;
    let state = state(&bob).await;
    assert_eq!(names(&state["workspaces"]), ["Alpha"; 500]);
    assert_eq!(state["hasMoreWorkspaces"], true);
    assert_eq!(current(&bob).await, ["Zeta", "East"]);
}
