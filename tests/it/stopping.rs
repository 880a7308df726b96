//! Work that nobody waits for anymore is stopped in the database too, and its connection serves the
//! next.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use tenantry::db::Kind;

use crate::support::collecting::prompts;
use crate::support::office::{Office, Person};
use crate::support::raw::Raw;
use crate::support::slow::Slow;
use crate::support::wait::until;
use crate::support::{BusyWriter, Database, Events, Postgres, Socket, Sqlite, TestServer};

const PROMPTS: &str =
    "query($id: ID!) { workspace(by: { id: $id }) { prompts(first: 1) { nodes { text } } } }";

/// A server with a single connection for reading, so that the next request must use the same one.
async fn start(on: Database, seconds: u64) -> TestServer {
    TestServer::with(on, |config| {
        config.database.readers = 1;
        config.http.request_timeout_seconds = seconds;
    })
    .await
}

/// Sends the operation, and returns the connection that the answer would arrive on.
async fn send(server: &TestServer, token: &str, query: &str, variables: serde_json::Value) -> Raw {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let mut connection = Raw::connect(server).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    connection.post("/graphql", body.len(), &headers).await;
    connection.send(&body).await;
    connection
}

async fn is_soon<T>(answer: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(Duration::from_secs(5), answer).await;
    answer.expect("it is answered at once")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_takes_too_long(#[values(Sqlite, Postgres)] on: Database) {
    let server = &start(on, 1).await;
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    let prompts = json!({ "id": office.workspace });
    let slow = Slow::prompts(server).await;
    for _ in 0..3 {
        let begun = Instant::now();
        is_soon(ada.refused("TIMEOUT", PROMPTS, prompts.clone())).await;
        assert!(begun.elapsed() >= Duration::from_secs(1));
        is_soon(ada.ok("{ viewer { email } }", json!({}))).await;
    }
    slow.nothing_runs().await;
    slow.end(server).await;
    is_soon(ada.ok(PROMPTS, prompts)).await;
}

/// Nor are the statements sent after it executed for nobody.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_several_statements_that_take_too_long(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = &start(on, 1).await;
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    let made = prompts(&ada, office.workspace, &["Who?"]).await;
    let query = "query($id: ID!, $prompt: ID!) {
        workspace(by: { id: $id }) { prompts(first: 1) { nodes { text } } }
        node(id: $prompt) { id }
    }";
    let variables = json!({ "id": office.workspace, "prompt": made[0] });
    let slow = Slow::prompts(server).await;
    is_soon(ada.refused("TIMEOUT", query, variables.clone())).await;
    slow.nothing_runs().await;
    is_soon(ada.ok("{ viewer { email } }", json!({}))).await;
    slow.end(server).await;
    is_soon(ada.ok(query, variables)).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_client_goes_away(#[values(Sqlite, Postgres)] on: Database) {
    let server = &start(on, 3_600).await;
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    let prompts = json!({ "id": office.workspace });
    let token = server.token("ada@example.com");
    let (count, _) = server.statements(ada.ok(PROMPTS, prompts.clone())).await;
    let slow = Slow::prompts(server).await;
    for _ in 0..3 {
        let sent = server.app().db.statements().count() + count;
        let connection = send(server, &token, PROMPTS, prompts.clone()).await;
        slow.met(server, sent).await;
        drop(connection);
        is_soon(ada.ok("{ viewer { email } }", json!({}))).await;
    }
    slow.nothing_runs().await;
    slow.end(server).await;
    is_soon(ada.ok(PROMPTS, prompts)).await;
}

/// It leaves no transaction open whose locks would block others. SQLite has a single writer, so nobody
/// is blocked.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_whose_client_goes_away(#[values(Postgres)] on: Database) {
    let server = &start(on, 3_600).await;
    if server.app().db.kind() == Kind::Sqlite {
        return;
    }
    let token = server.token("ada@example.com");
    let slow = Slow::people(server).await;
    let connection = send(server, &token, "{ viewer { email } }", json!({})).await;
    slow.met(server, 0).await;
    drop(connection);
    slow.nothing_runs().await;
    slow.end(server).await;
    is_soon(
        server
            .user("ada@example.com")
            .ok("{ viewer { email } }", json!({})),
    )
    .await;
}

/// Even if nobody waits for the answer anymore.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_finishes_the_mutations_that_have_begun(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let mut server = TestServer::with(on, |config| config.database.max_connections = 1).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let mut socket = Socket::of(&server, &ada.email).await;
    let busy = BusyWriter::of(&server).await;
    let change = |what: &str| {
        format!(
            "mutation($id: ID!) {{
                updateWorkspace(input: {{ workspaceId: $id, {what} }}) {{ __typename }}
            }}"
        )
    };
    let workspace = json!({ "id": office.workspace });
    let waiting = async |count: usize| {
        until("they wait to write", async || {
            let pools = server.app().db.pools();
            pools.iter().map(|pool| pool.waiting).sum::<usize>() == count
        })
        .await;
    };
    let token = server.token(&ada.email);
    let connection = send(
        &server,
        &token,
        &change("name: \"Kept\""),
        workspace.clone(),
    )
    .await;
    waiting(1).await;
    drop(connection);
    let mutation = change("description: \"Kept\"");
    socket.subscribe("m", &mutation, workspace.clone()).await;
    let mut stream = Events::of(
        &server,
        &token,
        &change("domain: \"example.com\""),
        workspace.clone(),
    )
    .await;
    waiting(3).await;
    let stopped = server.stop();
    busy.end().await;
    socket.next("m").await;
    socket.completes("m").await;
    assert_eq!(socket.closed().await, 1001);
    assert!(stream.event().await.is_some(), "its result is delivered");
    stopped.await;
    let again = server.sibling().await;
    let query = "query($id: ID!) { workspace(by: { id: $id }) { name description domain } }";
    let found = again.user(&ada.email).ok(query, workspace).await;
    assert_eq!(
        found["workspace"],
        json!({ "name": "Kept", "description": "Kept", "domain": "example.com" })
    );
}

/// Mutations go on without their client, who could otherwise start any number of them.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn so_many_mutations_of_a_person_run_at_the_same_time(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| {
        config.database.max_connections = 1;
        config.database.acquire_timeout_ms = 60_000;
        config.limits.cost_per_minute = Some(100_000);
    })
    .await;
    let ada = Person::new(&server, "ada").await;
    let bob = Person::new(&server, "bob").await;
    let office = Office::of(&ada).await;
    let busy = BusyWriter::of(&server).await;
    let change = json!({ "workspaceId": office.workspace, "description": "Late" });
    let waiting = || {
        let pools = server.app().db.pools();
        pools.iter().map(|pool| pool.waiting).sum::<usize>()
    };
    let running = (0..256).map(|_| ada.mutate("updateWorkspace", change.clone(), "__typename"));
    let meanwhile = async {
        until("they wait to write", async || waiting() == 256).await;
        let refused = ada.mutate_refused("LIMIT_REACHED", "updateWorkspace", change.clone());
        let refused = refused.await;
        assert_eq!(refused.extensions()["limitName"], "mutationsAtOnce");
        assert_eq!(refused.extensions()["limit"], 256);
        let cost = &refused.body["extensions"]["cost"];
        assert!(cost.is_null(), "nothing is charged for it: {cost}");
        // Other people are not affected.
        let made = bob.mutate(
            "createOrganization",
            json!({ "name": "Acme" }),
            "__typename",
        );
        let ending = async {
            until("another waits to write", async || waiting() == 257).await;
            busy.end().await;
        };
        tokio::join!(made, ending);
    };
    tokio::join!(join_all(running), meanwhile);
    ada.mutate("updateWorkspace", change, "__typename").await;
}
