//! Revoking and resending invitations.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::Value;
use tenantry::access::{OrganizationRole, WorkspaceRole};

use super::*;
use crate::support::{Database, Postgres, Sqlite, TestServer, home};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn those_who_manage_it_revoke_it_and_send_it_again(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let home = home(&ada, "Rocket Labs").await;
    let admin = server.member("admin@example.com", &home, WorkspaceRole::Admin);
    let admin = admin.await;
    let member = server.member("member@example.com", &home, WorkspaceRole::Member);
    let member = member.await;
    let stranger = server.user("stranger@example.com");
    let first = add(&ada, &home, "eve@example.com", "MEMBER").await;
    let id = text(&first, "invitation.id");
    for mutation in ["revokeInvitation", "resendInvitation"] {
        member.mutate_refused("NOT_FOUND", mutation, of(&id)).await;
        stranger
            .mutate_refused("NOT_FOUND", mutation, of(&id))
            .await;
        let refused = eve.mutate_refused("FORBIDDEN", mutation, of(&id)).await;
        assert_eq!(
            refused.message(),
            "Only people who may send this invitation can revoke or resend it."
        );
    }
    server.clock().advance(TimeDelta::days(2));
    let selection = "invitation { expiresAt status invitedBy { email } }";
    let resent = admin.mutate("resendInvitation", of(&id), selection).await;
    assert!(text(&resent, "invitation.expiresAt") > text(&first, "invitation.expiresAt"));
    assert_eq!(
        resent["invitation"]["invitedBy"]["email"],
        "ada@example.com"
    );
    let revoked = admin.mutate("revokeInvitation", of(&id), selection).await;
    assert_eq!(revoked["invitation"]["status"], "REVOKED");
    for mutation in ["revokeInvitation", "resendInvitation"] {
        ada.mutate_refused("CONFLICT", mutation, of(&id)).await;
    }
    eve.mutate_refused("INVITE_UNUSABLE", "acceptInvitation", of(&id))
        .await;

    // An admin may not extend an invitation that they could not give, but may revoke it.
    let owner = invite(&ada, &home, "fay@example.com", "OWNER").await;
    let refused = admin
        .mutate_refused("FORBIDDEN", "resendInvitation", of(&owner))
        .await;
    assert_eq!(
        refused.message(),
        "Your own role does not allow you to give the role OWNER."
    );
    admin
        .mutate("revokeInvitation", of(&owner), "invitation { id }")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn invitations_to_the_organization_are_for_those_who_manage_its_members(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let manager = server.colleague("manager@example.com", &home, OrganizationRole::Admin);
    let manager = manager.await;
    let owner = server.member("owner@example.com", &home, WorkspaceRole::Owner);
    let owner = owner.await;
    let id = invite_to_organization(&ada, &home, "eve@example.com", "MEMBER").await;
    invite(&ada, &home, "fay@example.com", "MEMBER").await;
    for mutation in ["revokeInvitation", "resendInvitation"] {
        owner.mutate_refused("NOT_FOUND", mutation, of(&id)).await;
    }
    let list = "query($id: ID!) { organization(by: { id: $id }) { name
        invitations { totalCount nodes { id workspaceRole workspaceName } } } }";
    let variables = json!({ "id": home.organization });
    let seen = manager.ok(list, variables.clone()).await;
    // Only invitations to the organization itself.
    assert_eq!(seen["organization"]["invitations"]["totalCount"], 1);
    assert_eq!(seen["organization"]["invitations"]["nodes"][0]["id"], *id);
    let reply = owner.refused("FORBIDDEN", list, variables).await;
    assert_eq!(reply.body["data"]["organization"]["name"], "Rocket Labs");
    assert_eq!(
        reply.body["data"]["organization"]["invitations"],
        Value::Null
    );
    manager
        .mutate("resendInvitation", of(&id), "invitation { id }")
        .await;
    manager
        .mutate("revokeInvitation", of(&id), "invitation { id }")
        .await;
}
