//! Deleting one's account.

use futures_util::future::{join, join_all};
use reqwest::StatusCode;
use reqwest::header::WWW_AUTHENTICATE;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;
use tenantry::models::invitation::InvitationStatus;

use crate::support::office::{Office, Person, invitation_status, join_organization};
use crate::support::{Client, Database, Postgres, Sqlite, TestServer, text};

const DELETION: &str = "{ accountDeletion { canDelete blockedBy { id } deletes { id } } }";

async fn deletion(person: &Client) -> Value {
    person.ok(DELETION, json!({})).await["accountDeletion"].take()
}

fn confirm(person: &Person) -> Value {
    json!({ "confirmEmail": person.email })
}

async fn delete(person: &Person) {
    let deleted = person
        .mutate("deleteAccount", confirm(person), "deletedUserId")
        .await;
    assert_eq!(deleted["deletedUserId"], json!(person.id));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ones_own_organizations_go_and_those_of_others_stay(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let bob = Person::new(&server, "bob").await;
    let alone = Office::of(&ada).await;
    let shared = Office::of(&bob).await;
    join_organization(&server, shared.organization, &ada, Org::Admin).await;
    let made = shared.workspace(&ada, "Made by Ada").await;

    let foreseen = deletion(&ada).await;
    let expected = json!({
        "canDelete": true, "blockedBy": [], "deletes": [{ "id": alone.organization }],
    });
    assert_eq!(foreseen, expected);
    let slug = ada
        .ok(
            "query($id: ID!) { workspace(by: { id: $id }) { slug } }",
            json!({ "id": alone.workspace }),
        )
        .await;
    delete(&ada).await;

    // The slugs of what was deleted are free at once.
    let free = "query($slug: String!) { slugAvailability(slug: $slug) { isAvailable } }";
    let found = bob
        .ok(free, json!({ "slug": text(&slug, "workspace.slug") }))
        .await;
    assert_eq!(found["slugAvailability"]["isAvailable"], true);

    // What she made for others stays, without an author, and gets an owner.
    let query = "query($id: ID!) { workspace(by: { id: $id }) { name createdBy { id }
        members { nodes { role user { id } } } } }";
    let found = bob.ok(query, json!({ "id": made })).await;
    let expected = json!({
        "name": "Made by Ada",
        "createdBy": null,
        "members": { "nodes": [{ "role": "OWNER", "user": { "id": bob.id } }] },
    });
    assert_eq!(found["workspace"], expected);
    assert_eq!(shared.organization_members(&bob).await.len(), 1);
    let events = shared.events(&bob).await;
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds[..2],
        ["ORGANIZATION_MEMBER_REMOVED", "WORKSPACE_MEMBER_ADDED"]
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deleting_an_account_does_not_delete_an_organization_others_still_use(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Admin, None).await;

    let foreseen = deletion(&ada).await;
    let expected = json!({
        "canDelete": false, "blockedBy": [{ "id": office.organization }], "deletes": [],
    });
    assert_eq!(foreseen, expected);
    let refused = ada
        .mutate_refused("CONFLICT", "deleteAccount", confirm(&ada))
        .await;
    let blocking = json!([{ "id": office.organization, "name": "Office" }]);
    assert_eq!(refused.extensions()["blockedBy"], blocking);

    let hand_over = office.organization_about(&bob);
    ada.mutate(
        "transferOrganizationOwnership",
        hand_over,
        "organization { id }",
    )
    .await;
    let expected = json!({ "canDelete": true, "blockedBy": [], "deletes": [] });
    assert_eq!(deletion(&ada).await, expected);
    delete(&ada).await;

    // Nor does it leave the organization or its workspace without an owner.
    let owner = vec![(bob.email.clone(), "OWNER".to_owned())];
    assert_eq!(office.organization_members(&bob).await, owner);
    assert_eq!(office.members(&bob).await, owner);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_address_must_be_typed_again(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    for wrong in ["", "bob@example.com", "ada", "ada@example.com.", "\0"] {
        let input = json!({ "confirmEmail": wrong });
        let refused = ada
            .mutate_refused("INVALID_INPUT", "deleteAccount", input)
            .await;
        assert_eq!(refused.violations(), ["confirmEmail"]);
    }
    let input = json!({ "confirmEmail": " Ada@Example.COM " });
    ada.mutate("deleteAccount", input, "deletedUserId").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_may_not_delete_the_account(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let made = ada
        .mutate("createApiToken", json!({ "name": "script" }), "secret")
        .await;
    let script = server.bearer(&text(&made, "secret"));
    script
        .mutate_refused("FORBIDDEN", "deleteAccount", confirm(&ada))
        .await;
    assert_eq!(deletion(&script).await["canDelete"], true);
    // The token dies with the account.
    delete(&ada).await;
    let reply = script.refused("UNAUTHENTICATED", DELETION, json!({})).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_before_the_deletion_are_refused_and_later_ones_make_a_new_person(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let unused = server.user(&ada.email);
    Office::of(&ada).await;
    delete(&ada).await;

    let query = "{ viewer { id } workspaces { totalCount } organizations { totalCount } }";
    for old in [&ada.client, &unused] {
        let refused = old.refused("UNAUTHENTICATED", query, json!({}));
        let (statements, reply) = server.statements(refused).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(reply.headers.contains_key(WWW_AUTHENTICATE));
        // The account is looked up, and nothing is written.
        assert!(statements <= 3, "{statements} statements");
    }
    let again = server.user(&ada.email);
    let found = again.ok(query, json!({})).await;
    assert_ne!(found["viewer"]["id"], json!(ada.id));
    assert_eq!(found["workspaces"]["totalCount"], 0);
    assert_eq!(found["organizations"]["totalCount"], 0);
    // Tokens from before the deletion stay refused, even though the address has an account again.
    for old in [&ada.client, &unused] {
        let reply = old.refused("UNAUTHENTICATED", query, json!({})).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    }
    // Nobody else is affected.
    Person::new(&server, "bob").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn invitations_go_with_the_account(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let bob = Person::new(&server, "bob").await;
    let bobs = Office::of(&bob).await;
    join_organization(&server, bobs.organization, &ada, Org::Owner).await;
    let cy = Person::new(&server, "cy").await;
    let cys = Office::of(&cy).await;

    let sent = bobs.invite(&ada, "di@example.com", None).await;
    let bobs_own = bobs
        .invite(&bob, "ed@example.com", Some(bobs.workspace))
        .await;
    let received = cys.invite(&cy, &ada.email, Some(cys.workspace)).await;
    delete(&ada).await;
    assert_eq!(
        invitation_status(&server, sent).await,
        InvitationStatus::Revoked
    );
    assert_eq!(
        invitation_status(&server, bobs_own).await,
        InvitationStatus::Pending
    );
    assert_eq!(
        invitation_status(&server, received).await,
        InvitationStatus::Declined
    );
    assert_eq!(cys.events(&cy).await[0].0, "INVITATION_DECLINED");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_delete_their_accounts_at_once_one_stays(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Owner, None).await;
    let cy = office
        .person(&server, "cy", Org::Member, Some(Role::Member))
        .await;
    let (one, two) = join(
        ada.try_mutate("deleteAccount", confirm(&ada), "deletedUserId"),
        bob.try_mutate("deleteAccount", confirm(&bob), "deletedUserId"),
    )
    .await;
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["", "CONFLICT"]);
    let roles = |members: Vec<(String, String)>| {
        let mut roles: Vec<_> = members.into_iter().map(|(_, role)| role).collect();
        roles.sort_unstable();
        roles
    };
    let members = roles(office.organization_members(&cy).await);
    assert_eq!(members, ["MEMBER", "OWNER"]);
    assert_eq!(roles(office.members(&cy).await), ["MEMBER", "OWNER"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn leaving_and_deleting_at_once_leave_an_owner(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office.person(&server, "bob", Org::Owner, None).await;
    let cy = office.person(&server, "cy", Org::Admin, None).await;
    let leave = json!({ "organizationId": office.organization });
    let (deleted, left) = join(
        ada.try_mutate("deleteAccount", confirm(&ada), "deletedUserId"),
        bob.try_mutate("leaveOrganization", leave, "organizationId"),
    )
    .await;
    let codes = [deleted.code(), left.code()];
    assert!(
        [["", "LAST_OWNER"], ["CONFLICT", ""]].contains(&codes),
        "{codes:?}"
    );
    let members = office.organization_members(&cy).await;
    let owners = members.iter().filter(|(_, role)| role == "OWNER");
    assert_eq!(owners.count(), 1);
    let owners = office.members(&cy).await;
    assert!(owners.iter().any(|(_, role)| role == "OWNER"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deleting_many_times_at_once_deletes_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    Office::of(&ada).await;
    let tries = (0..6).map(|_| ada.try_mutate("deleteAccount", confirm(&ada), "deletedUserId"));
    let making = (0..4).map(|_| {
        let input = json!({ "name": "More" });
        ada.try_mutate("createWorkspace", input, "workspace { id }")
    });
    let (tries, making) = join(join_all(tries), join_all(making)).await;
    let deleted = tries.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(deleted.count(), 1);
    let refused = tries
        .iter()
        .filter(|reply| reply.code() == "UNAUTHENTICATED");
    assert_eq!(refused.count(), 5);
    for reply in making {
        assert!(
            ["", "UNAUTHENTICATED"].contains(&reply.code()),
            "{:#}",
            reply.body
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn statements_do_not_grow_with_what_goes(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| config.limits.organizations_per_hour = 100).await;
    let mut counts = Vec::new();
    for (name, places) in [("few", 2), ("many", 7)] {
        let person = Person::new(&server, name).await;
        for index in 0..places {
            let office = Office::of(&person).await;
            office.workspace(&person, "Another").await;
            let host = Person::new(&server, &format!("{name}{index}")).await;
            let theirs = Office::of(&host).await;
            join_organization(&server, theirs.organization, &person, Org::Admin).await;
            theirs.workspace(&person, "Passed on").await;
            theirs.invite(&person, "x@example.com", None).await;
        }
        counts.push(server.statements(delete(&person)).await.0);
    }
    assert_eq!(counts[0], counts[1]);
}
