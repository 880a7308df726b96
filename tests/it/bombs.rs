//! Small documents that would take forever, or whose answers would never end, sent over HTTP.

use std::fmt::Write;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;
use tenantry::id::WorkspaceId;

use crate::support::{Client, Database, Postgres, Socket, Sqlite, TestServer, text};

/// Fragments that each spread the next one twice; the last one is `{ leaf }`.
fn bomb(levels: usize, leaf: &str) -> String {
    let mut text = "{...F1}".to_owned();
    for level in 1..levels {
        let next = level + 1;
        write!(text, "fragment F{level} on Query{{...F{next} ...F{next}}}")
            .expect("it is a string");
    }
    write!(text, "fragment F{levels} on Query{{{leaf}}}").expect("it is a string");
    text
}

/// 24 levels in 1 KB would keep a server that validates first busy for minutes. The shortest of several
/// times counts, since the machine has other things to do.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn fragments_that_multiply_are_refused_at_once(
    #[values(Sqlite, Postgres)] on: Database,
    #[values((24, "__typename"), (24, "viewer{id}"), (60, "...Missing"))] of: (usize, &str),
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let (levels, leaf) = of;
    let document = bomb(levels, leaf);
    assert!(levels > 24 || document.len() < 1_024, "{}", document.len());
    let mut least = Duration::MAX;
    for _ in 0..8 {
        let begun = Instant::now();
        let reply = ada.refused("QUERY_TOO_COMPLEX", &document, json!({})).await;
        least = least.min(begun.elapsed());
        assert_eq!(reply.body.get("data"), None);
    }
    assert!(least < Duration::from_millis(50), "{least:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn fragments_in_a_ring_are_refused_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let document = bomb(24, "...F1 ...F1");
    let begun = Instant::now();
    ada.refused("GRAPHQL_VALIDATION_FAILED", &document, json!({}))
        .await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

/// Creates a workspace whose settings are as long as they may be.
async fn long_settings(ada: &Client) -> String {
    let input = json!({ "name": "Rocket", "settings": { "text": "x".repeat(65_000) } });
    let made = ada
        .mutate("createWorkspace", input, "workspace { id }")
        .await;
    text(&made, "workspace.id").to_owned()
}

/// A field under `count` aliases.
fn aliases(field: &str, count: usize) -> String {
    let names = (0..count).map(|nth| format!("a{nth}: {field} "));
    names.collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_a_bound(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let id = long_settings(&ada).await;
    let settings = aliases("settings", 30);
    let of = |count| {
        let workspace = format!("workspace(by: {{ id: $id }}) {{ {settings} }}");
        format!("query($id: ID!) {{ {} }}", aliases(&workspace, count))
    };
    let variables = json!({ "id": id });
    ada.ok(&of(8), variables.clone()).await;
    let refused = ada.refused("QUERY_TOO_COMPLEX", &of(9), variables).await;
    let errors = refused.body["errors"].as_array().map(Vec::len);
    assert_eq!(errors, Some(1), "{:?}", refused.body["errors"]);
}

/// The document does not show how long an unpaged list is.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_a_bound_however_long_its_lists_are(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let id = long_settings(&ada).await;
    let workspace: WorkspaceId = id.parse().expect("an id");
    let day = match on {
        Postgres => "to_char(date '1970-01-01' + n::int, 'YYYY-MM-DD')",
        Sqlite => "date('1970-01-01', '+' || n || ' days')",
    };
    let columns = format!("{{uuid:{}}}, {day}, 'OPENAI', 10, 3", workspace.uuid());
    let table = "visibility (workspace_id, day, provider, answers, mentions)";
    server.insert_series(20_000, table, &columns).await;
    let of = |count| {
        let days = aliases("byDay { day answers mentions rate }", count);
        format!(
            "query($id: ID!) {{ workspace(by: {{ id: $id }}) {{
                domainVisibility(since: \"1970-01-01T00:00:00Z\") {{ {days} }} }} }}"
        )
    };
    let variables = json!({ "id": id });
    let found = ada.ok(&of(1), variables.clone()).await;
    let days = found["workspace"]["domainVisibility"]["a0"].as_array();
    assert_eq!(days.map(Vec::len), Some(20_000));
    ada.refused("QUERY_TOO_COMPLEX", &of(30), variables).await;
}

/// Each item of a subscription is an answer of its own.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_bound_is_that_of_each_item(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let id = long_settings(&ada).await;
    let mut socket = Socket::of(&server, "ada@example.com").await;
    let workspace = format!("workspace {{ {} }}", aliases("settings", 30));
    let query = format!(
        "subscription($id: ID!) {{ workspaceEvents(workspaceId: $id) {{ {} }} }}",
        aliases(&workspace, 5)
    );
    socket.subscribe("1", &query, json!({ "id": id })).await;
    socket.settle().await;
    for name in ["Bolt", "Comet"] {
        let input = json!({ "workspaceId": id, "name": name });
        ada.mutate("updateWorkspace", input, "workspace { id }")
            .await;
        let item = socket.next("1").await;
        assert!(item["workspaceEvents"].is_object(), "{item}");
    }
}
