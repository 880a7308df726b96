//! Changing and removing members, leaving, and transferring ownership.

use rstest::rstest;
use serde_json::json;
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;
use tenantry::models::invitation::InvitationStatus;

use super::pairs;
use crate::support::office::{Office, Person, invitation_status, removals_of};
use crate::support::{Database, Postgres, Sqlite, TestServer, text};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_changes_and_removes_members(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;

    let mut input = office.about(&bob);
    input["role"] = "ADMIN".into();
    let selection = "membership { role user { id } workspace { id } }";
    let updated = ada
        .mutate("updateWorkspaceMember", input.clone(), selection)
        .await;
    assert_eq!(updated["membership"]["role"], "ADMIN");
    assert_eq!(
        text(&updated, "membership.user.id"),
        text(&office.about(&bob), "userId")
    );
    // The same again changes nothing and makes no event.
    ada.mutate("updateWorkspaceMember", input, selection).await;

    let selection = "removed userId role workspace { id members { totalCount } }";
    let removed = ada
        .mutate("removeWorkspaceMember", office.about(&bob), selection)
        .await;
    assert_eq!(removed["removed"], true);
    assert_eq!(removed["userId"], json!(bob.id));
    assert_eq!(removed["role"], "ADMIN");
    assert_eq!(removed["workspace"]["members"]["totalCount"], 1);
    assert_eq!(office.members(&ada).await, pairs(&[("ada", "OWNER")]));

    let events = office.events(&ada).await;
    let about_bob = json!({ "userId": bob.id, "role": "ADMIN" });
    let expected = [
        ("WORKSPACE_MEMBER_REMOVED".to_owned(), about_bob.clone()),
        ("WORKSPACE_MEMBER_UPDATED".to_owned(), about_bob),
    ];
    assert_eq!(events[..2], expected);
    assert_eq!(events[2].0, "WORKSPACE_CREATED");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_owners_change_members(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let admin = office
        .person(&server, "admin", Org::Member, Some(Role::Admin))
        .await;
    let org_admin = office.person(&server, "boss", Org::Admin, None).await;
    let outside = office.person(&server, "outside", Org::Member, None).await;
    let stranger = Person::new(&server, "stranger").await;

    let mut update = office.about(&bob);
    update["role"] = "ADMIN".into();
    let attempts = [
        ("updateWorkspaceMember", update),
        ("removeWorkspaceMember", office.about(&bob)),
        ("transferWorkspaceOwnership", office.about(&ada)),
    ];
    for (mutation, input) in attempts {
        for seeing in [&admin, &bob, &org_admin] {
            seeing
                .mutate_refused("FORBIDDEN", mutation, input.clone())
                .await;
        }
        let mut nothing = input.clone();
        nothing["workspaceId"] = "ws_01jv9k6rm5e2qscx1y2p9r8z4d".into();
        for blind in [&outside, &stranger] {
            let hidden = blind
                .mutate_refused("NOT_FOUND", mutation, input.clone())
                .await;
            let never = blind
                .mutate_refused("NOT_FOUND", mutation, nothing.clone())
                .await;
            assert_eq!(hidden.body["errors"], never.body["errors"]);
        }
    }
    assert_eq!(office.members(&ada).await.len(), 3);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_none_are_told_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let input = json!({ "workspaceId": "x", "userId": "y" });
    for mutation in ["removeWorkspaceMember", "transferWorkspaceOwnership"] {
        let refused = ada
            .mutate_refused("INVALID_INPUT", mutation, input.clone())
            .await;
        assert_eq!(refused.violations(), ["workspaceId", "userId"]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn changing_or_removing_someone_who_is_no_member_is_not_found(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Member, None).await;
    let mut update = office.about(&bob);
    update["role"] = "OWNER".into();
    ada.mutate_refused("NOT_FOUND", "updateWorkspaceMember", update)
        .await;
    let mut remove = office.about(&bob);
    remove["expectedRole"] = "MEMBER".into();
    ada.mutate_refused("NOT_FOUND", "removeWorkspaceMember", remove)
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_role_has_changed_is_not_removed(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Admin))
        .await;
    let mut input = office.about(&bob);
    input["expectedRole"] = "MEMBER".into();
    ada.mutate_refused("CONFLICT", "removeWorkspaceMember", input.clone())
        .await;
    assert_eq!(office.members(&ada).await.len(), 2);
    input["expectedRole"] = "ADMIN".into();
    ada.mutate("removeWorkspaceMember", input, "removed").await;
    assert_eq!(office.members(&ada).await.len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sole_owner_does_not_demote_themself(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let boss = Person::new(&server, "boss").await;
    let office = Office::of(&boss).await;
    // An OWNER of the organization has the role, but only counts with a membership of their own.
    office.person(&server, "chief", Org::Owner, None).await;
    let mut demote = office.about(&boss);
    demote["role"] = "ADMIN".into();
    boss.mutate_refused("LAST_OWNER", "updateWorkspaceMember", demote.clone())
        .await;
    boss.mutate_refused("LAST_OWNER", "removeWorkspaceMember", office.about(&boss))
        .await;
    let leave = json!({ "workspaceId": office.workspace });
    boss.mutate_refused("LAST_OWNER", "leaveWorkspace", leave.clone())
        .await;

    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Owner))
        .await;
    boss.mutate("updateWorkspaceMember", demote, "membership { role }")
        .await;
    let expected = pairs(&[("boss", "ADMIN"), ("bob", "OWNER")]);
    assert_eq!(office.members(&boss).await, expected);
    bob.mutate_refused("LAST_OWNER", "leaveWorkspace", leave)
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn leaving_takes_a_membership_of_ones_own(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let boss = office.person(&server, "boss", Org::Owner, None).await;
    let outside = office.person(&server, "outside", Org::Member, None).await;
    let leave = json!({ "workspaceId": office.workspace });

    boss.mutate_refused("CONFLICT", "leaveWorkspace", leave.clone())
        .await;
    outside
        .mutate_refused("NOT_FOUND", "leaveWorkspace", leave.clone())
        .await;
    let left = bob
        .mutate("leaveWorkspace", leave.clone(), "workspaceId")
        .await;
    assert_eq!(left["workspaceId"], json!(office.workspace));
    bob.mutate_refused("NOT_FOUND", "leaveWorkspace", leave)
        .await;
    assert_eq!(office.members(&ada).await.len(), 1);
    // Leaving is not a removal: they may come back by the code.
    assert_eq!(removals_of(&server, &bob).await, []);
    assert_eq!(office.events(&ada).await[0].0, "WORKSPACE_MEMBER_REMOVED");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_is_remembered_as_removed(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    ada.mutate("removeWorkspaceMember", office.about(&bob), "removed")
        .await;
    assert_eq!(removals_of(&server, &bob).await, [Some(office.workspace)]);
    // Being wanted again cancels that.
    ada.mutate(
        "transferWorkspaceOwnership",
        office.about(&bob),
        "workspace { id }",
    )
    .await;
    assert_eq!(removals_of(&server, &bob).await, []);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn handing_over_makes_the_other_owner_and_oneself_admin(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Member, None).await;
    let boss = office.person(&server, "boss", Org::Owner, None).await;
    let selection = "workspace { id viewerRole }";

    // Ada owns the organization, so her role stays the same; her membership's does not.
    let handed = ada
        .mutate("transferWorkspaceOwnership", office.about(&bob), selection)
        .await;
    assert_eq!(handed["workspace"]["viewerRole"], "OWNER");
    let expected = pairs(&[("ada", "ADMIN"), ("bob", "OWNER")]);
    assert_eq!(office.members(&ada).await, expected);
    let events = office.events(&ada).await;
    assert_eq!(events[0].0, "WORKSPACE_MEMBER_UPDATED");
    assert_eq!(
        events[0].1,
        json!({ "userId": ada.id, "role": "ADMIN" }),
        "the former owner's"
    );
    assert_eq!(events[1].0, "WORKSPACE_MEMBER_ADDED");
    assert_eq!(events[1].1, json!({ "userId": bob.id, "role": "OWNER" }));

    // Bob, only a member of the organization, thereby becomes ADMIN.
    let handed = bob
        .mutate("transferWorkspaceOwnership", office.about(&ada), selection)
        .await;
    assert_eq!(handed["workspace"]["viewerRole"], "ADMIN");

    // Someone without a membership gets none by transferring ownership.
    boss.mutate("transferWorkspaceOwnership", office.about(&bob), selection)
        .await;
    let expected = pairs(&[("ada", "OWNER"), ("bob", "OWNER")]);
    assert_eq!(office.members(&ada).await, expected);

    let refused = ada
        .mutate_refused(
            "INVALID_INPUT",
            "transferWorkspaceOwnership",
            office.about(&ada),
        )
        .await;
    assert_eq!(refused.violations(), ["userId"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ownership_is_not_handed_to_someone_who_never_joined(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let stranger = Person::new(&server, "stranger").await;
    ada.mutate_refused(
        "NOT_FOUND",
        "transferWorkspaceOwnership",
        office.about(&stranger),
    )
    .await;
    let mut nobody = office.about(&stranger);
    nobody["userId"] = "user_01jv9k6rm5e2qscx1y2p9r8z4d".into();
    ada.mutate_refused("NOT_FOUND", "transferWorkspaceOwnership", nobody)
        .await;
    assert_eq!(office.members(&ada).await, pairs(&[("ada", "OWNER")]));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_deleted_workspace_stay_as_they_are(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Another").await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let id = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", id.clone(), "workspace { id }")
        .await;
    let mut update = office.about(&bob);
    update["role"] = "ADMIN".into();
    ada.mutate_refused("CONFLICT", "updateWorkspaceMember", update)
        .await;
    ada.mutate_refused("CONFLICT", "removeWorkspaceMember", office.about(&bob))
        .await;
    ada.mutate_refused("CONFLICT", "transferWorkspaceOwnership", office.about(&bob))
        .await;
    bob.mutate_refused("NOT_FOUND", "leaveWorkspace", id).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_no_longer_invite_takes_their_invitations_along(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let other = office.workspace(&ada, "Other").await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Owner))
        .await;
    office.join(&server, other, &bob, Role::Admin).await;
    let here = office
        .invite(&bob, "cy@example.com", Some(office.workspace))
        .await;
    let there = office.invite(&bob, "cy@example.com", Some(other)).await;
    let adas = office
        .invite(&ada, "di@example.com", Some(office.workspace))
        .await;

    // An ADMIN may still invite.
    let mut update = office.about(&bob);
    update["role"] = "ADMIN".into();
    ada.mutate(
        "updateWorkspaceMember",
        update.clone(),
        "membership { role }",
    )
    .await;
    assert_eq!(
        invitation_status(&server, here).await,
        InvitationStatus::Pending
    );

    update["role"] = "MEMBER".into();
    ada.mutate("updateWorkspaceMember", update, "membership { role }")
        .await;
    assert_eq!(
        invitation_status(&server, here).await,
        InvitationStatus::Revoked
    );
    let events = office.events(&ada).await;
    assert_eq!(events[0].0, "INVITATION_REVOKED");
    for kept in [there, adas] {
        let status = invitation_status(&server, kept).await;
        assert_eq!(status, InvitationStatus::Pending);
    }

    // Deleting the workspace revokes all its invitations.
    let id = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", id.clone(), "workspace { id }")
        .await;
    ada.mutate("restoreWorkspace", id, "workspace { id }").await;
    assert_eq!(
        invitation_status(&server, adas).await,
        InvitationStatus::Revoked
    );
}

/// The sender may still invite, but no longer give that role.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_to_more_than_its_sender_may_give_is_revoked(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Owner, Some(Role::Owner))
        .await;
    let of_workspace = async |email: &str, role: &str| {
        let input = json!({ "workspaceId": office.workspace, "email": email, "role": role });
        let invited = bob.mutate("addWorkspaceMember", input, "invitation { id }");
        text(&invited.await, "invitation.id")
            .parse()
            .expect("an id")
    };
    let of_organization = async |email: &str, role: &str| {
        let input = json!({ "organizationId": office.organization, "email": email, "role": role });
        let invited = bob.mutate("inviteOrganizationMember", input, "invitation { id }");
        text(&invited.await, "invitation.id")
            .parse()
            .expect("an id")
    };
    let revoked = async |id| invitation_status(&server, id).await == InvitationStatus::Revoked;
    let (owner, admin) = (
        of_workspace("owner@example.com", "OWNER").await,
        of_workspace("admin@example.com", "ADMIN").await,
    );
    let (boss, billing, deputy) = (
        of_organization("boss@example.com", "OWNER").await,
        of_organization("billing@example.com", "BILLING_ADMIN").await,
        of_organization("deputy@example.com", "ADMIN").await,
    );

    // Now an ADMIN of the organization, and still an OWNER of the workspace.
    let mut update = json!({ "organizationId": office.organization, "userId": bob.id });
    update["role"] = "ADMIN".into();
    ada.mutate("updateOrganizationMember", update, "membership { role }")
        .await;
    assert!(revoked(boss).await && revoked(billing).await);
    assert!(!revoked(deputy).await && !revoked(owner).await);

    // Transferring the workspace leaves him an ADMIN in it.
    bob.mutate(
        "transferWorkspaceOwnership",
        office.about(&ada),
        "workspace { id }",
    )
    .await;
    assert!(revoked(owner).await);
    assert!(!revoked(admin).await && !revoked(deputy).await);

    // The same with the organization.
    let input = json!({ "organizationId": office.organization, "email": "boss@example.com", "role": "OWNER" });
    let invited = ada
        .mutate("inviteOrganizationMember", input, "invitation { id }")
        .await;
    let boss = text(&invited, "invitation.id").parse().expect("an id");
    let to = json!({ "organizationId": office.organization, "userId": bob.id });
    ada.mutate("transferOrganizationOwnership", to, "organization { id }")
        .await;
    assert!(revoked(boss).await);
}
