//! API tokens.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use crate::support::{BusyWriter, Client, Database, Postgres, Sqlite, TestServer, text, until};

const TOKENS: &str = "{ apiTokens { id name prefix lastUsedAt expiresAt } }";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_acts_as_its_maker_until_it_is_revoked(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let selection = "secret apiToken { id name prefix lastUsedAt expiresAt }";
    let made = ada
        .mutate("createApiToken", json!({ "name": " CI " }), selection)
        .await;
    let secret = text(&made, "secret");
    assert!(secret.starts_with("tnt_"), "{secret}");
    assert!(secret.len() >= 4 + 52, "256 bits");
    assert_eq!(made["apiToken"]["name"], "CI");
    assert!(secret.starts_with(&text(&made, "apiToken.prefix")));
    assert_eq!(made["apiToken"]["lastUsedAt"], json!(null));

    let script = server.bearer(&secret);
    let who = script.ok("{ viewer { email } }", json!({})).await;
    assert_eq!(who["viewer"]["email"], "ada@example.com");
    let listed = ada.ok(TOKENS, json!({})).await;
    let used = text(&listed, "apiTokens.0.lastUsedAt");
    assert!(used.ends_with(":00Z"), "to the minute: {used}");
    assert!(listed["apiTokens"][0].get("secret").is_none());

    let id = text(&made, "apiToken.id");
    let node = ada
        .ok(
            "query($id: ID!) { node(id: $id) { id } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(node["node"]["id"], json!(id));
    let bob = server.user("bob@example.com");
    let node = bob
        .ok(
            "query($id: ID!) { node(id: $id) { id } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(node["node"], json!(null));
    bob.mutate_refused("NOT_FOUND", "revokeApiToken", json!({ "apiTokenId": id }))
        .await;

    let revoked = ada
        .mutate("revokeApiToken", json!({ "apiTokenId": id }), "deletedId")
        .await;
    assert_eq!(revoked["deletedId"], json!(id));
    let reply = script.send("{ viewer { email } }", json!({})).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.code(), "UNAUTHENTICATED");
    ada.mutate_refused("NOT_FOUND", "revokeApiToken", json!({ "apiTokenId": id }))
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_expires(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let past = (Utc::now() - TimeDelta::hours(1)).to_rfc3339();
    let input = json!({ "name": "late", "expiresAt": past });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "createApiToken", input)
        .await;
    assert_eq!(reply.violations(), ["expiresAt"]);

    let soon = (Utc::now() + TimeDelta::hours(1)).to_rfc3339();
    let input = json!({ "name": "short", "expiresAt": soon });
    let made = ada.mutate("createApiToken", input, "secret").await;
    let script = server.bearer(&text(&made, "secret"));
    script.ok("{ viewer { id } }", json!({})).await;
    server.clock().advance(TimeDelta::minutes(61));
    assert_eq!(
        script.send("{ viewer { id } }", json!({})).await.status,
        401
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_leap_second_is_told_as_it_is_stored(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let input = json!({ "name": "leap", "expiresAt": "2999-12-31T12:30:60.25Z" });
    let made = ada
        .mutate("createApiToken", input, "apiToken { expiresAt }")
        .await;
    let listed = ada.ok(TOKENS, json!({})).await;
    for told in [&made["apiToken"], &listed["apiTokens"][0]] {
        assert_eq!(told["expiresAt"], "2999-12-31T12:31:00.250Z");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_token_is_told(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let past = (Utc::now() - TimeDelta::hours(1)).to_rfc3339();
    let input = json!({ "name": "", "expiresAt": past });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "createApiToken", input)
        .await;
    assert_eq!(reply.violations(), ["name", "expiresAt"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_no_tokens(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let made = ada
        .mutate("createApiToken", json!({ "name": "CI" }), "secret")
        .await;
    let script = server.bearer(&text(&made, "secret"));
    script
        .mutate_refused("FORBIDDEN", "createApiToken", json!({ "name": "more" }))
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_at_most_fifty_tokens(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    for _ in 0..49 {
        ada.mutate("createApiToken", json!({ "name": "one of many" }), "secret")
            .await;
    }
    let races = (0..8).map(|_| ada.try_mutate("createApiToken", json!({ "name": "x" }), "secret"));
    let replies = futures_util::future::join_all(races).await;
    let made = replies
        .iter()
        .filter(|reply| reply.code().is_empty())
        .count();
    assert_eq!(made, 1);
    let refused = replies
        .iter()
        .find(|reply| !reply.code().is_empty())
        .expect("seven of eight");
    assert_eq!(refused.code(), "LIMIT_REACHED");
    assert_eq!(refused.extensions()["limit"], 50);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_to_eighty_characters(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    for name in ["", "   ", &"x".repeat(81), "a\u{0}b"] {
        let input = json!({ "name": name });
        let reply = ada
            .mutate_refused("INVALID_INPUT", "createApiToken", input)
            .await;
        assert_eq!(reply.violations(), ["name"]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_is_removed_loses_access_at_the_next_request_and_so_do_their_tokens(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let selection = "workspace { id joinInfo { inviteCode } } organization { id }";
    let made = ada
        .mutate("createWorkspace", json!({ "name": "Rocket" }), selection)
        .await;
    let input = json!({ "code": text(&made, "workspace.joinInfo.inviteCode") });
    let joined = bob
        .mutate("joinWorkspaceByCode", input, "membership { user { id } }")
        .await;
    let token = bob
        .mutate("createApiToken", json!({ "name": "CI" }), "secret")
        .await;
    let script = server.bearer(&text(&token, "secret"));
    let query = "query($id: ID!) { workspace(by: { id: $id }) { name }
        organizations { totalCount } }";
    let id = json!({ "id": text(&made, "workspace.id") });
    for someone in [&bob, &script] {
        let seen = someone.ok(query, id.clone()).await;
        assert_eq!(seen["workspace"]["name"], "Rocket");
    }
    let input = json!({
        "organizationId": text(&made, "organization.id"),
        "userId": text(&joined, "membership.user.id"),
    });
    ada.mutate("removeOrganizationMember", input, "removed")
        .await;
    for someone in [&bob, &script] {
        let seen = someone.ok(query, id.clone()).await;
        assert_eq!(seen["workspace"], json!(null));
        assert_eq!(seen["organizations"]["totalCount"], 0);
    }
}

/// A client with an API token of Ada's.
async fn token(server: &TestServer) -> Client {
    let ada = server.user("ada@example.com");
    let made = ada.mutate("createApiToken", json!({ "name": "CI" }), "secret");
    server.bearer(&text(&made.await, "secret"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn queries_by_a_token_do_without_those_who_write(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| config.database.max_connections = 1).await;
    let script = token(&server).await;
    let busy = BusyWriter::of(&server).await;
    for _ in 0..3 {
        let asked = script.ok("{ viewer { email } }", json!({}));
        let answered = tokio::time::timeout(Duration::from_secs(10), asked).await;
        let who = answered.expect("it is answered at once");
        assert_eq!(who["viewer"]["email"], "ada@example.com");
    }
    busy.end().await;
    // The use that could not be recorded then is recorded now, or soon.
    until("the use is noted", async || {
        let listed = script.ok(TOKENS, json!({})).await;
        listed["apiTokens"][0]["lastUsedAt"].is_string()
    })
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_many_uses_in_a_minute_one_is_noted(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    server.clock().stop();
    let script = token(&server).await;
    let uses = async || {
        let uses = (0..20).map(|_| script.ok("{ viewer { email } }", json!({})));
        join_all(uses).await;
    };
    let (first, ()) = server.statements(uses()).await;
    let (again, ()) = server.statements(uses()).await;
    assert!(first < again + 10, "{first}, and then {again}");
    server.clock().advance(TimeDelta::minutes(1));
    let (later, ()) = server.statements(uses()).await;
    assert!(
        again < later && later < again + 10,
        "{again}, and later {later}"
    );
}
