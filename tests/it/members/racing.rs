//! Changes of members under many requests at once.

use futures_util::future::{join, join_all};
use rstest::rstest;
use serde_json::json;
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;

use super::pairs;
use crate::support::office::{Office, Person};
use crate::support::{Database, Postgres, Sqlite, TestServer};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_leave_at_once_one_stays(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Owner))
        .await;
    let leave = json!({ "workspaceId": office.workspace });
    let (one, two) = join(
        ada.try_mutate("leaveWorkspace", leave.clone(), "workspaceId"),
        bob.try_mutate("leaveWorkspace", leave, "workspaceId"),
    )
    .await;
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["", "LAST_OWNER"]);
    assert_eq!(office.members(&ada).await.len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_demote_each_other_at_once_one_stays(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let one = office
        .person(&server, "one", Org::Member, Some(Role::Owner))
        .await;
    ada.mutate(
        "leaveWorkspace",
        json!({ "workspaceId": office.workspace }),
        "workspaceId",
    )
    .await;
    let two = office
        .person(&server, "two", Org::Member, Some(Role::Owner))
        .await;
    let demote = |person| {
        let mut input = office.about(person);
        input["role"] = "MEMBER".into();
        input
    };
    let selection = "membership { role }";
    let (first, second) = join(
        one.try_mutate("updateWorkspaceMember", demote(&two), selection),
        two.try_mutate("updateWorkspaceMember", demote(&one), selection),
    )
    .await;
    let mut codes = [first.code(), second.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["", "FORBIDDEN"], "whoever comes second is a MEMBER");
    let members = office.members(&ada).await;
    let owners = members.iter().filter(|(_, role)| role == "OWNER");
    assert_eq!(owners.count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_handed_a_workspace_while_they_leave_the_organization(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    for round in 0..5 {
        let name = format!("bob{round}");
        let bob = office.person(&server, &name, Org::Member, None).await;
        let leave = json!({ "organizationId": office.organization });
        let (handed, left) = join(
            ada.try_mutate(
                "transferWorkspaceOwnership",
                office.about(&bob),
                "workspace { id }",
            ),
            bob.try_mutate("leaveOrganization", leave, "organizationId"),
        )
        .await;
        assert_eq!(left.code(), "");
        assert!(["", "NOT_FOUND"].contains(&handed.code()), "{handed:?}");
        assert_eq!(office.members(&ada).await, pairs(&[("ada", "OWNER")]));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_a_workspace_and_its_members_at_once_all_happen(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let changes = (0..16).map(|index| {
        let (mutation, input, selection) = if index % 2 == 0 {
            let mut input = office.about(&bob);
            input["role"] = ["ADMIN", "MEMBER"][index / 2 % 2].into();
            ("updateWorkspaceMember", input, "membership { role }")
        } else {
            let description = format!("The {index}th");
            let input = json!({ "workspaceId": office.workspace, "description": description });
            ("updateWorkspace", input, "workspace { id }")
        };
        ada.try_mutate(mutation, input, selection)
    });
    for reply in join_all(changes).await {
        assert_eq!(reply.code(), "", "{:#}", reply.body);
    }
}
