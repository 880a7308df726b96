//! What plans allow.

use futures_util::future::{join, join_all};
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;
use tenantry::config::{Config, Plan};

use crate::support::collecting::prompts;
use crate::support::office::{Office, Person};
use crate::support::{Database, Postgres, Reply, Sqlite, TestServer, at};

async fn server(on: Database, plan: Plan) -> TestServer {
    let change = |config: &mut Config| {
        config.plans.insert("free".into(), plan);
        config.limits.organizations_per_hour = 100;
        config.limits.protect_last_workspace = false;
    };
    TestServer::with(on, change).await
}

fn assert_limit(reply: &Reply, name: &str, limit: i64) {
    assert_eq!(reply.extensions()["limitName"], name);
    assert_eq!(reply.extensions()["limit"], limit);
}

const LIMITS: &str = "query($id: ID!) { workspace(by: { id: $id }) {
    limits { maxDocumentBytes maxAgentKnowledgeBytes members { used limit remaining } } } }";

async fn seats(office: &Office, seen_by: &Person) -> Value {
    let id = json!({ "id": office.workspace });
    let found = seen_by.ok(LIMITS, id).await;
    found["workspace"]["limits"]["members"].clone()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_has_no_more_live_workspaces_than_its_plan_allows(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let plan = Plan {
        max_workspaces: Some(2),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let second = office.workspace(&ada, "Second").await;
    let third = json!({ "name": "Third", "organization": { "id": office.organization } });
    let refused = ada
        .mutate_refused("LIMIT_REACHED", "createWorkspace", third.clone())
        .await;
    assert_limit(&refused, "maxWorkspaces", 2);

    // Deleting a workspace makes room, and restoring it takes room.
    let second = json!({ "workspaceId": second });
    ada.mutate("deleteWorkspace", second.clone(), "workspace { id }")
        .await;
    ada.mutate("createWorkspace", third, "workspace { id }")
        .await;
    let refused = ada
        .mutate_refused("LIMIT_REACHED", "restoreWorkspace", second.clone())
        .await;
    assert_limit(&refused, "maxWorkspaces", 2);
    let first = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", first, "workspace { id }")
        .await;
    ada.mutate("restoreWorkspace", second, "workspace { id }")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn workspaces_made_at_once_do_not_overshoot_the_plan(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let plan = Plan {
        max_workspaces: Some(3),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Admin, None).await;
    let input = json!({ "name": "More", "organization": { "id": office.organization } });
    let makers = [&ada, &bob].into_iter().cycle().take(8);
    let replies = join_all(
        makers.map(|maker| maker.try_mutate("createWorkspace", input.clone(), "workspace { id }")),
    )
    .await;
    let made = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(made.count(), 2);
    let refused = replies
        .iter()
        .filter(|reply| reply.code() == "LIMIT_REACHED");
    assert_eq!(refused.count(), 6);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_person_owns_no_more_live_workspaces_than_the_plan_allows(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let plan = Plan {
        max_owned_workspaces: Some(2),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let ada = Person::new(&server, "ada").await;
    let bob = Person::new(&server, "bob").await;
    // Workspaces count across all organizations.
    let office = Office::of(&ada).await;
    let other = Office::of(&ada).await;
    let one_more = json!({ "name": "More", "organization": { "create": {} } });
    let refused = ada
        .mutate_refused("LIMIT_REACHED", "createWorkspace", one_more.clone())
        .await;
    assert_limit(&refused, "maxOwnedWorkspaces", 2);

    // Neither promotion nor transfer exceeds the limit, and an OWNER of the organization does not own
    // its workspaces.
    let bobs = Office::of(&bob).await;
    let another = bobs.workspace(&bob, "Another").await;
    let cy = bobs
        .person(&server, "cy", Org::Owner, Some(Role::Member))
        .await;
    bobs.join(&server, another, &cy, Role::Member).await;
    Office::of(&cy).await;
    let promote = |workspace| json!({ "workspaceId": workspace, "userId": cy.id, "role": "OWNER" });
    bob.mutate(
        "updateWorkspaceMember",
        promote(bobs.workspace),
        "membership { role }",
    )
    .await;
    let refused = bob
        .mutate_refused("LIMIT_REACHED", "updateWorkspaceMember", promote(another))
        .await;
    assert_limit(&refused, "maxOwnedWorkspaces", 2);
    let hand_over = json!({ "workspaceId": another, "userId": cy.id });
    bob.mutate_refused("LIMIT_REACHED", "transferWorkspaceOwnership", hand_over)
        .await;

    // Deleting a workspace makes room, and restoring it takes room, whoever restores it.
    let first = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", first.clone(), "workspace { id }")
        .await;
    ada.mutate("createWorkspace", one_more, "workspace { id }")
        .await;
    ada.mutate_refused("LIMIT_REACHED", "restoreWorkspace", first.clone())
        .await;
    let boss = office.person(&server, "boss", Org::Owner, None).await;
    boss.mutate_refused("LIMIT_REACHED", "restoreWorkspace", first.clone())
        .await;
    let second = json!({ "workspaceId": other.workspace });
    ada.mutate("deleteWorkspace", second, "workspace { id }")
        .await;
    boss.mutate("restoreWorkspace", first, "workspace { id }")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn promotions_at_once_do_not_overshoot_what_a_person_may_own(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let plan = Plan {
        max_owned_workspaces: Some(2),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let cy = Person::new(&server, "cy").await;
    let mut offices = Vec::new();
    for index in 0..5 {
        let owner = Person::new(&server, &format!("owner{index}")).await;
        let office = Office::of(&owner).await;
        office
            .person(&server, "cy", Org::Member, Some(Role::Member))
            .await;
        offices.push((owner, office));
    }
    let promotions = offices.iter().map(|(owner, office)| {
        let mut input = office.about(&cy);
        input["role"] = "OWNER".into();
        owner.try_mutate("updateWorkspaceMember", input, "membership { role }")
    });
    let replies = join_all(promotions).await;
    let promoted = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(promoted.count(), 2);
    let refused = replies
        .iter()
        .filter(|reply| reply.code() == "LIMIT_REACHED");
    assert_eq!(refused.count(), 3);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn seats_count_members_and_pending_invitations(#[values(Sqlite, Postgres)] on: Database) {
    let plan = Plan {
        max_members_per_workspace: Some(3),
        max_document_bytes: Some(5_000_000_000),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office
        .invite(&ada, "x@example.com", Some(office.workspace))
        .await;
    office.invite(&ada, "y@example.com", None).await;
    let id = json!({ "id": office.workspace });
    let limits = ada.ok(LIMITS, id).await["workspace"]["limits"].clone();
    let expected = json!({
        "maxDocumentBytes": 5_000_000_000_i64,
        "maxAgentKnowledgeBytes": null,
        "members": { "used": 2, "limit": 3, "remaining": 1 },
    });
    assert_eq!(limits, expected);

    // Transferring ownership to someone who is not a member of the workspace takes a seat.
    let bob = office.person(&server, "bob", Org::Member, None).await;
    let cy = office.person(&server, "cy", Org::Member, None).await;
    ada.mutate(
        "transferWorkspaceOwnership",
        office.about(&bob),
        "workspace { id }",
    )
    .await;
    let refused = ada
        .mutate_refused(
            "LIMIT_REACHED",
            "transferWorkspaceOwnership",
            office.about(&cy),
        )
        .await;
    assert_limit(&refused, "maxMembersPerWorkspace", 3);

    // An invitation that expires gives its seat back.
    server.clock().advance(chrono::TimeDelta::days(8));
    let expected = json!({ "used": 2, "limit": 3, "remaining": 1 });
    assert_eq!(seats(&office, &ada).await, expected);
    // If a plan has shrunk, what remains is 0, never negative.
    for name in ["di", "ed"] {
        office
            .person(&server, name, Org::Member, Some(Role::Member))
            .await;
    }
    let expected = json!({ "used": 4, "limit": 3, "remaining": 0 });
    assert_eq!(seats(&office, &ada).await, expected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn joining_and_being_added_take_a_seat_that_nobody_is_invited_to(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let plan = Plan {
        max_members_per_workspace: Some(2),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let ada = Person::new(&server, "ada").await;
    let bob = Person::new(&server, "bob").await;
    let office = Office::of(&ada).await;
    let cy = office.person(&server, "cy", Org::Member, None).await;
    let id = json!({ "workspaceId": office.workspace });
    let rotated = ada
        .mutate("rotateJoinCode", id, "joinInfo { inviteCode }")
        .await;
    let code = json!({ "code": at(&rotated, "joinInfo.inviteCode") });
    let colleague = json!({ "workspaceId": office.workspace, "email": cy.email });

    let pending = office
        .invite(&ada, "x@example.com", Some(office.workspace))
        .await;
    let refused = bob
        .mutate_refused("LIMIT_REACHED", "joinWorkspaceByCode", code.clone())
        .await;
    assert_limit(&refused, "maxMembersPerWorkspace", 2);
    let refused = ada
        .mutate_refused("LIMIT_REACHED", "addWorkspaceMember", colleague.clone())
        .await;
    assert_limit(&refused, "maxMembersPerWorkspace", 2);

    let pending = json!({ "invitationId": pending });
    ada.mutate("revokeInvitation", pending, "__typename").await;
    for _ in 0..2 {
        // The second time, they already have a seat.
        bob.mutate("joinWorkspaceByCode", code.clone(), "__typename")
            .await;
    }
    ada.mutate_refused("LIMIT_REACHED", "addWorkspaceMember", colleague)
        .await;
    assert_eq!(office.members(&ada).await.len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_there_is_none(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let expected = json!({ "used": 1, "limit": null, "remaining": null });
    assert_eq!(seats(&office, &ada).await, expected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn seats_are_not_overshot_by_handing_over_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let plan = Plan {
        max_members_per_workspace: Some(2),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let boss = office.person(&server, "boss", Org::Owner, None).await;
    let bob = office.person(&server, "bob", Org::Member, None).await;
    let cy = office.person(&server, "cy", Org::Member, None).await;
    let (one, two) = join(
        boss.try_mutate(
            "transferWorkspaceOwnership",
            office.about(&bob),
            "workspace { id }",
        ),
        boss.try_mutate(
            "transferWorkspaceOwnership",
            office.about(&cy),
            "workspace { id }",
        ),
    )
    .await;
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["", "LIMIT_REACHED"]);
    assert_eq!(office.members(&ada).await.len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn statements_do_not_grow_with_the_workspaces_whose_limits_are_asked(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let query = "{ workspaces { nodes { limits { members { used } } } } }";
    let (few, _) = server.statements(ada.ok(query, json!({}))).await;
    for index in 0..8 {
        office.workspace(&ada, &format!("More {index}")).await;
    }
    let (many, found) = server.statements(ada.ok(query, json!({}))).await;
    assert_eq!(
        found["workspaces"]["nodes"].as_array().map(Vec::len),
        Some(9)
    );
    assert_eq!(few, many);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn prompts_are_told_with_what_the_plan_allows(#[values(Sqlite, Postgres)] on: Database) {
    let plan = Plan {
        max_prompts_per_workspace: Some(3),
        ..Plan::default()
    };
    let server = server(on, plan).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let other = office.workspace(&ada, "Other").await;
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        limits { prompts { used limit remaining } } } }";
    let quota = async |id| {
        let found = ada.ok(query, json!({ "id": id })).await;
        found["workspace"]["limits"]["prompts"].clone()
    };
    let none = json!({ "used": 0, "limit": 3, "remaining": 3 });
    assert_eq!(quota(office.workspace).await, none);
    let asked = prompts(&ada, office.workspace, &["One?", "Two?"]).await;
    let two = json!({ "used": 2, "limit": 3, "remaining": 1 });
    assert_eq!(quota(office.workspace).await, two);
    assert_eq!(quota(other).await, none);

    // Inactive prompts count; deleted ones do not.
    let off = json!({ "promptId": asked[0], "isActive": false });
    ada.mutate("updatePrompt", off, "prompt { id }").await;
    assert_eq!(quota(office.workspace).await, two);
    let delete = json!({ "promptId": asked[0] });
    ada.mutate("deletePrompt", delete, "deletedId").await;
    let one = json!({ "used": 1, "limit": 3, "remaining": 2 });
    assert_eq!(quota(office.workspace).await, one);
}
