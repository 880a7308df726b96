//! Statements of one transaction that do not wait for each other.

use diesel_async::RunQueryDsl;
use rstest::rstest;
use serde_json::json;
use tenantry::access::OrganizationRole;
use tenantry::db::{Kind, Topic, Transaction};
use tenantry::error::{Error, Result};
use tenantry::models::organization;
use tenantry::run;
use tokio::sync::Notify;

use crate::support::office::{Office, Person};
use crate::support::{Database, Postgres, Sqlite, TestServer};

async fn rename(tx: &mut Transaction, name: &str) -> Result<()> {
    let rename = diesel::sql_query(format!("UPDATE users SET name = '{name}'"));
    run!(tx, rename.execute(tx).await)?;
    Ok(())
}

async fn name_of(person: &Person) -> serde_json::Value {
    let answer = person.ok("{ viewer { name } }", json!({})).await;
    answer["viewer"]["name"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_does_not_wait_for_the_other() {
    let server = &TestServer::start(Postgres).await;
    if server.app().db.kind() == Kind::Sqlite {
        // PostgreSQL is not installed. On SQLite, one waits for the other.
        return;
    }
    let ada = Person::new(server, "ada").await;
    let two_is_done = &Notify::new();
    let one = async |tx: &mut Transaction| {
        two_is_done.notified().await;
        rename(tx, "One").await
    };
    let two = async |tx: &mut Transaction| {
        rename(tx, "Two").await?;
        two_is_done.notify_one();
        Ok::<_, Error>(())
    };
    let db = &server.app().db;
    let done = db.transaction(async |tx| tx.together(&one, &two).await);
    done.await.expect("both are done");
    assert_eq!(name_of(&ada).await, "One");
}

/// What follows a failed statement fails as well; only the first failure is reported.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_failed_first_is_told_and_nothing_is_kept(#[values(Sqlite, Postgres)] on: Database) {
    let server = &TestServer::with(on, |config| config.database.max_connections = 1).await;
    let ada = Person::new(server, "ada").await;
    let office = &Office::of(&ada).await;
    let before = name_of(&ada).await;
    let (db, now) = (&server.app().db, server.app().now());
    // She is a member already.
    let join = async |tx: &mut Transaction| {
        let role = OrganizationRole::Member;
        organization::add_member(tx, office.organization, ada.id, role, now).await
    };
    let rename_twice = async |tx: &mut Transaction| {
        rename(tx, "Someone").await?;
        rename(tx, "Someone else").await
    };
    let first = db.transaction(async |tx| tx.together(&join, &rename_twice).await.map(drop));
    let last = db.transaction(async |tx| tx.together(&rename_twice, &join).await.map(drop));
    for outcome in [first.await, last.await] {
        let failed = outcome.expect_err("she cannot become one again");
        assert!(failed.is_unique_violation(), "{failed:?}");
    }
    assert_eq!(name_of(&ada).await, before);
    // Even the connection is kept.
    let next = db.transaction(async |tx| tx.together(&rename_twice, &rename_twice).await);
    next.await.expect("both are done");
    assert_eq!(name_of(&ada).await, "Someone else");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn either_can_announce(#[values(Sqlite, Postgres)] on: Database) {
    let server = &TestServer::start(on).await;
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    let db = &server.app().db;
    let topic = Topic::Workspace(office.workspace);
    let announce = async |tx: &mut Transaction| {
        tx.announce(topic);
        Ok::<_, Error>(())
    };
    let nothing = async |_: &mut Transaction| Ok::<_, Error>(());
    let mut listener = db.listen(topic);
    let one = db.transaction(async |tx| tx.together(&announce, &nothing).await);
    one.await.expect("both are done");
    listener.changed().await;
    let other = db.transaction(async |tx| tx.together(&nothing, &announce).await);
    other.await.expect("both are done");
    listener.changed().await;
}
