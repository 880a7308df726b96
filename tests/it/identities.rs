//! What becomes of a person, and of their tokens, when their issuer changes its mind.

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

    // An address that is not verified matches nothing; what is not said any more is not so any more.
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
