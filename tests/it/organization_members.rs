//! Who belongs to an organization, and who may change that.

use futures_util::future::join;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;
use tenantry::models::invitation::InvitationStatus;

use crate::support::office::{Office, Person, invitation_status, removals_of};
use crate::support::{Database, Postgres, Sqlite, TestServer};

const MEMBERSHIP: &str = "membership { role user { id } }";

fn role(office: &Office, person: &Person, role: &str) -> Value {
    let mut input = office.organization_about(person);
    input["role"] = role.into();
    input
}

async fn owners(office: &Office, seen_by: &Person) -> usize {
    let members = office.organization_members(seen_by).await;
    members.iter().filter(|(_, role)| role == "OWNER").count()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_above_themself(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let admin = office.person(&server, "admin", Org::Admin, None).await;
    let bob = office.person(&server, "bob", Org::Member, None).await;
    let billing = office
        .person(&server, "billing", Org::BillingAdmin, None)
        .await;

    // What an ADMIN may do.
    let updated = admin
        .mutate(
            "updateOrganizationMember",
            role(&office, &bob, "ADMIN"),
            MEMBERSHIP,
        )
        .await;
    assert_eq!(updated["membership"]["role"], "ADMIN");
    assert_eq!(updated["membership"]["user"]["id"], json!(bob.id));
    admin
        .mutate(
            "updateOrganizationMember",
            role(&office, &bob, "MEMBER"),
            MEMBERSHIP,
        )
        .await;
    // And what an ADMIN may not do: give or take OWNER and BILLING_ADMIN.
    let beyond = [
        role(&office, &bob, "OWNER"),
        role(&office, &admin, "OWNER"),
        role(&office, &bob, "BILLING_ADMIN"),
        role(&office, &ada, "MEMBER"),
        role(&office, &ada, "OWNER"),
        role(&office, &billing, "MEMBER"),
    ];
    for input in beyond {
        admin
            .mutate_refused("FORBIDDEN", "updateOrganizationMember", input)
            .await;
    }
    for above in [&ada, &billing] {
        let input = office.organization_about(above);
        admin
            .mutate_refused("FORBIDDEN", "removeOrganizationMember", input)
            .await;
    }
    // An OWNER may.
    for (person, given) in [
        (&bob, "BILLING_ADMIN"),
        (&billing, "MEMBER"),
        (&bob, "OWNER"),
    ] {
        let input = role(&office, person, given);
        ada.mutate("updateOrganizationMember", input, MEMBERSHIP)
            .await;
    }
    let events = office.events(&ada).await;
    assert_eq!(events[0].0, "ORGANIZATION_MEMBER_UPDATED");
    assert_eq!(events[0].1, json!({ "userId": bob.id, "role": "OWNER" }));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn members_are_managed_by_owners_and_admins(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let admin = office.person(&server, "admin", Org::Admin, None).await;
    let bob = office.person(&server, "bob", Org::Member, None).await;
    let billing = office
        .person(&server, "billing", Org::BillingAdmin, None)
        .await;
    let stranger = Person::new(&server, "stranger").await;
    let attempts = [
        ("updateOrganizationMember", role(&office, &bob, "ADMIN")),
        ("removeOrganizationMember", office.organization_about(&bob)),
        (
            "transferOrganizationOwnership",
            office.organization_about(&admin),
        ),
    ];
    for (mutation, input) in attempts {
        for seeing in [&bob, &billing] {
            seeing
                .mutate_refused("FORBIDDEN", mutation, input.clone())
                .await;
        }
        let hidden = stranger
            .mutate_refused("NOT_FOUND", mutation, input.clone())
            .await;
        let mut nothing = input.clone();
        nothing["organizationId"] = "org_01jv9k6rm5e2qscx1y2p9r8z4d".into();
        let never = stranger
            .mutate_refused("NOT_FOUND", mutation, nothing)
            .await;
        assert_eq!(hidden.body["errors"], never.body["errors"]);
        // Someone who is not a member cannot be changed either.
        let mut other = input.clone();
        other["userId"] = json!(stranger.id);
        ada.mutate_refused("NOT_FOUND", mutation, other).await;
        let mut malformed = input;
        malformed["organizationId"] = "x".into();
        malformed["userId"] = "y".into();
        let refused = ada
            .mutate_refused("INVALID_INPUT", mutation, malformed)
            .await;
        assert_eq!(refused.violations(), ["organizationId", "userId"]);
    }
    // Transferring ownership requires being an OWNER.
    admin
        .mutate_refused(
            "FORBIDDEN",
            "transferOrganizationOwnership",
            office.organization_about(&bob),
        )
        .await;
    stranger
        .mutate_refused(
            "NOT_FOUND",
            "leaveOrganization",
            json!({ "organizationId": office.organization }),
        )
        .await;
    assert_eq!(office.organization_members(&ada).await.len(), 4);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sole_owner_does_not_demote_themself_or_go(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.person(&server, "admin", Org::Admin, None).await;
    for given in ["ADMIN", "MEMBER", "BILLING_ADMIN"] {
        let input = role(&office, &ada, given);
        ada.mutate_refused("LAST_OWNER", "updateOrganizationMember", input)
            .await;
    }
    let own = office.organization_about(&ada);
    ada.mutate_refused("LAST_OWNER", "removeOrganizationMember", own)
        .await;
    let leave = json!({ "organizationId": office.organization });
    ada.mutate_refused("LAST_OWNER", "leaveOrganization", leave)
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn handing_over_makes_the_other_owner_and_the_viewer_admin(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Member, None).await;
    let handed = ada
        .mutate(
            "transferOrganizationOwnership",
            office.organization_about(&bob),
            "organization { id viewerAccess { role } }",
        )
        .await;
    assert_eq!(handed["organization"]["viewerAccess"]["role"], "ADMIN");
    let roles = office.organization_members(&ada).await;
    let roles: Vec<_> = roles.iter().map(|(_, role)| role.as_str()).collect();
    assert_eq!(roles, ["ADMIN", "OWNER"]);
    ada.mutate_refused(
        "FORBIDDEN",
        "transferOrganizationOwnership",
        office.organization_about(&bob),
    )
    .await;
    let own = office.organization_about(&bob);
    let refused = bob
        .mutate_refused("INVALID_INPUT", "transferOrganizationOwnership", own)
        .await;
    assert_eq!(refused.violations(), ["userId"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_passes_their_workspaces_to_the_longest_standing_owner(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(true, false)] by_removal: bool,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let leaver = office.person(&server, "leaver", Org::Admin, None).await;
    office.person(&server, "later", Org::Owner, None).await;
    // Owned by the leaver alone: a workspace with the heir, one without the heir, and a deleted one.
    let known = office.workspace(&leaver, "Known").await;
    office.join(&server, known, &ada, Role::Member).await;
    let unknown = office.workspace(&leaver, "Unknown").await;
    let deleted = office.workspace(&leaver, "Deleted").await;
    let id = json!({ "workspaceId": deleted });
    leaver
        .mutate("deleteWorkspace", id, "workspace { id }")
        .await;
    // And a workspace that has another owner.
    office
        .join(&server, office.workspace, &leaver, Role::Owner)
        .await;

    if by_removal {
        let input = office.organization_about(&leaver);
        let selection = "removed userId organization { id }";
        let removed = ada
            .mutate("removeOrganizationMember", input, selection)
            .await;
        assert_eq!(removed["removed"], true);
        assert_eq!(removed["userId"], json!(leaver.id));
        assert_eq!(removed["organization"]["id"], json!(office.organization));
        assert_eq!(removals_of(&server, &leaver).await, [None]);
    } else {
        let input = json!({ "organizationId": office.organization });
        let left = leaver
            .mutate("leaveOrganization", input, "organizationId")
            .await;
        assert_eq!(left["organizationId"], json!(office.organization));
        assert_eq!(removals_of(&server, &leaver).await, []);
    }

    let owner = vec![("ada@example.com".to_owned(), "OWNER".to_owned())];
    for workspace in [known, unknown, office.workspace] {
        let office = Office {
            organization: office.organization,
            workspace,
        };
        assert_eq!(office.members(&ada).await, owner);
    }
    ada.mutate(
        "restoreWorkspace",
        json!({ "workspaceId": deleted }),
        "workspace { id }",
    )
    .await;
    let restored = Office {
        organization: office.organization,
        workspace: deleted,
    };
    assert_eq!(restored.members(&ada).await, owner);

    let seen = leaver
        .ok("{ organizations { totalCount } }", json!({}))
        .await;
    assert_eq!(seen["organizations"]["totalCount"], 0);
    let events = office.events(&ada).await;
    let about_ada = json!({ "userId": ada.id, "role": "OWNER" });
    let count = |kind: &str| {
        let alike = events
            .iter()
            .filter(|(other, data)| other == kind && *data == about_ada);
        alike.count()
    };
    assert_eq!(count("WORKSPACE_MEMBER_UPDATED"), 1);
    assert_eq!(count("WORKSPACE_MEMBER_ADDED"), 2);
    let gone = (
        "ORGANIZATION_MEMBER_REMOVED".to_owned(),
        json!({ "userId": leaver.id, "role": "ADMIN" }),
    );
    assert!(events.contains(&gone));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn statements_do_not_grow_with_the_workspaces_of_whoever_leaves(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let mut counts = Vec::new();
    for (name, workspaces) in [("few", 2), ("many", 12)] {
        let leaver = office.person(&server, name, Org::Admin, None).await;
        for index in 0..workspaces {
            office.workspace(&leaver, &format!("Theirs {index}")).await;
        }
        let input = json!({ "organizationId": office.organization });
        let left = leaver.mutate("leaveOrganization", input, "organizationId");
        counts.push(server.statements(left).await.0);
    }
    assert_eq!(counts[0], counts[1]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_no_longer_invite_takes_their_invitations_along(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(&server, "bob", Org::Admin, Some(Role::Admin))
        .await;
    let other = office.workspace(&ada, "Other").await;
    let cy = "cy@example.com";
    let to_organization = office.invite(&bob, cy, None).await;
    let to_other = office.invite(&bob, cy, Some(other)).await;
    let to_own = office.invite(&bob, cy, Some(office.workspace)).await;
    let adas = office.invite(&ada, "di@example.com", None).await;

    let demoted = role(&office, &bob, "MEMBER");
    ada.mutate("updateOrganizationMember", demoted, MEMBERSHIP)
        .await;
    for revoked in [to_organization, to_other] {
        let status = invitation_status(&server, revoked).await;
        assert_eq!(status, InvitationStatus::Revoked);
    }
    // They are still an ADMIN of this workspace.
    assert_eq!(
        invitation_status(&server, to_own).await,
        InvitationStatus::Pending
    );
    ada.mutate(
        "removeOrganizationMember",
        office.organization_about(&bob),
        "removed",
    )
    .await;
    assert_eq!(
        invitation_status(&server, to_own).await,
        InvitationStatus::Revoked
    );
    assert_eq!(
        invitation_status(&server, adas).await,
        InvitationStatus::Pending
    );
    let events = office.events(&ada).await;
    let revoked = events
        .iter()
        .filter(|(kind, _)| kind == "INVITATION_REVOKED");
    assert_eq!(revoked.count(), 3);
    // Deleting the organization revokes all its invitations.
    let id = json!({ "organizationId": office.organization });
    ada.mutate("deleteOrganization", id, "deletedId").await;
    assert_eq!(
        invitation_status(&server, adas).await,
        InvitationStatus::Revoked
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_leave_at_once_one_stays(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Owner, None).await;
    let leave = json!({ "organizationId": office.organization });
    let (one, two) = join(
        ada.try_mutate("leaveOrganization", leave.clone(), "organizationId"),
        bob.try_mutate("leaveOrganization", leave, "organizationId"),
    )
    .await;
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["", "LAST_OWNER"]);
    let left = if one.code().is_empty() { &bob } else { &ada };
    assert_eq!(owners(&office, left).await, 1);
    // The workspace has an owner as well, whichever of the two left.
    let members = office.members(left).await;
    assert_eq!(members, [(left.email.clone(), "OWNER".to_owned())]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_demote_each_other_at_once_one_stays(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Owner, None).await;
    let (one, two) = join(
        ada.try_mutate(
            "updateOrganizationMember",
            role(&office, &bob, "ADMIN"),
            MEMBERSHIP,
        ),
        bob.try_mutate(
            "updateOrganizationMember",
            role(&office, &ada, "ADMIN"),
            MEMBERSHIP,
        ),
    )
    .await;
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["", "FORBIDDEN"], "whoever comes second is an ADMIN");
    assert_eq!(owners(&office, &ada).await, 1);
}
