//! Adding and inviting people.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};

use super::*;
use crate::support::{Database, Postgres, Sqlite, TestServer, home};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_joins_at_once_and_anyone_else_is_invited(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let bob = server.colleague("bob@example.com", &home, OrganizationRole::Member);
    let bob = bob.await;

    let added = add(&ada, &home, " BOB@Example.com\n", "ADMIN").await;
    assert_eq!(added["invitation"], Value::Null);
    assert_eq!(added["membership"]["role"], "ADMIN");
    assert_eq!(added["membership"]["user"]["email"], "bob@example.com");
    assert_eq!(role_of(&bob, &home).await, "ADMIN");
    assert_eq!(answerable(&bob).await, Vec::<String>::new());

    let eve = server.user("eve@example.com");
    let added = add(&ada, &home, "eve@example.com", "MEMBER").await;
    assert_eq!(added["membership"], Value::Null);
    let invitation = &added["invitation"];
    assert_eq!(invitation["status"], "PENDING");
    assert_eq!(invitation["organizationRole"], "MEMBER");
    assert_eq!(invitation["workspaceRole"], "MEMBER");
    assert_eq!(invitation["workspaceName"], "Rocket Labs");
    assert_eq!(invitation["invitedBy"]["email"], "ada@example.com");
    assert_eq!(answerable(&eve).await, [text(invitation, "id")]);

    let again = adding(&home, "bob@example.com", "OWNER");
    ada.mutate_refused("CONFLICT", "addWorkspaceMember", again)
        .await;
    assert_eq!(role_of(&bob, &home).await, "ADMIN");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_or_ambiguous_address_is_invited_and_never_added(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    server
        .stranger("unverified", "eve@example.com", false)
        .await;
    let added = add(&ada, &home, "eve@example.com", "MEMBER").await;
    assert_eq!(added["membership"], Value::Null);

    server
        .colleague("bob@example.com", &home, OrganizationRole::Member)
        .await;
    server.stranger("other", "bob@example.com", true).await;
    let added = add(&ada, &home, "bob@example.com", "MEMBER").await;
    assert_eq!(added["membership"], Value::Null);
    assert_eq!(added["invitation"]["status"], "PENDING");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_one_in_any_case_and_with_its_domain_in_unicode_or_ascii(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let first = invite(&ada, &home, "  Eve@Bücher.example ", "MEMBER").await;
    let second = invite(&ada, &home, "EVE@xn--bcher-kva.example", "MEMBER").await;
    assert_eq!(first, second);
    let eve = server.user("eve@bücher.example");
    assert_eq!(answerable(&eve).await, std::slice::from_ref(&first));
    eve.mutate("acceptInvitation", of(&first), "workspace { id }")
        .await;
    let again = adding(&home, "eve@BÜCHER.example", "MEMBER");
    ada.mutate_refused("CONFLICT", "addWorkspaceMember", again)
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn inviting_again_extends_with_the_new_role_and_the_new_inviter(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let bob = server.member("bob@example.com", &home, WorkspaceRole::Admin);
    let bob = bob.await;
    let first = add(&ada, &home, "eve@example.com", "MEMBER").await;
    server.clock().advance(TimeDelta::days(3));
    let second = add(&bob, &home, "eve@example.com", "ADMIN").await;
    assert_eq!(first["invitation"]["id"], second["invitation"]["id"]);
    assert_eq!(second["invitation"]["workspaceRole"], "ADMIN");
    assert_eq!(
        second["invitation"]["invitedBy"]["email"],
        "bob@example.com"
    );
    assert!(text(&second, "invitation.expiresAt") > text(&first, "invitation.expiresAt"));
    assert_eq!(listed(&ada, &home, Value::Null).await["totalCount"], 1);

    // That takes at least the rights that the pending invitation grants.
    invite(&ada, &home, "eve@example.com", "OWNER").await;
    let less = adding(&home, "eve@example.com", "MEMBER");
    bob.mutate_refused("FORBIDDEN", "addWorkspaceMember", less)
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_invitation_is_neither_accepted_nor_in_the_way(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let first = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    server.clock().advance(TimeDelta::days(7));
    assert_eq!(listed(&ada, &home, json!("PENDING")).await["totalCount"], 0);
    assert_eq!(
        listed(&ada, &home, json!("EXPIRED")).await["nodes"][0]["id"],
        *first
    );
    assert_eq!(answerable(&eve).await, Vec::<String>::new());
    for mutation in ["acceptInvitation", "declineInvitation"] {
        eve.mutate_refused("INVITE_UNUSABLE", mutation, of(&first))
            .await;
    }
    for mutation in ["revokeInvitation", "resendInvitation"] {
        ada.mutate_refused("CONFLICT", mutation, of(&first)).await;
    }
    let second = invite(&ada, &home, "eve@example.com", "MEMBER").await;
    assert_ne!(first, second);
    let all = listed(&ada, &home, Value::Null).await;
    assert_eq!(all["nodes"][0]["status"], "PENDING");
    assert_eq!(all["nodes"][1]["status"], "EXPIRED");
    eve.mutate("acceptInvitation", of(&second), "workspace { id }")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_a_role_above_their_own(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let admin = server.member("admin@example.com", &home, WorkspaceRole::Admin);
    let admin = admin.await;
    let member = server.member("member@example.com", &home, WorkspaceRole::Member);
    let member = member.await;
    let owner = adding(&home, "eve@example.com", "OWNER");
    admin
        .mutate_refused("FORBIDDEN", "addWorkspaceMember", owner)
        .await;
    let colleague = server.colleague("carl@example.com", &home, OrganizationRole::Member);
    colleague.await;
    let owner = adding(&home, "carl@example.com", "OWNER");
    admin
        .mutate_refused("FORBIDDEN", "addWorkspaceMember", owner)
        .await;
    let any = adding(&home, "eve@example.com", "MEMBER");
    member
        .mutate_refused("FORBIDDEN", "addWorkspaceMember", any.clone())
        .await;
    let stranger = server.user("stranger@example.com");
    stranger
        .mutate_refused("NOT_FOUND", "addWorkspaceMember", any)
        .await;
    invite(&ada, &home, "eve@example.com", "OWNER").await;

    let manager = server.colleague("manager@example.com", &home, OrganizationRole::Admin);
    let manager = manager.await;
    for role in ["OWNER", "BILLING_ADMIN"] {
        let input = inviting(&home, "fay@example.com", role);
        manager
            .mutate_refused("FORBIDDEN", "inviteOrganizationMember", input)
            .await;
        invite_to_organization(&ada, &home, "fay@example.com", role).await;
    }
    // The pending invitation grants more than an admin may take over.
    let input = inviting(&home, "fay@example.com", "MEMBER");
    manager
        .mutate_refused("FORBIDDEN", "inviteOrganizationMember", input)
        .await;
    invite_to_organization(&manager, &home, "gus@example.com", "ADMIN").await;
    let input = inviting(&home, "hal@example.com", "MEMBER");
    for (client, code) in [(&member, "FORBIDDEN"), (&stranger, "NOT_FOUND")] {
        client
            .mutate_refused(code, "inviteOrganizationMember", input.clone())
            .await;
    }
    let input = inviting(&home, "member@example.com", "MEMBER");
    let refused = ada
        .mutate_refused("CONFLICT", "inviteOrganizationMember", input)
        .await;
    assert_eq!(refused.message(), "This person is already a member.");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_told_all_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let input = json!({ "workspaceId": "nonsense", "email": "nonsense" });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "addWorkspaceMember", input)
        .await;
    assert_eq!(reply.violations(), ["workspaceId", "email"]);
    let input = json!({ "organizationId": "nonsense", "email": "a@b\nc" });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "inviteOrganizationMember", input)
        .await;
    assert_eq!(reply.violations(), ["organizationId", "email"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn mails_are_counted_by_the_hour_and_colleagues_and_extensions_are_not(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| config.limits.invitations_per_hour = 3).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let first = invite(&ada, &home, "a@example.com", "MEMBER").await;
    invite(&ada, &home, "a@example.com", "ADMIN").await;
    server
        .colleague("bob@example.com", &home, OrganizationRole::Member)
        .await;
    add(&ada, &home, "bob@example.com", "MEMBER").await;
    invite_to_organization(&ada, &home, "b@example.com", "MEMBER").await;
    ada.mutate("resendInvitation", of(&first), "invitation { id }")
        .await;
    let more = adding(&home, "c@example.com", "MEMBER");
    let reply = ada
        .mutate_refused("RATE_LIMITED", "addWorkspaceMember", more.clone())
        .await;
    assert!(reply.retry_after() > 3500);
    ada.mutate_refused("RATE_LIMITED", "resendInvitation", of(&first))
        .await;
    assert_eq!(listed(&ada, &home, json!("PENDING")).await["totalCount"], 1);
    server.clock().advance(TimeDelta::hours(1));
    ada.mutate("addWorkspaceMember", more, "invitation { id }")
        .await;
}
