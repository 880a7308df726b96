//! Small documents that would take forever, sent through the door.

use std::fmt::Write;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::support::{Database, Postgres, Sqlite, TestServer};

/// Fragments of which each spreads the next one twice; the last one is `{ leaf }`.
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

/// 24 levels in 1 KB, which held a server that validates first for minutes. The shortest of some times
/// counts, since the machine has other things to do.
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
