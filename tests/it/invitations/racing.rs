//! Invitations under many requests at once.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::support::{Database, Postgres, Sqlite, TestServer, home};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_invitations_of_one_address_at_once_are_one(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let cases = ["eve@example.com", "EVE@Example.com", " eve@EXAMPLE.com "];
    let invites = (0..50).map(|n| invite(&ada, &home, cases[n % 3], "MEMBER"));
    let mut ids = join_all(invites).await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(listed(&ada, &home, Value::Null).await["totalCount"], 1);
    let invites = (0..50).map(|_| invite_to_organization(&ada, &home, "eve@example.com", "MEMBER"));
    let mut ids = join_all(invites).await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn seats_are_never_overshot(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| allow(config, 8)).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let mut accepting = Vec::new();
    for n in 0..4 {
        let email = format!("early{n}@example.com");
        let id = invite(&ada, &home, &email, "MEMBER").await;
        accepting.push((server.user(&email), id));
    }
    let accepts = join_all(
        accepting
            .iter()
            .map(|(client, id)| client.try_mutate("acceptInvitation", of(id), "workspace { id }")),
    );
    let invites = join_all((0..20).map(|n| {
        let input = adding(&home, &format!("late{n}@example.com"), "MEMBER");
        ada.try_mutate("addWorkspaceMember", input, "invitation { id }")
    }));
    let (accepts, invites) = tokio::join!(accepts, invites);
    assert!(accepts.iter().all(|reply| reply.code().is_empty()));
    let made = invites.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(made.count(), 3);
    let full = invites
        .iter()
        .filter(|reply| reply.code() == "LIMIT_REACHED");
    assert_eq!(full.count(), 17);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_accepting_and_revoking_at_once_exactly_one_wins(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    for n in 0..8 {
        let email = format!("eve{n}@example.com");
        let eve = server.user(&email);
        let id = invite(&ada, &home, &email, "MEMBER").await;
        let (accepted, twice, revoked) = tokio::join!(
            eve.try_mutate("acceptInvitation", of(&id), "workspace { id }"),
            eve.try_mutate("acceptInvitation", of(&id), "workspace { id }"),
            ada.try_mutate("revokeInvitation", of(&id), "invitation { id }"),
        );
        let codes = [accepted.code(), twice.code(), revoked.code()];
        let won = codes.iter().filter(|code| code.is_empty()).count();
        assert_eq!(won, 1, "{codes:?}");
        let is_member = role_of(&eve, &home).await == "MEMBER";
        assert_eq!(is_member, !revoked.code().is_empty(), "{codes:?}");
    }
}
