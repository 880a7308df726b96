//! `run`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rstest::rstest;
use serde_json::json;
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::db::Topic;
use tenantry::db::types::JsonList;
use tenantry::id::RunId;
use tenantry::models::run::{Run, RunStatus, RunTrigger};
use tenantry::schema::{run_prompts, runs};

use super::{suspicious, suspicious_server};
use crate::support::office::{Office, Person};
use crate::support::{Database, FakeProviders, Postgres, Socket, Sqlite, TestServer, text};

const RUN: &str = "subscription($id: ID!) { run(id: $id) { status completed workspace { name } } }";

/// A queued run of ten answers.
async fn queued(server: &TestServer, office: &Office) -> RunId {
    let now = server.app().now();
    let run = Run {
        id: RunId::new(now.to_utc()),
        workspace_id: office.workspace,
        trigger: RunTrigger::Manual,
        status: RunStatus::Queued,
        error: None,
        providers: JsonList(Vec::new()),
        occurrence: None,
        total: 10,
        completed: 0,
        failed: 0,
        queued_at: now,
        started_at: None,
        finished_at: None,
        lease_holder: None,
        leased_until: None,
    };
    let made = server.app().db.transaction(async |tx| {
        let insertion = diesel::insert_into(runs::table).values(&run);
        tenantry::run!(tx, insertion.execute(tx).await)?;
        Ok(())
    });
    made.await.expect("a run is queued");
    run.id
}

/// Changes a run's status and the number of its answers.
async fn advance(server: &TestServer, id: RunId, status: RunStatus, completed: i32) {
    let now = server.app().now();
    let ended = !matches!(status, RunStatus::Queued | RunStatus::Running);
    let changed = server.app().db.transaction(async |tx| {
        tx.announce(Topic::Run(id));
        let values = (
            runs::status.eq(status),
            runs::completed.eq(completed),
            runs::finished_at.eq(ended.then_some(now)),
        );
        let change = diesel::update(runs::table.find(id)).set(values);
        tenantry::run!(tx, change.execute(tx).await)?;
        Ok(())
    });
    changed.await.expect("the run changes");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_comes_as_it_is_and_whenever_it_changes_until_it_ends(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = suspicious_server(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let id = queued(&server, &office).await;
    let mut socket = Socket::of(&server, &ada.email).await;
    socket.subscribe("r", RUN, json!({ "id": id })).await;
    let shown = |status: &str, completed: i32| {
        let workspace = json!({ "name": "Office" });
        json!({ "run": { "status": status, "completed": completed, "workspace": workspace } })
    };
    assert_eq!(socket.next("r").await, shown("QUEUED", 0));
    advance(&server, id, RunStatus::Running, 4).await;
    assert_eq!(socket.next("r").await, shown("RUNNING", 4));
    // An unchanged run is not delivered.
    advance(&server, id, RunStatus::Running, 4).await;
    advance(&server, id, RunStatus::Succeeded, 10).await;
    assert_eq!(socket.next("r").await, shown("SUCCEEDED", 10));
    socket.completes("r").await;
    // A run that has already ended is delivered once.
    socket.subscribe("r", RUN, json!({ "id": id })).await;
    assert_eq!(socket.next("r").await, shown("SUCCEEDED", 10));
    socket.completes("r").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_deletes_the_workspace_sees_its_run_cancelled(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = suspicious_server(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Other").await;
    let id = queued(&server, &office).await;
    let (admin, role) = (OrganizationRole::Member, Some(WorkspaceRole::Admin));
    let bob = office.person(&server, "bob", admin, role).await;
    let (mut hers, mut his) = (
        Socket::of(&server, &ada.email).await,
        Socket::of(&server, &bob.email).await,
    );
    for socket in [&mut hers, &mut his] {
        socket.subscribe("r", RUN, json!({ "id": id })).await;
        assert_eq!(socket.next("r").await["run"]["status"], "QUEUED");
    }
    let input = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", input, "__typename").await;
    assert_eq!(hers.next("r").await["run"]["status"], "CANCELLED");
    hers.completes("r").await;
    his.completes("r").await;
}

/// The number of prompt copies in the database.
async fn copies(server: &TestServer) -> i64 {
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let copies = run_prompts::table.count();
    tenantry::run!(conn, copies.get_result(conn).await).expect("a number")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_a_run_of_an_organization_that_is_deleted_is_told_at_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    let server = TestServer::paced(on, suspicious(), |config| providers.configure(config)).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let prompts = json!({ "workspaceId": office.workspace, "prompts": [{ "text": "One?" }] });
    ada.mutate("createPrompts", prompts, "__typename").await;
    let input = json!({ "workspaceId": office.workspace });
    let asked = ada.mutate("startRun", input, "runRequest { jobId }").await;
    let id = text(&asked, "runRequest.jobId");
    assert_eq!(copies(&server).await, 1);
    let mut socket = Socket::of(&server, &ada.email).await;
    socket.subscribe("r", RUN, json!({ "id": id })).await;
    assert_eq!(socket.next("r").await["run"]["status"], "QUEUED");
    let input = json!({ "organizationId": office.organization });
    ada.mutate("deleteOrganization", input, "__typename").await;
    // The run is no longer visible to anyone.
    socket.completes("r").await;
    assert_eq!(copies(&server).await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_by_whoever_sees_its_workspace(#[values(Sqlite, Postgres)] on: Database) {
    let server = suspicious_server(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let id = queued(&server, &office).await;
    let (member, role) = (OrganizationRole::Member, Some(WorkspaceRole::Member));
    let bob = office.person(&server, "bob", member, role).await;
    let mut socket = Socket::of(&server, &bob.email).await;
    socket.subscribe("r", RUN, json!({ "id": id })).await;
    socket.next("r").await;
    let mut stranger = Socket::of(&server, "eve@example.com").await;
    for id in [
        id.to_string(),
        "run_00000000000000000000000000".to_owned(),
        "ws_00000000000000000000000000".to_owned(),
    ] {
        stranger.subscribe("r", RUN, json!({ "id": id })).await;
        assert_eq!(stranger.error("r").await, "NOT_FOUND", "{id}");
    }
    ada.mutate("removeWorkspaceMember", office.about(&bob), "__typename")
        .await;
    advance(&server, id, RunStatus::Running, 1).await;
    socket.completes("r").await;
}
