//! What happens to a person and their tokens when the issuer changes what it says.

use chrono::TimeDelta;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Client, Database, Postgres, Sqlite, TestIssuer, TestServer, at, home, text};

const WHO: &str = "{ viewer { id email name avatarUrl }
    navigationState { invitations { id } } }";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_what_their_latest_token_says(#[values(Sqlite, Postgres)] on: Database) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    let sign_in = |email: &str, claims: Value| server.bearer(&issuer.token(email, claims));
    let bob = sign_in("bob@example.com", json!({}));
    let home = home(&bob, "Rocket").await;
    let invite = async |email: &str| {
        let input = json!({ "workspaceId": home.workspace, "email": email });
        let invited = bob.mutate("addWorkspaceMember", input, "invitation { id }");
        text(&invited.await, "invitation.id")
    };
    let (to_old, to_new) = (
        invite("old@example.com").await,
        invite("new@example.com").await,
    );
    let claims = json!({ "sub": "7", "name": "Ada", "picture": "https://example.com/1.png" });
    let before = sign_in("old@example.com", claims).ok(WHO, json!({})).await;
    let id = text(&before, "viewer.id");
    let expected = json!({
        "viewer": {
            "id": id, "email": "old@example.com", "name": "Ada",
            "avatarUrl": "https://example.com/1.png",
        },
        "navigationState": { "invitations": [{ "id": to_old }] },
    });
    assert_eq!(before, expected);

    // An unverified address matches nothing, and a claim that is no longer made no longer holds.
    let claims = json!({ "sub": "7", "email_verified": false });
    let between = sign_in("new@example.com", claims).ok(WHO, json!({})).await;
    let expected = json!({
        "viewer": { "id": id, "email": "new@example.com", "name": null, "avatarUrl": null },
        "navigationState": { "invitations": [] },
    });
    assert_eq!(between, expected);

    let claims = json!({ "sub": "7", "name": "Augusta", "picture": "https://example.com/2.png" });
    let ada = sign_in("New@Example.com", claims);
    let expected = json!({
        "viewer": {
            "id": id, "email": "new@example.com", "name": "Augusta",
            "avatarUrl": "https://example.com/2.png",
        },
        "navigationState": { "invitations": [{ "id": to_new }] },
    });
    assert_eq!(ada.ok(WHO, json!({})).await, expected);
    ada.mutate_refused(
        "NOT_FOUND",
        "acceptInvitation",
        json!({ "invitationId": to_old }),
    )
    .await;
    ada.mutate(
        "acceptInvitation",
        json!({ "invitationId": to_new }),
        "__typename",
    )
    .await;
    let members = "query($id: ID!) { workspace(by: { id: $id }) {
        members(last: 1) { nodes { user { email name } } } } }";
    let members = bob.ok(members, json!({ "id": home.workspace })).await;
    let expected = json!({ "email": "new@example.com", "name": "Augusta" });
    assert_eq!(at(&members, "workspace.members.nodes.0.user"), &expected);
}

/// The viewer's name.
async fn name(client: &Client) -> String {
    let who = client.ok("{ viewer { name } }", json!({})).await;
    text(&who, "viewer.name")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_older_token_does_not_undo_what_a_newer_one_said(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    server.clock().stop();
    let now = server.app().now().to_utc().timestamp();
    let token = |name: &str, issued_at: Value| {
        let claims = json!({ "name": name, "iat": issued_at });
        server.bearer(&issuer.token("ada@example.com", claims))
    };
    let older = token("Older", json!(now - 60));
    let newer = token("Newer", json!(now - 30));
    assert_eq!(name(&older).await, "Older");
    assert_eq!(name(&newer).await, "Newer");
    // Long enough for the tokens to be examined again each time.
    for _ in 0..3 {
        server.clock().advance(TimeDelta::seconds(61));
        assert_eq!(name(&older).await, "Newer");
        assert_eq!(name(&newer).await, "Newer");
    }
    assert_eq!(name(&token("Newest", json!(now))).await, "Newest");
    assert_eq!(name(&token("Between", json!(now - 1))).await, "Newest");
    // As early as a number can express.
    assert_eq!(name(&token("Ancient", json!(-1e11))).await, "Newest");
    // A token without `iat` counts as new, but does not make an older one new.
    assert_eq!(name(&token("Undated", Value::Null)).await, "Undated");
    assert_eq!(name(&token("Late", json!(now - 2))).await, "Undated");
}

/// A person first seen with a token issued at a time that no database calendar has.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_have_been_issued_long_ago(#[values(Sqlite, Postgres)] on: Database) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    let claims = json!({ "name": "Ada", "iat": -1e12 });
    let ada = server.bearer(&issuer.token("ada@example.com", claims));
    assert_eq!(name(&ada).await, "Ada");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_an_older_and_a_newer_token_at_once_the_newer_one_has_the_last_word(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    let now = server.app().now().to_utc().timestamp();
    for round in 0..20 {
        let email = format!("ada{round}@example.com");
        let token = |name: &str, issued_at: i64| {
            let claims = json!({ "name": name, "iat": issued_at });
            server.bearer(&issuer.token(&email, claims))
        };
        let (newer, older) = (token("Newer", now), token("Older", now - 30));
        tokio::join!(name(&newer), name(&older));
        assert_eq!(name(&newer).await, "Newer");
        assert_eq!(name(&older).await, "Newer");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_says_what_is_known_writes_nothing(#[values(Sqlite, Postgres)] on: Database) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    let now = server.app().now().to_utc().timestamp();
    let token = |name: &str, issued_at: i64| {
        let claims = json!({ "name": name, "iat": issued_at });
        server.bearer(&issuer.token("ada@example.com", claims))
    };
    assert_eq!(name(&token("Ada", now - 30)).await, "Ada");
    // A newer token that says the same, and an older one whatever it says.
    for same in [token("Ada", now), token("Adele", now - 60)] {
        let (count, name) = server.statements(name(&same)).await;
        assert_eq!((count, name.as_str()), (2, "Ada"));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_key_that_is_gone_is_good_for_a_minute_at_most(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    server.clock().stop();
    let status = async |client: &Client| client.send("{ viewer { id } }", json!({})).await.status;
    let token = |issuer: &TestIssuer| server.bearer(&issuer.token("ada@example.com", json!({})));
    let old = token(&issuer);
    assert_eq!(status(&old).await, StatusCode::OK);
    let rotated = issuer.rotated(&server.app().config.data_dir);
    server.clock().advance(TimeDelta::seconds(59));
    assert_eq!(status(&token(&rotated)).await, StatusCode::OK);
    assert_eq!(status(&old).await, StatusCode::OK);
    server.clock().advance(TimeDelta::seconds(1));
    assert_eq!(status(&old).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&token(&rotated)).await, StatusCode::OK);
}
