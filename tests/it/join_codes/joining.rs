//! What a join code grants, and how often it can be used.

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use super::{INFO, JOINED, info, rotate, workspace};
use crate::support::{Database, Postgres, Sqlite, TestServer, text};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_comes_with_a_code_by_which_people_join(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let (id, code) = workspace(&ada).await;
    let first = info(&ada, &id).await;
    assert_eq!(first["role"], "MEMBER");
    assert_eq!(first["expiresAt"], json!(null));
    assert_eq!(first["maxUses"], json!(null));
    assert_eq!(first["uses"], 0);
    assert_eq!(code.len(), 14, "XXXX-XXXX-XXXX");

    let typed = code.replace('-', "").to_lowercase();
    let joined = bob
        .mutate("joinWorkspaceByCode", json!({ "code": typed }), JOINED)
        .await;
    assert_eq!(joined["workspace"]["id"], json!(id));
    assert_eq!(joined["workspace"]["viewerRole"], "MEMBER");
    assert_eq!(joined["membership"]["user"]["email"], "bob@example.com");
    let organizations = bob
        .ok(
            "{ organizations { nodes { viewerAccess { role } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        organizations["organizations"]["nodes"][0]["viewerAccess"]["role"],
        "MEMBER"
    );
    assert_eq!(info(&ada, &id).await["uses"], 1);

    let kinds = "query($id: ID!) { workspace(by: { id: $id }) { events { nodes { kind data } } } }";
    let events = ada.ok(kinds, json!({ "id": id })).await;
    let added = &events["workspace"]["events"]["nodes"][0];
    assert_eq!(added["kind"], "WORKSPACE_MEMBER_ADDED");
    let data = json!({ "userId": joined["membership"]["user"]["id"], "role": "MEMBER" });
    assert_eq!(added["data"], data);
    assert!(!events.to_string().contains(&code), "no code in an event");

    let reply = bob.send(INFO, json!({ "id": id })).await;
    assert_eq!(reply.code(), "FORBIDDEN");
    assert_eq!(reply.body["data"]["workspace"]["joinInfo"], json!(null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn joining_twice_is_no_error_and_counts_no_use(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let (id, _) = workspace(&ada).await;
    let code = rotate(&ada, json!({ "workspaceId": id, "maxUses": 1 })).await;
    let first = bob
        .mutate("joinWorkspaceByCode", json!({ "code": code }), JOINED)
        .await;
    let again = bob
        .mutate("joinWorkspaceByCode", json!({ "code": code }), JOINED)
        .await;
    assert_eq!(first, again, "also where the code is used up by now");
    assert_eq!(info(&ada, &id).await["uses"], 1);
    let owner = ada
        .mutate("joinWorkspaceByCode", json!({ "code": code }), JOINED)
        .await;
    assert_eq!(
        owner["membership"]["role"], "OWNER",
        "a role already higher is kept"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_code_raises_nobody(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let (id, first) = workspace(&ada).await;
    bob.mutate(
        "joinWorkspaceByCode",
        json!({ "code": first }),
        "__typename",
    )
    .await;
    let code = rotate(&ada, json!({ "workspaceId": id, "role": "ADMIN" })).await;
    let again = bob
        .mutate("joinWorkspaceByCode", json!({ "code": code }), JOINED)
        .await;
    assert_eq!(again["membership"]["role"], "MEMBER");
    assert_eq!(again["workspace"]["viewerRole"], "MEMBER");
    assert_eq!(info(&ada, &id).await["uses"], 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_cannot_be_used_says_so(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let (id, first) = workspace(&ada).await;
    let soon = (Utc::now() + TimeDelta::days(1)).to_rfc3339();
    let input = json!({ "workspaceId": id, "role": "ADMIN", "expiresAt": soon });
    let second = rotate(&ada, input).await;
    let refused = async |who: &str, code: &str, expected: &str| {
        let input = json!({ "code": code });
        server
            .user(who)
            .mutate_refused(expected, "joinWorkspaceByCode", input)
            .await;
    };
    refused("a@example.com", &first, "NOT_FOUND").await;
    refused("a@example.com", "0000-0000-0000", "NOT_FOUND").await;
    refused("a@example.com", "not a code", "NOT_FOUND").await;

    let bob = server.user("bob@example.com");
    let joined = bob
        .mutate("joinWorkspaceByCode", json!({ "code": second }), JOINED)
        .await;
    assert_eq!(joined["membership"]["role"], "ADMIN");

    server.clock().advance(TimeDelta::days(2));
    refused("b@example.com", &second, "INVITE_UNUSABLE").await;
    let third = rotate(&ada, json!({ "workspaceId": id })).await;
    ada.mutate(
        "disableJoinCode",
        json!({ "workspaceId": id }),
        "workspace { id }",
    )
    .await;
    assert_eq!(info(&ada, &id).await["inviteCode"], json!(null));
    refused("b@example.com", &third, "INVITE_UNUSABLE").await;
    rotate(&ada, json!({ "workspaceId": id })).await;
    refused("b@example.com", &third, "NOT_FOUND").await;

    ada.mutate("createWorkspace", json!({ "name": "Other" }), "__typename")
        .await;
    let last = rotate(&ada, json!({ "workspaceId": id })).await;
    ada.mutate(
        "deleteWorkspace",
        json!({ "workspaceId": id }),
        "__typename",
    )
    .await;
    refused("c@example.com", &last, "NOT_FOUND").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_terms_of_a_code_are_checked(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let (id, code) = workspace(&ada).await;
    let past = "2020-01-01T00:00:00Z";
    let input = json!({ "workspaceId": id, "role": "OWNER", "maxUses": 0, "expiresAt": past });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "rotateJoinCode", input)
        .await;
    assert_eq!(reply.violations(), ["role", "maxUses", "expiresAt"]);
    let input = json!({ "workspaceId": id, "expiresAt": past });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "rotateJoinCode", input)
        .await;
    assert_eq!(reply.violations(), ["expiresAt"]);

    bob.mutate("joinWorkspaceByCode", json!({ "code": code }), "__typename")
        .await;
    for mutation in ["rotateJoinCode", "disableJoinCode"] {
        bob.mutate_refused("FORBIDDEN", mutation, json!({ "workspaceId": id }))
            .await;
    }
    assert_eq!(
        text(&info(&ada, &id).await, "inviteCode"),
        code,
        "nothing has changed"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_one_lets_one_in(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let (id, _) = workspace(&ada).await;
    let code = rotate(&ada, json!({ "workspaceId": id, "maxUses": 1 })).await;
    let joins = (0..20).map(|number| {
        let (user, code) = (
            server.user(&format!("user{number}@example.com")),
            code.clone(),
        );
        async move {
            user.try_mutate("joinWorkspaceByCode", json!({ "code": code }), "__typename")
                .await
        }
    });
    let replies = join_all(joins).await;
    assert_eq!(
        replies
            .iter()
            .filter(|reply| reply.code().is_empty())
            .count(),
        1
    );
    assert_eq!(
        replies
            .iter()
            .filter(|reply| reply.code() == "INVITE_UNUSABLE")
            .count(),
        19
    );
    assert_eq!(info(&ada, &id).await["uses"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn joins_are_limited_failures_included(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let (_, code) = workspace(&ada).await;
    for _ in 0..5 {
        let input = json!({ "code": "ZZZZ-ZZZZ-ZZZZ" });
        bob.mutate_refused("NOT_FOUND", "joinWorkspaceByCode", input)
            .await;
    }
    let input = json!({ "code": code });
    let reply = bob
        .mutate_refused("RATE_LIMITED", "joinWorkspaceByCode", input.clone())
        .await;
    let wait = reply.retry_after();
    assert!((1..=900).contains(&wait), "{wait}");
    server.clock().advance(TimeDelta::seconds(wait));
    bob.mutate("joinWorkspaceByCode", input, "__typename").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn joins_are_limited_successes_included(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(workspace(&ada).await.1);
    }
    let last = json!({ "code": codes.pop() });
    // Joining twice is not an error, and counts as a success too.
    codes[4] = codes[3].clone();
    for code in codes {
        bob.mutate("joinWorkspaceByCode", json!({ "code": code }), "__typename")
            .await;
    }
    bob.mutate_refused("RATE_LIMITED", "joinWorkspaceByCode", last.clone())
        .await;
    server.clock().advance(TimeDelta::minutes(15));
    bob.mutate("joinWorkspaceByCode", last, "__typename").await;
}
