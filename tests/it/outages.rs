//! PostgreSQL that is unavailable for a while.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, SqliteConnection};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;
use tenantry::app::Pace;
use tenantry::config::Secret;

use crate::support::metrics::{scrape, value};
use crate::support::office::{Office, Person};
use crate::support::postgres::OwnCluster;
use crate::support::slow::{connect_to, execute};
use crate::support::wait::{until, until_within};
use crate::support::{BusyWriter, Client, Database, Postgres, Socket, Sqlite, TestServer, at};

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(3600);

const EVENTS: &str =
    "subscription($id: ID!) { workspaceEvents(workspaceId: $id) { workspace { description } } }";

/// A pace at which subscriptions look for news only when notified.
fn patient() -> Pace {
    Pace {
        look: NEVER,
        ..Pace::default()
    }
}

async fn readiness(server: &TestServer) -> StatusCode {
    let url = format!("{}/readyz", server.url());
    let reply = server.http().get(url).send().await;
    reply.expect("a reply").status()
}

/// Whether the server has no open socket.
async fn is_gone(server: &TestServer) -> bool {
    let text = scrape(server.http(), server.url()).await;
    let sockets = [("transport", "websocket")];
    value(&text, "tenantry_subscription_connections", &sockets) == Some(0.0)
}

async fn describe(by: &Client, office: &Office, description: &str) {
    let input = json!({ "workspaceId": office.workspace, "description": description });
    by.mutate("updateWorkspace", input, "workspace { id }")
        .await;
}

/// Makes events until the socket receives the latest one, since those made while nothing listened are
/// not delivered at once. Afterwards no events are left.
async fn events_come(by: &Client, office: &Office, socket: &mut Socket) {
    let begun = Instant::now();
    until_within(Duration::from_secs(15), "events come", async || {
        let description = format!("{:?}", begun.elapsed());
        describe(by, office, &description).await;
        let path = "payload.data.workspaceEvents.workspace.description";
        let wait = Duration::from_millis(500);
        while let Ok(message) = tokio::time::timeout(wait, socket.receive()).await {
            if at(&message, path) == description.as_str() {
                return true;
            }
        }
        false
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_it_is_refused_at_once_and_all_recovers_by_itself() {
    let Some(cluster) = OwnCluster::start() else {
        return;
    };
    let server = &TestServer::paced(Sqlite, patient(), |config| {
        config.database.url = Some(Secret::new(cluster.url().to_owned()));
        config.database.acquire_timeout_ms = 3_000;
    })
    .await;
    let other = &server.sibling().await;
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    let mut socket = Socket::of(other, &ada.email).await;
    let follows = json!({ "id": office.workspace });
    socket.subscribe("e", EVENTS, follows).await;
    socket.settle().await;
    events_come(&ada, &office, &mut socket).await;

    for mode in ["fast", "immediate"] {
        cluster.stop(mode);
        let begun = Instant::now();
        for _ in 0..20 {
            let query = "{ workspaces { totalCount } }";
            ada.refused("UNAVAILABLE", query, json!({})).await;
            let input = json!({ "name": "Lost", "organization": { "create": {} } });
            ada.mutate_refused("UNAVAILABLE", "createWorkspace", input)
                .await;
        }
        assert_eq!(readiness(server).await, StatusCode::SERVICE_UNAVAILABLE);
        assert!(begun.elapsed() < Duration::from_secs(5));

        cluster.resume();
        // Not even the first request fails.
        for server in [server, other] {
            let ada = server.user(&ada.email);
            let data = ada.ok("{ workspaces { totalCount } }", json!({})).await;
            assert_eq!(at(&data, "workspaces.totalCount"), 1);
            assert_eq!(readiness(server).await, StatusCode::OK);
        }
        events_come(&ada, &office, &mut socket).await;
    }
}

/// As if the database's machine had stopped without a sign.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_told_of_in_time(#[values(Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    ada.ok("{ viewer { id } }", json!({})).await;
    let url = server.app().config.database.url.clone();
    let Some(url) = url else {
        return;
    };
    let keeper = connect_to(url.expose()).await;
    execute(&keeper, "BEGIN; LOCK TABLE users").await;
    let begun = Instant::now();
    let query = "{ workspaces { totalCount } }";
    let input = json!({ "name": "Lost", "organization": { "create": {} } });
    let (asked, made, signed_in) = tokio::join!(
        ada.send(query, json!({})),
        ada.try_mutate("createWorkspace", input, "__typename"),
        bob.send(query, json!({})),
    );
    for reply in [asked, made, signed_in] {
        assert_eq!(reply.code(), "UNAVAILABLE", "{:#}", reply.body);
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    execute(&keeper, "ROLLBACK").await;
    ada.ok(query, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_listens_listens_again_when_cut_off() {
    let Some(cluster) = OwnCluster::start() else {
        return;
    };
    let server = &TestServer::paced(Sqlite, patient(), |config| {
        config.database.url = Some(Secret::new(cluster.url().to_owned()));
    })
    .await;
    let other = &server.sibling().await;
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    let mut socket = Socket::of(other, &ada.email).await;
    let follows = json!({ "id": office.workspace });
    socket.subscribe("e", EVENTS, follows).await;
    socket.settle().await;
    events_come(&ada, &office, &mut socket).await;

    let admin = connect_to(cluster.url()).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()";
    let listening = admin.query_one(cut, &[]).await.expect("a count");
    assert_eq!(listening.get::<_, i64>(0), 1);
    events_come(&ada, &office, &mut socket).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_is_run_to_its_end_though_its_socket_is_gone(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = &TestServer::with(on, |config| config.database.max_connections = 1).await;
    let ada = Person::new(server, "ada").await;
    let mut socket = Socket::of(server, &ada.email).await;
    let busy = BusyWriter::of(server).await;
    let mutation = "mutation($input: CreateWorkspaceInput!) {
        createWorkspace(input: $input) { workspace { id } }
    }";
    let input = json!({ "name": "Rocket", "organization": { "create": {} } });
    let variables = json!({ "input": input });
    socket.subscribe("m", mutation, variables).await;
    let waiting = || {
        let pools = server.app().db.pools();
        pools
            .iter()
            .any(|pool| pool.name == "write" && pool.waiting > 0)
    };
    until("the mutation waits", async || waiting()).await;
    drop(socket);
    until("the socket is gone", async || is_gone(server).await).await;
    assert!(waiting(), "it goes on waiting");
    busy.end().await;
    until("the workspace is there", async || {
        let data = ada.ok("{ workspaces { totalCount } }", json!({})).await;
        at(&data, "workspaces.totalCount") == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_file_that_another_process_has_is_told_so_in_time() {
    let server = &TestServer::with(Sqlite, |config| {
        config.database.acquire_timeout_ms = 2_000;
    })
    .await;
    let ada = Person::new(server, "ada").await;
    let file = server.app().config.data_dir.join("tenantry.db");
    let mut other = SqliteConnection::establish(&file.to_string_lossy()).expect("the file");
    other.batch_execute("BEGIN IMMEDIATE").expect("it is free");

    let begun = Instant::now();
    let input = json!({ "name": "Rocket", "organization": { "create": {} } });
    let refused = || ada.mutate_refused("UNAVAILABLE", "createWorkspace", input.clone());
    // One waits for the file, and the other for the first one.
    tokio::join!(refused(), refused());
    assert!(begun.elapsed() < Duration::from_secs(5));
    other.batch_execute("COMMIT").expect("it ends");
    ada.mutate("createWorkspace", input.clone(), "workspace { id }")
        .await;
}
