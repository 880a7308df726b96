//! Joining while the account is being deleted.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::db::Kind;

use crate::support::office::{Office, Person};
use crate::support::slow::Slow;
use crate::support::{Client, Database, Postgres, Reply, Sqlite, TestServer, text};

async fn code(owner: &Person, office: &Office) -> String {
    text(
        &super::info(owner, &office.workspace.to_string()).await,
        "inviteCode",
    )
}

async fn join(person: &Client, code: &str) -> Reply {
    let input = json!({ "code": code });
    person
        .try_mutate("joinWorkspaceByCode", input, "membership { role }")
        .await
}

async fn delete(person: &Client, email: &str) -> Reply {
    let input = json!({ "confirmEmail": email });
    person
        .try_mutate("deleteAccount", input, "deletedUserId")
        .await
}

/// The number of events of that kind.
fn count(events: &[(String, Value)], kind: &str) -> usize {
    events.iter().filter(|(it, _)| it == kind).count()
}

/// Asserts that only the owner is left, and that everyone added was also recorded as removed.
async fn assert_nobody_stayed(owner: &Person, office: &Office) {
    let alone = vec![(owner.email.clone(), "OWNER".to_owned())];
    assert_eq!(office.organization_members(owner).await, alone);
    assert_eq!(office.members(owner).await, alone);
    let events = office.events(owner).await;
    let added = count(&events, "ORGANIZATION_MEMBER_ADDED");
    assert_eq!(count(&events, "ORGANIZATION_MEMBER_REMOVED"), added);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_while_they_delete_their_account_joins_first_or_not_at_all(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let code = code(&ada, &office).await;
    for round in 0..20 {
        let eve = Person::new(&server, &format!("eve{round}")).await;
        let (joined, deleted) = tokio::join!(join(&eve, &code), delete(&eve, &eve.email));
        assert_eq!(deleted.code(), "", "{:#}", deleted.body);
        assert!(
            ["", "UNAUTHENTICATED"].contains(&joined.code()),
            "{:#}",
            joined.body
        );
    }
    assert_nobody_stayed(&ada, &office).await;
}

/// SQLite has one writer at a time, so there the two follow one another.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_not_deleted_in_the_middle_of_joining(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let code = code(&ada, &office).await;
    let eve = Person::new(&server, "eve").await;

    let slow = Slow::workspaces(&server).await;
    let joining = tokio::spawn({
        let eve = eve.client.clone();
        async move { join(&eve, &code).await }
    });
    slow.waiting(1).await;
    if server.app().db.kind() == Kind::Sqlite {
        assert_eq!(joining.await.expect("it is done").code(), "");
        assert_eq!(delete(&eve, &eve.email).await.code(), "");
    } else {
        let deleting = tokio::spawn({
            let (eve, email) = (eve.client.clone(), eve.email.clone());
            async move { delete(&eve, &email).await }
        });
        slow.waiting(2).await;
        drop(slow);
        let (joined, deleted) = (joining.await, deleting.await);
        assert_eq!(joined.expect("it is done").code(), "");
        assert_eq!(deleted.expect("it is done").code(), "");
    }
    assert_nobody_stayed(&ada, &office).await;
}
