//! Accepting and declining invitations.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::auth::{Credential, Viewer};
use tenantry::error::ErrorCode;
use tenantry::id::InvitationId;
use tenantry::models::invitation;

use super::*;
use crate::support::{Database, Postgres, Sqlite, TestServer, home};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn accepting_makes_a_member_of_both_and_selects_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    eve.mutate(
        "createWorkspace",
        json!({ "name": "Z" .repeat(3) }),
        "workspace { id }",
    )
    .await;
    let id = invite(&ada, &home, "EVE@example.com", "ADMIN").await;
    let selection = "invitation { status organization { id } invitedBy { email } }
        organization { id viewerAccess { role } } workspace { id viewerRole }";
    let accepted = eve.mutate("acceptInvitation", of(&id), selection).await;
    assert_eq!(accepted["invitation"]["status"], "ACCEPTED");
    assert_eq!(
        accepted["invitation"]["invitedBy"]["email"],
        "ada@example.com"
    );
    assert_eq!(accepted["organization"]["viewerAccess"]["role"], "MEMBER");
    assert_eq!(accepted["workspace"]["viewerRole"], "ADMIN");
    let current = "{ navigationState { currentWorkspace { name } invitations { id } } }";
    let current = eve.ok(current, Value::Null).await;
    assert_eq!(
        current["navigationState"]["currentWorkspace"]["name"],
        "ZZZ"
    );
    assert_eq!(answerable(&eve).await, Vec::<String>::new());
    for mutation in ["acceptInvitation", "declineInvitation"] {
        eve.mutate_refused("INVITE_UNUSABLE", mutation, of(&id))
            .await;
    }
    let events =
        "query($id: ID!) { workspace(by: { id: $id }) { events(first: 3) { nodes { kind } } } }";
    let events = ada.ok(events, json!({ "id": home.workspace })).await;
    let kinds = &events["workspace"]["events"]["nodes"];
    assert_eq!(kinds[0]["kind"], "INVITATION_ACCEPTED");
    assert_eq!(kinds[1]["kind"], "WORKSPACE_MEMBER_ADDED");
    assert_eq!(kinds[2]["kind"], "INVITATION_CREATED");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_person_invited_can_answer(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    let other = server.user("other@example.com");
    let member = server.member("member@example.com", &home, WorkspaceRole::Member);
    let member = member.await;
    for mutation in ["acceptInvitation", "declineInvitation"] {
        other.mutate_refused("NOT_FOUND", mutation, of(&id)).await;
        member.mutate_refused("NOT_FOUND", mutation, of(&id)).await;
        let refused = ada.mutate_refused("FORBIDDEN", mutation, of(&id)).await;
        assert_eq!(
            refused.message(),
            "Only the person invited can answer an invitation."
        );
        let none = "inv_01jv9k6rm5e2qscx1y2p9r8z4d";
        ada.mutate_refused("NOT_FOUND", mutation, of(none)).await;
    }

    let user = server
        .stranger("unverified", "eve@example.com", false)
        .await;
    let id: InvitationId = id.parse().expect("an invitation's id");
    let mut conn = server.app().db.read().await.expect("a connection");
    let seen = invitation::visible(&mut conn, user.id, &[id]).await;
    assert!(seen.expect("an answer").is_empty());
    let now = server.app().now();
    let offered = invitation::answerable(&mut conn, user.id, now, 100).await;
    assert!(offered.expect("an answer").is_empty());
    drop(conn);
    let viewer = Viewer {
        user,
        credential: Credential::ApiToken,
        at: now,
        expires_at: None,
    };
    let refused = invitation::accept(server.app(), &viewer, id).await;
    assert_eq!(refused.expect_err("a refusal").code(), ErrorCode::NotFound);
    let refused = invitation::decline(server.app(), &viewer, id).await;
    assert_eq!(refused.expect_err("a refusal").code(), ErrorCode::NotFound);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn declining_ends_it(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    let declined = eve.mutate(
        "declineInvitation",
        of(&id),
        "invitation { status workspace { id } }",
    );
    let declined = declined.await;
    assert_eq!(declined["invitation"]["status"], "DECLINED");
    assert_eq!(declined["invitation"]["workspace"], Value::Null);
    eve.mutate_refused("INVITE_UNUSABLE", "acceptInvitation", of(&id))
        .await;
    ada.mutate_refused("CONFLICT", "revokeInvitation", of(&id))
        .await;
    assert_ne!(invite(&ada, &home, "eve@example.com", "MEMBER").await, id);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_role_already_higher_is_kept_and_a_lower_one_is_raised(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let to_workspace = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    let to_organization = invite_to_organization(&ada, &home, "eve@example.com", "MEMBER").await;
    server
        .member("eve@example.com", &home, WorkspaceRole::Owner)
        .await;
    let selection = "organization { viewerAccess { role } }";
    eve.mutate("acceptInvitation", of(&to_workspace), selection)
        .await;
    assert_eq!(role_of(&eve, &home).await, "OWNER");
    eve.mutate("acceptInvitation", of(&to_organization), selection)
        .await;

    let bob = server.user("bob@example.com");
    let to_workspace = invite(&ada, &home, "bob@example.com", "ADMIN").await;
    let to_organization =
        invite_to_organization(&ada, &home, "bob@example.com", "BILLING_ADMIN").await;
    server
        .member("bob@example.com", &home, WorkspaceRole::Member)
        .await;
    let accepted = bob
        .mutate("acceptInvitation", of(&to_organization), selection)
        .await;
    assert_eq!(
        accepted["organization"]["viewerAccess"]["role"],
        "BILLING_ADMIN"
    );
    let accepted = bob
        .mutate("acceptInvitation", of(&to_workspace), selection)
        .await;
    assert_eq!(
        accepted["organization"]["viewerAccess"]["role"],
        "BILLING_ADMIN"
    );
    assert_eq!(role_of(&bob, &home).await, "ADMIN");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_dies_with_its_workspace_and_stays_dead(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| config.limits.protect_last_workspace = false).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    let workspace = json!({ "workspaceId": home.workspace });
    ada.mutate("deleteWorkspace", workspace.clone(), "workspace { id }")
        .await;
    assert_eq!(answerable(&eve).await, Vec::<String>::new());
    eve.mutate_refused("INVITE_UNUSABLE", "acceptInvitation", of(&id))
        .await;
    ada.mutate_refused("CONFLICT", "revokeInvitation", of(&id))
        .await;
    ada.mutate("restoreWorkspace", workspace, "workspace { id }")
        .await;
    eve.mutate_refused("INVITE_UNUSABLE", "acceptInvitation", of(&id))
        .await;
    assert_eq!(listed(&ada, &home, json!("REVOKED")).await["totalCount"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn seats_are_checked_on_accepting_too(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| allow(config, 2)).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    let more = adding(&home, "fay@example.com", "MEMBER");
    let reply = ada
        .mutate_refused("LIMIT_REACHED", "addWorkspaceMember", more)
        .await;
    assert_eq!(reply.extensions()["limitName"], "maxMembersPerWorkspace");
    // Extending an invitation takes no second seat.
    assert_eq!(invite(&ada, &home, "eve@example.com", "ADMIN").await, id);
    // As if the plan had shrunk: the members alone fill it.
    server
        .member("fay@example.com", &home, WorkspaceRole::Member)
        .await;
    eve.mutate_refused("LIMIT_REACHED", "acceptInvitation", of(&id))
        .await;
    assert_eq!(answerable(&eve).await, [id]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn after_a_plan_shrank_invitations_are_accepted_as_long_as_members_fit(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| allow(config, 4)).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let mut invited = Vec::new();
    for name in ["eve", "fay", "gus"] {
        let email = format!("{name}@example.com");
        let id = invite(&ada, &home, &email, "MEMBER").await;
        invited.push((email, id));
    }
    let shrunk = server.sibling_with(|config| allow(config, 2)).await;
    let more = adding(&home, "hal@example.com", "MEMBER");
    shrunk
        .user("ada@example.com")
        .mutate_refused("LIMIT_REACHED", "addWorkspaceMember", more)
        .await;
    let (email, id) = &invited[0];
    shrunk
        .user(email)
        .mutate("acceptInvitation", of(id), "workspace { id }")
        .await;
    for (email, id) in &invited[1..] {
        shrunk
            .user(email)
            .mutate_refused("LIMIT_REACHED", "acceptInvitation", of(id))
            .await;
    }
    // Once there is room again, they can be accepted.
    let (email, id) = &invited[1];
    server
        .user(email)
        .mutate("acceptInvitation", of(id), "workspace { id }")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_whose_sender_may_not_give_it_any_more_is_unusable(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let manager = server.colleague("manager@example.com", &home, OrganizationRole::Admin);
    let manager = manager.await;
    let id = invite(&manager, &home, "eve@example.com", "ADMIN").await;
    server
        .set_organization_role("manager@example.com", OrganizationRole::Member)
        .await;
    eve.mutate_refused("INVITE_UNUSABLE", "acceptInvitation", of(&id))
        .await;
    // An invitation extended by someone else counts as theirs.
    assert_eq!(invite(&ada, &home, "eve@example.com", "MEMBER").await, id);
    eve.mutate("acceptInvitation", of(&id), "workspace { id }")
        .await;
}
