//! Returning users: the server assumes that they are who they were until the database has answered,
//! which nobody can tell from the answers.

use chrono::TimeDelta;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;
use tenantry::db::Kind;

use crate::support::office::{Office, Person};
use crate::support::{Database, Events, Postgres, Socket, Sqlite, TestServer, organization, text};

const CURRENT: &str = "{ navigationState { currentWorkspace { name } } }";

/// The name of the person's current workspace.
async fn current(person: &Person) -> String {
    let found = person.client.ok(CURRENT, json!({})).await;
    text(&found, "navigationState.currentWorkspace.name")
}

/// Deletes the person's account on another instance.
async fn delete_elsewhere(server: &TestServer, person: &Person) {
    let sibling = server.sibling().await;
    let input = json!({ "confirmEmail": person.email });
    let elsewhere = sibling.user(&person.email);
    elsewhere
        .mutate("deleteAccount", input, "deletedUserId")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_query_shows_what_another_instance_changed_of_its_viewer(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Apollo").await;
    let gemini = office.workspace(&ada, "Gemini").await;
    office.workspace(&ada, "Mercury").await;
    assert_eq!(current(&ada).await, "Mercury");

    let sibling = server.sibling().await;
    let input = json!({ "workspaceId": gemini.to_string() });
    let elsewhere = sibling.user(&ada.email);
    elsewhere
        .mutate(
            "selectWorkspace",
            input,
            "navigationState { viewer { id } }",
        )
        .await;
    assert_eq!(current(&ada).await, "Gemini");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_another_instance_deleted_is_told_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    ada.client.ok("{ viewer { email } }", json!({})).await;

    delete_elsewhere(&server, &ada).await;
    for query in ["{ viewer { email } }", CURRENT] {
        let reply = ada
            .client
            .refused("UNAUTHENTICATED", query, json!({}))
            .await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
    }
}

/// Neither about errors in the operation, nor about the schema, nor about limits.
#[rstest]
#[case("{ viewer { email", "GRAPHQL_PARSE_FAILED")]
#[case("{ nothing }", "GRAPHQL_VALIDATION_FAILED")]
#[case("mutation { nothing }", "GRAPHQL_VALIDATION_FAILED")]
#[case(
    "query($id: ID!) { node(id: $id) { id } }",
    "GRAPHQL_VALIDATION_FAILED"
)]
#[case("{ workspaces(first: 100) { nodes { id } } }", "RATE_LIMITED")]
#[case("{ __typename }", "")]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_gone_is_told_nothing_before_that(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] query: &str,
    #[case] otherwise: &str,
) {
    let server = TestServer::with(on, |config| config.limits.cost_per_minute = Some(102)).await;
    server.clock().stop();
    let ada = Person::new(&server, "ada").await;
    // Puts everything into memory that can be remembered.
    for _ in 0..2 {
        let reply = ada.client.send(query, json!({})).await;
        if otherwise != "RATE_LIMITED" {
            assert_eq!(reply.code(), otherwise, "{:#}", reply.body);
        }
    }
    delete_elsewhere(&server, &ada).await;
    server.clock().advance(TimeDelta::seconds(1));
    let reply = ada
        .client
        .refused("UNAUTHENTICATED", query, json!({}))
        .await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

/// What is the same for everyone takes no statement for someone who was just there.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_told_from_memory(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    server.clock().stop();
    let ada = Person::new(&server, "ada").await;
    let schema = "{ __schema { queryType { name } } }";
    let ask = async || server.statements(ada.client.ok(schema, json!({}))).await.0;
    assert_eq!(ask().await, 1);
    assert_eq!(ask().await, 0);
    server.clock().advance(TimeDelta::seconds(1));
    assert_eq!(ask().await, 1);
    assert_eq!(ask().await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough_for_all_that_a_query_reads_at_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| config.database.readers = 1).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Apollo").await;
    let queries = std::iter::repeat_with(|| current(&ada)).take(50);
    let names = futures_util::future::join_all(queries).await;
    assert!(names.iter().all(|name| name == "Apollo"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_query_reads_at_once_shares_a_session_with_postgresql() {
    let server = TestServer::start(Postgres).await;
    let ada = Person::new(&server, "ada").await;
    Office::of(&ada).await;
    let (statements, _) = server.statements(current(&ada)).await;
    assert!(statements > 1, "{statements}");
    let pools = server.app().db.pools();
    let read = pools.iter().find(|pool| pool.name == "read");
    // SQLite if PostgreSQL is not installed.
    if server.app().db.kind() == Kind::Postgres {
        assert_eq!(read.map(|pool| pool.open), Some(1));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_run_once_for_whoever_is_as_before(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    // Also selects it, which changes what is known about her.
    office.workspace(&ada, "Apollo").await;
    let (after_change, _) = server.statements(current(&ada)).await;
    let (unchanged, _) = server.statements(current(&ada)).await;
    assert_eq!(after_change, unchanged);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_run_once_after_a_mutation_over_another_door(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(true, false)] is_socket: bool,
) {
    let server = TestServer::start(on).await;
    let token = server.token("ada@example.com");
    let ada = server.bearer(&token);
    let acme = organization(&ada, "Acme").await;
    // Also selects it, which changes what is known about her.
    let make = "mutation($input: CreateWorkspaceInput!) {
        createWorkspace(input: $input) { workspace { id } } }";
    let variables = json!({ "input": { "name": "Apollo", "organization": { "id": acme } } });
    if is_socket {
        let mut socket = Socket::signed_in(&server, &token).await;
        socket.subscribe("1", make, variables).await;
        socket.next("1").await;
        socket.completes("1").await;
    } else {
        let mut stream = Events::of(&server, &token, make, variables).await;
        stream.next().await;
        stream.completes().await;
    }
    let (after_change, _) = server.statements(ada.ok(CURRENT, json!({}))).await;
    let (unchanged, _) = server.statements(ada.ok(CURRENT, json!({}))).await;
    assert_eq!(after_change, unchanged);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn workspaces_are_read_with_their_organizations(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Apollo").await;
    for selection in ["nodes { name FIELDS }", "edges { node { name FIELDS } }"] {
        let ask = async |fields| {
            let query = format!(
                "{{ workspaces {{ {} }} }}",
                selection.replace("FIELDS", fields)
            );
            let request = ada.client.ok(&query, json!({}));
            server.statements(request).await
        };
        let (without, _) = ask("").await;
        let (with, found) = ask("organization { id viewerAccess { role } }").await;
        assert_eq!(with, without);
        assert!(
            found.to_string().contains(&office.organization.to_string()),
            "{found:#}"
        );
    }
}
