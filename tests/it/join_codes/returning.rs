//! People who were removed cannot come back by a code until they are wanted again.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;
use tenantry::id::WorkspaceId;

use super::{info, rotate};
use crate::support::office::{Office, Person};
use crate::support::people::user_id;
use crate::support::{Client, Database, Postgres, Sqlite, TestIssuer, TestServer, home, text};

use Place::{Organization, Workspace};

#[derive(Clone, Copy, Debug)]
enum Place {
    Workspace,
    Organization,
}

impl Place {
    async fn remove(self, office: &Office, by: &Person, whom: &Person) {
        let (mutation, input) = match self {
            Workspace => ("removeWorkspaceMember", office.about(whom)),
            Organization => ("removeOrganizationMember", office.organization_about(whom)),
        };
        by.mutate(mutation, input, "removed").await;
    }

    async fn leave(self, office: &Office, who: &Person) {
        let (mutation, input) = match self {
            Workspace => ("leaveWorkspace", json!({ "workspaceId": office.workspace })),
            Organization => (
                "leaveOrganization",
                json!({ "organizationId": office.organization }),
            ),
        };
        who.mutate(mutation, input, "__typename").await;
    }
}

/// The input for joining by the workspace's code.
async fn code_of(owner: &Client, workspace: WorkspaceId) -> Value {
    let info = info(owner, &workspace.to_string()).await;
    json!({ "code": info["inviteCode"] })
}

async fn join(person: &Client, code: Value) {
    person
        .mutate("joinWorkspaceByCode", code, "membership { id }")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_removed_does_not_come_back_by_a_code(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(Workspace, Organization)] from: Place,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let other = office.workspace(&ada, "Other").await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let old = code_of(&ada, office.workspace).await;
    from.remove(&office, &ada, &bob).await;
    bob.mutate_refused("INVITE_UNUSABLE", "joinWorkspaceByCode", old)
        .await;
    let new = rotate(&ada, json!({ "workspaceId": office.workspace })).await;
    let new = json!({ "code": new });
    bob.mutate_refused("INVITE_UNUSABLE", "joinWorkspaceByCode", new.clone())
        .await;
    // Removal from the organization is removal from all its workspaces.
    let elsewhere = code_of(&ada, other).await;
    let reply = bob
        .try_mutate("joinWorkspaceByCode", elsewhere, "__typename")
        .await;
    match from {
        Workspace => assert_eq!(reply.code(), ""),
        Organization => assert_eq!(reply.code(), "INVITE_UNUSABLE"),
    }

    join(&server.user("cy@example.com"), new).await;
    let members = office.members(&ada).await;
    let emails: Vec<_> = members.iter().map(|(email, _)| email.as_str()).collect();
    assert_eq!(emails, ["ada@example.com", "cy@example.com"]);
    let info = info(&ada, &office.workspace.to_string()).await;
    assert_eq!(info["uses"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_added_again_may_come_back(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let code = code_of(&ada, office.workspace).await;
    Workspace.remove(&office, &ada, &bob).await;
    let input = json!({ "workspaceId": office.workspace, "email": bob.email });
    ada.mutate("addWorkspaceMember", input, "membership { id }")
        .await;
    Workspace.leave(&office, &bob).await;
    join(&bob, code).await;
    assert_eq!(office.members(&ada).await.len(), 2);
}

/// Being invited is enough, whether or not they accept.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_invited_again_may_come_back(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(Workspace, Organization)] to: Place,
    #[values(true, false)] accepts: bool,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let code = code_of(&ada, office.workspace).await;
    Organization.remove(&office, &ada, &bob).await;
    let workspace = match to {
        Workspace => Some(office.workspace),
        Organization => None,
    };
    let invitation = office.invite(&ada, &bob.email, workspace).await;
    if accepts {
        let input = json!({ "invitationId": invitation });
        bob.mutate("acceptInvitation", input, "__typename").await;
        Organization.leave(&office, &bob).await;
    }
    join(&bob, code).await;
    assert_eq!(office.members(&ada).await.len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_invited_by_another_address_may_come_back_once_they_accept(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    let sign_in =
        |email: &str, subject: &str| server.bearer(&issuer.token(email, json!({ "sub": subject })));
    let ada = sign_in("ada@example.com", "ada");
    let bob = sign_in("bob@example.com", "bob");
    let home = home(&ada, "Rocket").await;
    let code = json!({ "code": info(&ada, &home.workspace).await["inviteCode"] });
    join(&bob, code.clone()).await;
    let input = json!({ "organizationId": home.organization, "userId": user_id(&bob).await });
    ada.mutate("removeOrganizationMember", input, "removed")
        .await;
    // Nobody knows yet that this address is Bob's.
    let input = json!({ "workspaceId": home.workspace, "email": "robert@example.com" });
    let invited = ada
        .mutate("addWorkspaceMember", input, "invitation { id }")
        .await;

    let robert = sign_in("robert@example.com", "bob");
    let input = json!({ "invitationId": text(&invited, "invitation.id") });
    robert.mutate("acceptInvitation", input, "__typename").await;
    let input = json!({ "workspaceId": home.workspace });
    robert.mutate("leaveWorkspace", input, "__typename").await;
    join(&robert, code).await;
}
