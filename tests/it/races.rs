//! Many requests at once: what must happen once happens once.

use std::collections::HashSet;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::{join, join_all};
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::db::Kind;
use tenantry::schema::{runs, schedules};

use crate::support::office::{Office, Person};
use crate::support::slow::Slow;
use crate::support::{
    Client, Database, Postgres, Sqlite, TestServer, home, organization, text, workspace,
};

/// An organization with four people who may create workspaces in it.
async fn four_owners(server: &TestServer) -> (Vec<Client>, String) {
    let people: Vec<_> = ["ada", "bob", "cy", "dee"]
        .map(|name| server.user(&format!("{name}@example.com")))
        .into();
    let acme = organization(&people[0], "Acme").await;
    for person in &people[1..] {
        server
            .join_organization(&acme, person, OrganizationRole::Owner)
            .await;
    }
    (people, acme)
}

/// Sends `times` requests at once, from the people in turn.
async fn at_once(
    people: &[Client],
    times: usize,
    mutation: &str,
    input: &Value,
    selection: &str,
) -> Vec<crate::support::Reply> {
    let requests =
        (0..times).map(|n| people[n % people.len()].try_mutate(mutation, input.clone(), selection));
    join_all(requests).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_who_want_one_slug_one_gets_it(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (people, acme) = four_owners(&server).await;
    let input = json!({ "name": "Rocket", "slug": "rocket", "organization": { "id": acme } });
    let replies = at_once(
        &people,
        200,
        "createWorkspace",
        &input,
        "workspace { slug }",
    )
    .await;
    let (made, refused): (Vec<_>, Vec<_>) =
        replies.iter().partition(|reply| reply.code().is_empty());
    assert_eq!(made.len(), 1);
    for reply in refused {
        assert_eq!(reply.code(), "SLUG_TAKEN", "{:#}", reply.body);
    }
    let list = people[0]
        .ok("{ workspaces { totalCount } }", json!({}))
        .await;
    assert_eq!(list["workspaces"]["totalCount"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_of_one_name_get_a_hundred_slugs(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (people, acme) = four_owners(&server).await;
    // In two organizations, so that not even an organization's lock serializes them.
    let other = organization(&people[0], "Other").await;
    for person in &people[1..] {
        server
            .join_organization(&other, person, OrganizationRole::Owner)
            .await;
    }
    let in_organization = |id: &str| json!({ "name": "Rocket Labs", "organization": { "id": id } });
    let (one, two) = (in_organization(&acme), in_organization(&other));
    let selection = "workspace { slug }";
    let (one, two) = tokio::join!(
        at_once(&people, 50, "createWorkspace", &one, selection),
        at_once(&people, 50, "createWorkspace", &two, selection),
    );
    let slugs: HashSet<String> = one
        .iter()
        .chain(&two)
        .map(|reply| {
            assert_eq!(reply.code(), "", "{:#}", reply.body);
            text(&reply.body, "data.createWorkspace.workspace.slug")
        })
        .collect();
    assert_eq!(slugs.len(), 100);
    assert!(slugs.iter().all(|slug| slug.starts_with("rocket-labs")));
}

/// Numbers are not tried one after the other, and taking those that are tried first blocks nobody.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_many_numbers_of_a_slug_leaves_some(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Office").await;
    let id = workspace(&ada, &acme, "Holder").await;
    let numbers = (2..=16).chain((5..=40).map(|power| 1_u64 << power));
    let slugs = std::iter::once("acme".to_owned()).chain(numbers.map(|n| format!("acme-{n}")));
    for slug in slugs {
        let input = json!({ "workspaceId": id, "slug": slug });
        ada.mutate("updateWorkspace", input, "workspace { id }")
            .await;
    }
    for _ in 0..3 {
        let input = json!({ "name": "Acme", "organization": { "id": acme } });
        let making = ada.mutate("createWorkspace", input, "workspace { slug }");
        let made = tokio::time::timeout(Duration::from_secs(10), making).await;
        let slug = text(&made.expect("it is made at once"), "workspace.slug");
        assert!(slug.starts_with("acme-"), "{slug}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn first_requests_at_once_make_one_person_with_one_organization(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let input = json!({ "name": "Rocket" });
    let selection = "isFirstWorkspace workspace { createdBy { id } } organization { id }";
    let replies = at_once(&[ada], 10, "createWorkspace", &input, selection).await;
    let distinct = |path: &str| {
        let found = replies.iter().map(|reply| text(&reply.body, path));
        found.collect::<HashSet<_>>().len()
    };
    assert_eq!(distinct("data.createWorkspace.workspace.createdBy.id"), 1);
    assert_eq!(distinct("data.createWorkspace.organization.id"), 1);
    let first = replies
        .iter()
        .filter(|reply| reply.body["data"]["createWorkspace"]["isFirstWorkspace"] == true);
    assert_eq!(first.count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_organizations_is_not_overshot(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let input = json!({ "name": "Acme" });
    let replies = at_once(
        &[ada],
        12,
        "createOrganization",
        &input,
        "organization { id }",
    )
    .await;
    let made = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(made.count(), 3);
    let refused = replies
        .iter()
        .filter(|reply| reply.code() == "RATE_LIMITED");
    assert_eq!(refused.count(), 9);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_the_last_two_workspaces_one_stays(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    let one = workspace(&ada, &acme, "One").await;
    let two = workspace(&ada, &acme, "Two").await;
    let delete = |id: &str| {
        ada.try_mutate(
            "deleteWorkspace",
            json!({ "workspaceId": id }),
            "workspace { id }",
        )
        // Both are built before either is sent.
    };
    let (one, two) = tokio::join!(delete(&one), delete(&two));
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["", "LAST_WORKSPACE"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_restores_what_others_restore_gets_a_slug(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (people, acme) = four_owners(&server).await;
    let mut deleted = Vec::new();
    for person in &people {
        workspace(person, &acme, "Kept").await;
        let input = json!({ "name": "Rocket", "slug": "rocket", "organization": { "id": acme } });
        let made = person
            .mutate("createWorkspace", input, "workspace { id }")
            .await;
        let id = text(&made, "workspace.id");
        person
            .mutate(
                "deleteWorkspace",
                json!({ "workspaceId": id }),
                "__typename",
            )
            .await;
        deleted.push(id);
    }
    let restored = people.iter().zip(&deleted).map(|(person, id)| {
        person.mutate(
            "restoreWorkspace",
            json!({ "workspaceId": id }),
            "workspace { slug }",
        )
    });
    // Collected first: a request is sent only when it is awaited.
    let restored: HashSet<String> = join_all(restored.collect::<Vec<_>>())
        .await
        .iter()
        .map(|restored| text(restored, "workspace.slug"))
        .collect();
    let wanted = ["rocket", "rocket-2", "rocket-3", "rocket-4"];
    assert_eq!(restored, wanted.map(str::to_owned).into());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn merges_at_once_lose_nothing(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (people, acme) = four_owners(&server).await;
    let id = workspace(&people[0], &acme, "Rocket").await;
    let updates = (0..40).map(|n| {
        let settings = json!({ format!("key{n}"): n });
        let input = json!({ "workspaceId": id, "settings": settings });
        let person = &people[n % people.len()];
        async move { person.mutate("updateWorkspace", input, "__typename").await }
    });
    join_all(updates).await;
    let query = "query($id: ID!) { workspace(by: { id: $id }) { settings } }";
    let found = people[0].ok(query, json!({ "id": id })).await;
    let settings = found["workspace"]["settings"].as_object();
    assert_eq!(settings.map(|settings| settings.len()), Some(40));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn changing_and_deleting_at_once_ends_well(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (people, acme) = four_owners(&server).await;
    let ada = &people[0];
    workspace(ada, &acme, "Kept").await;
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(workspace(ada, &acme, &format!("Rocket {n}")).await);
    }
    let each = all.iter().flat_map(|id| {
        let id = json!({ "workspaceId": id });
        let mut changed = id.clone();
        changed["description"] = "changed".into();
        [("updateWorkspace", changed), ("deleteWorkspace", id)]
    });
    let sent = each.map(|(mutation, input)| ada.try_mutate(mutation, input, "__typename"));
    for reply in join_all(sent.collect::<Vec<_>>()).await {
        assert!(matches!(reply.code(), "" | "CONFLICT"), "{:#}", reply.body);
    }
    let rest = ada.ok("{ workspaces { totalCount } }", json!({})).await;
    assert_eq!(rest["workspaces"]["totalCount"], 1);
}

/// The number of unfinished runs, and of schedules that will fire.
async fn alive(server: &TestServer) -> (i64, i64) {
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let unfinished = runs::table.filter(runs::finished_at.is_null()).count();
    let unfinished = tenantry::run!(conn, unfinished.get_result(conn).await);
    let due = schedules::table.filter(schedules::next_run_at.is_not_null());
    let due = tenantry::run!(conn, due.count().get_result(conn).await);
    (unfinished.expect("a number"), due.expect("a number"))
}

/// SQLite has one writer at a time, so there the two follow one another.
#[rstest]
#[case("startRun", json!({}))]
#[case("setSchedule", json!({ "cron": "0 * * * *", "timeZone": "UTC" }))]
#[case("updateWorkspace", json!({ "slug": "wanted" }))]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_workspace_while_its_organization_is_deleted_goes_with_it(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] mutation: &'static str,
    #[case] mut input: Value,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let rocket = home(&ada, "Rocket").await;
    let other = organization(&ada, "Other").await;
    let prompts = json!({ "workspaceId": rocket.workspace, "prompts": [{ "text": "One?" }] });
    ada.mutate("createPrompts", prompts, "__typename").await;
    input["workspaceId"] = json!(rocket.workspace);

    let slow = Slow::workspaces(&server).await;
    let first = tokio::spawn({
        let ada = ada.clone();
        async move { ada.mutate(mutation, input, "__typename").await }
    });
    slow.waiting(1).await;
    if server.app().db.kind() == Kind::Sqlite {
        first.await.expect("it is done");
        let input = json!({ "organizationId": rocket.organization });
        ada.mutate("deleteOrganization", input, "deletedId").await;
    } else {
        let deleting = tokio::spawn({
            let (ada, id) = (ada.clone(), rocket.organization);
            async move {
                let input = json!({ "organizationId": id });
                ada.mutate("deleteOrganization", input, "deletedId").await
            }
        });
        slow.waiting(2).await;
        // The first to wait is the first to continue.
        drop(slow);
        first.await.expect("it is done");
        deleting.await.expect("it is deleted");
    }
    assert_eq!(alive(&server).await, (0, 0));
    let input = json!({ "name": "Next", "slug": "wanted", "organization": { "id": other } });
    ada.mutate("createWorkspace", input, "__typename").await;
}

/// Nothing locks a workspace on SQLite.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_switches_to_a_workspace_waits_for_nobody_who_changes_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let rocket = home(&ada, "Rocket").await;
    let id = workspace(&ada, &rocket.organization, "Second").await;
    let slow = Slow::workspaces(&server).await;
    let input = json!({ "workspaceId": id });
    let selection = "navigationState { currentWorkspace { id } }";
    let switching = ada.mutate("selectWorkspace", input, selection);
    let switched = tokio::time::timeout(Duration::from_secs(5), switching).await;
    let switched = switched.expect("it is done at once");
    assert_eq!(
        text(&switched, "navigationState.currentWorkspace.id"),
        id.to_string()
    );
    drop(slow);
}

/// Work of a person whose account is deleted meanwhile is done or not, but never half done.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn work_and_the_deletion_of_ones_account_do_not_collide(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    for round in 0..20 {
        let (member, role) = (OrganizationRole::Member, Some(WorkspaceRole::Admin));
        let name = format!("eve{round}");
        let eve = office.person(&server, &name, member, role).await;
        let prompts = (0..8).map(|nth| {
            let prompts = json!([{ "text": format!("{round} {nth}") }]);
            let input = json!({ "workspaceId": office.workspace, "prompts": prompts });
            eve.try_mutate("createPrompts", input, "prompts { id }")
        });
        let confirmed = json!({ "confirmEmail": eve.email });
        let deleting = eve.try_mutate("deleteAccount", confirmed, "deletedUserId");
        let (done, deleted) = join(join_all(prompts), deleting).await;
        assert_eq!(deleted.code(), "", "{:#}", deleted.body);
        for reply in done {
            let code = reply.code();
            let may_be = ["", "NOT_FOUND", "UNAUTHENTICATED"].contains(&code);
            assert!(may_be, "{:#}", reply.body);
        }
    }
}
