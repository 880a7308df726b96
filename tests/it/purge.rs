//! Purging: workspaces whose time is up, deleted organizations and accounts, and old rate-limit rows.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::db::Kind;
use tenantry::id::{PromptId, WorkspaceId};
use tenantry::models::provider::Provider;
use tenantry::models::purge;
use tenantry::models::run::RunStatus;
use tenantry::run;
use tenantry::schema::{run_prompts, visibility};

use crate::support::office::{Office, Person, join_organization};
use crate::support::people::user_id;
use crate::support::working::Working;
use crate::support::{
    Client, Database, Postgres, Sqlite, TestServer, collecting, organization, until, workspace,
};

/// The tables whose rows are counted: all but those of tokens, former identities, mail, rate limits,
/// files and secrets.
const TABLES: [&str; 17] = [
    "organizations",
    "organization_slugs",
    "organization_members",
    "workspaces",
    "workspace_slugs",
    "workspace_members",
    "events",
    "invitations",
    "join_codes",
    "removals",
    "prompts",
    "schedules",
    "runs",
    "run_prompts",
    "answers",
    "visibility",
    "users",
];

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

async fn count(server: &TestServer, table: &str) -> i64 {
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let query = diesel::sql_query(format!("SELECT count(*) AS n FROM {table}"));
    let found: QueryResult<Count> = run!(conn, query.get_result(conn).await);
    found.expect("a count").n
}

async fn counts(server: &TestServer) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    for table in TABLES {
        counts.insert(table, count(server, table).await);
    }
    counts
}

/// Gives the workspace rows of every kind. `guest` must belong to its organization.
async fn fill(server: &TestServer, owner: &Client, guest: &Client, home: (&str, &str)) {
    let (organization, workspace) = home;
    let id: WorkspaceId = workspace.parse().expect("an id");
    let asked = collecting::prompts(owner, id, &["Which rocket?", "Why that one?"]).await;
    let schedule = json!({ "workspaceId": id, "cron": "0 6 * * *", "timeZone": "UTC" });
    owner.mutate("setSchedule", schedule, "__typename").await;
    let rename =
        json!({ "workspaceId": id, "slug": format!("was-{}", &workspace[20..]).to_lowercase() });
    owner.mutate("updateWorkspace", rename, "__typename").await;
    let invite = json!({ "workspaceId": id, "email": "eve@example.com" });
    owner
        .mutate("addWorkspaceMember", invite, "__typename")
        .await;
    server
        .join_workspace(organization, workspace, guest, WorkspaceRole::Member)
        .await;
    let remove = json!({ "workspaceId": id, "userId": user_id(guest).await });
    owner
        .mutate("removeWorkspaceMember", remove, "__typename")
        .await;

    let mut runs = Vec::new();
    let mut answers = Vec::new();
    for _ in 0..3 {
        let run = server.a_run(id, RunStatus::Succeeded);
        for prompt in &asked {
            for provider in [Provider::Openai, Provider::Cohere] {
                answers.push(server.answer(&run, *prompt, provider));
            }
        }
        runs.push(run);
    }
    server.insert_runs(&runs).await;
    server.insert_answers(&answers).await;
    let left_over: PromptId = asked[0];
    let run = runs[0].id;
    server
        .app()
        .db
        .transaction(async |tx| {
            let copy = (
                run_prompts::run_id.eq(run),
                run_prompts::prompt_id.eq(left_over),
                run_prompts::text.eq("Which rocket?"),
            );
            run!(
                tx,
                diesel::insert_into(run_prompts::table)
                    .values(copy)
                    .execute(tx)
                    .await
            )?;
            let day = (
                visibility::workspace_id.eq(id),
                visibility::day.eq("2026-01-01"),
                visibility::provider.eq(Provider::Openai),
                visibility::answers.eq(6),
                visibility::mentions.eq(0),
            );
            run!(
                tx,
                diesel::insert_into(visibility::table)
                    .values(day)
                    .execute(tx)
                    .await
            )?;
            Ok(())
        })
        .await
        .expect("the rows are new");
}

/// Purges one batch of at most `limit` rows. Returns whether there was anything to purge.
async fn purge_batch(server: &TestServer, limit: i64) -> bool {
    let (db, now) = (&server.app().db, server.app().now());
    let workspace = db
        .transaction(async |tx| purge::purge_workspace(tx, now, limit).await)
        .await
        .expect("a batch goes");
    let mut counts = workspace.map(|it| it.counts);
    if counts.is_none() {
        let organization = db
            .transaction(async |tx| purge::purge_organization(tx, limit).await)
            .await
            .expect("a batch goes");
        counts = organization.map(|it| it.counts);
    }
    if counts.is_none() {
        let person = db
            .transaction(async |tx| purge::purge_person(tx, limit).await)
            .await
            .expect("a batch goes");
        counts = person.map(|it| it.counts);
    }
    let touched: usize = counts.iter().flat_map(BTreeMap::values).sum();
    assert!(touched <= usize::try_from(limit).expect("a small number"));
    counts.is_some()
}

async fn delete(person: &Client, id: &str) {
    let input = json!({ "workspaceId": id });
    person.mutate("deleteWorkspace", input, "__typename").await;
}

/// What its owner can see of a workspace.
async fn seen(person: &Client, id: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { id } workspace(by: { id: $id }) { id }
        deleted: workspaces(status: DELETED) { totalCount nodes { id } }
        any: workspaces(status: null) { totalCount } }";
    person.ok(query, json!({ "id": id })).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_gone_with_all_its_rows_after_thirty_days_and_not_before(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    server
        .join_organization(&acme, &bob, OrganizationRole::Member)
        .await;
    let kept = workspace(&ada, &acme, "Kept").await;
    fill(&server, &ada, &bob, (&acme, &kept)).await;
    server.clock().advance(TimeDelta::minutes(2));
    let before = counts(&server).await;

    let rocket = workspace(&ada, &acme, "Rocket").await;
    fill(&server, &ada, &bob, (&acme, &rocket)).await;
    delete(&ada, &rocket).await;
    let full = counts(&server).await;
    for (table, rows) in &full {
        if ![
            "users",
            "organizations",
            "organization_slugs",
            "organization_members",
        ]
        .contains(table)
        {
            assert!(*rows > before[table], "{table} has rows of the workspace");
        }
    }
    server
        .clock()
        .advance(TimeDelta::days(30) - TimeDelta::minutes(1));
    assert!(!purge_batch(&server, 500).await, "it is too early");
    assert_eq!(counts(&server).await, full);

    server.clock().advance(TimeDelta::minutes(2));
    assert!(purge_batch(&server, 5).await);
    let begun = counts(&server).await;
    assert_eq!(begun["answers"], full["answers"] - 5);
    assert_eq!(begun["workspaces"], full["workspaces"]);

    // Once purging has begun, it cannot be restored, even by an instance whose clock is behind.
    server.clock().advance(TimeDelta::days(-2));
    let input = json!({ "workspaceId": rocket });
    ada.mutate_refused("NOT_FOUND", "restoreWorkspace", input)
        .await;
    while purge_batch(&server, 5).await {}
    assert_eq!(counts(&server).await, before);
    let visible = "query($id: ID!) { workspace(by: { id: $id }) { prompts { totalCount } } }";
    let visible = ada.ok(visible, json!({ "id": kept })).await;
    assert_eq!(visible["workspace"]["prompts"]["totalCount"], 2);
}

/// The best plan depends on how much of a table is this workspace's, which a generic plan does not know.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_deletes_is_planned_for_the_workspace_that_goes(#[values(Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    if server.app().db.kind() == Kind::Sqlite {
        return;
    }
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let other = office.workspace(&ada, "Apollo").await;
    delete(&ada, &other.to_string()).await;
    server.clock().advance(TimeDelta::days(31));
    let statements = server.app().db.statements();
    statements.record();
    assert!(purge_batch(&server, 100).await);
    let texts = statements.recorded();
    let first = |begin: &str| texts.iter().position(|text| text.starts_with(begin));
    let (planned, deletes) = (first("SET LOCAL plan_cache_mode"), first("DELETE"));
    assert!(planned.is_some() && planned < deletes, "{texts:#?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_restored_until_the_moment_that_was_told_and_is_gone_from_then_on(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    workspace(&ada, &acme, "Kept").await;
    let rocket = workspace(&ada, &acme, "Rocket").await;
    let input = json!({ "workspaceId": rocket });
    delete(&ada, &rocket).await;
    server
        .clock()
        .advance(TimeDelta::days(30) - TimeDelta::minutes(1));
    assert_eq!(seen(&ada, &rocket).await["deleted"]["totalCount"], 1);
    ada.mutate("restoreWorkspace", input.clone(), "__typename")
        .await;
    server.clock().advance(TimeDelta::days(60));
    assert!(!purge_batch(&server, 500).await, "it lives");
    assert_eq!(seen(&ada, &rocket).await["workspace"]["id"], rocket);

    delete(&ada, &rocket).await;
    server.clock().advance(TimeDelta::days(30));
    // Nothing has been purged yet.
    let nothing = json!({
        "node": null,
        "workspace": null,
        "deleted": { "totalCount": 0, "nodes": [] },
        "any": { "totalCount": 1 },
    });
    assert_eq!(seen(&ada, &rocket).await, nothing);
    for mutation in [
        "restoreWorkspace",
        "updateWorkspace",
        "deleteWorkspace",
        "selectWorkspace",
    ] {
        ada.mutate_refused("NOT_FOUND", mutation, input.clone())
            .await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_organization_goes_with_all_that_was_in_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    server
        .join_organization(&acme, &bob, OrganizationRole::Member)
        .await;
    let kept = workspace(&ada, &acme, "Kept").await;
    fill(&server, &ada, &bob, (&acme, &kept)).await;
    server.clock().advance(TimeDelta::minutes(2));
    let before = counts(&server).await;

    let zeta = organization(&ada, "Zeta").await;
    server
        .join_organization(&zeta, &bob, OrganizationRole::Member)
        .await;
    for name in ["One", "Two"] {
        let id = workspace(&ada, &zeta, name).await;
        fill(&server, &ada, &bob, (&zeta, &id)).await;
    }
    let invite = json!({ "organizationId": zeta, "email": "fay@example.com" });
    ada.mutate("inviteOrganizationMember", invite, "__typename")
        .await;
    let delete = json!({ "organizationId": zeta });
    ada.mutate("deleteOrganization", delete, "__typename").await;
    while purge_batch(&server, 4).await {}
    assert_eq!(counts(&server).await, before);
}

/// Deleting an account takes no longer the more a person has made: their name is removed from it in
/// batches.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_deletes_their_account_is_nobody_at_once_and_gone_once_nothing_names_them(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        Person::new(&server, "ada").await,
        Person::new(&server, "bob").await,
    );
    let office = Office::of(&bob).await;
    join_organization(&server, office.organization, &ada, OrganizationRole::Owner).await;
    let others = "events WHERE actor_id IS NOT NULL";
    let before = (counts(&server).await, count(&server, others).await);
    for name in ["One", "Two", "Three"] {
        let made = office.workspace(&ada, name).await;
        collecting::prompts(&ada, made, &["Which rocket?"]).await;
        office.invite(&ada, "eve@example.com", Some(made)).await;
    }
    let input = json!({ "confirmEmail": ada.email });
    ada.mutate("deleteAccount", input, "__typename").await;

    // Her row is still there, but holds nothing about her.
    let told = "users WHERE id IN (SELECT actor_id FROM events) AND \
        (email <> '' OR name IS NOT NULL OR issuer <> '' OR subject LIKE '%ada%')";
    assert_eq!(count(&server, told).await, 1, "Bob is somebody");
    assert_eq!(count(&server, "users").await, 2);
    let named = count(&server, others).await;
    assert!(named > before.1 + 5, "{named} events have an author");
    let again = server.user(&ada.email);
    assert_ne!(user_id(&again).await, ada.id);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let found = bob.ok(node, json!({ "id": ada.id })).await;
    assert_eq!(found["node"], Value::Null);

    let nobody = "users WHERE deleted_at IS NOT NULL";
    for _ in 0..named / 5 {
        assert!(purge_batch(&server, 5).await);
        assert_eq!(count(&server, nobody).await, 1, "there is more to do");
    }
    while purge_batch(&server, 5).await {}
    let events = count(&server, "events").await;
    assert!(events > before.0["events"], "what she made stays");
    // The events of her workspaces' deletion are hers too, and lose her as well.
    assert_eq!(count(&server, others).await, before.1);
    assert_eq!(count(&server, nobody).await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn workers_come_round_by_themselves_and_share_the_work(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    server
        .join_organization(&acme, &bob, OrganizationRole::Member)
        .await;
    workspace(&ada, &acme, "Kept").await;
    let before = counts(&server).await;
    for name in ["One", "Two", "Three"] {
        let id = workspace(&ada, &acme, name).await;
        fill(&server, &ada, &bob, (&acme, &id)).await;
        delete(&ada, &id).await;
    }
    assert!(count(&server, "rate_hits").await > 0);
    let cy = Person::new(&server, "cy").await;
    let input = json!({ "confirmEmail": cy.email });
    cy.mutate("deleteAccount", input, "__typename").await;
    server.clock().advance(TimeDelta::days(31));
    let workers = [Working::start(&server), Working::start(&server)];
    until("the workers have settled", async || {
        count(&server, "rate_hits").await == 0 && counts(&server).await == before
    })
    .await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(seen(&ada, &acme).await["any"]["totalCount"], 1);
}
