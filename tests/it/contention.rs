//! Transactions that lose against another one: the server retries them, so that no client has to.

use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::RunQueryDsl;
use futures_util::future::join;
use rstest::rstest;
use serde_json::json;
use tenantry::db::{Kind, Transaction};
use tenantry::error::{Error, ErrorCode, Result};
use tenantry::id::UserId;
use tenantry::models::user;
use tenantry::run;
use tenantry::schema::users;
use tokio::sync::Barrier;

use crate::support::office::Person;
use crate::support::{Database, Postgres, Sqlite, TestServer, text};

/// Counts the tries of a transaction.
#[derive(Default)]
struct Tries(AtomicUsize);

impl Tries {
    /// Counts a try, and returns whether it is the first.
    fn begin(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) == 0
    }

    fn count(&self) -> usize {
        // Not `self.0.load`: Diesel's `RunQueryDsl` gives every type a `load`.
        AtomicUsize::load(&self.0, Ordering::SeqCst)
    }
}

/// Asserts that of two racing transactions one was tried once and the other twice.
fn assert_one_again(tries: [Tries; 2]) {
    let mut counts = tries.map(|tries| tries.count());
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

async fn rename(tx: &mut Transaction, id: UserId, name: &str) -> Result<()> {
    let renamed = diesel::update(users::table.find(id)).set(users::name.eq(name));
    run!(tx, renamed.execute(tx).await)?;
    Ok(())
}

async fn name_of(person: &Person) -> String {
    let answer = person.ok("{ viewer { name } }", json!({})).await;
    text(&answer, "viewer.name")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_wait_for_each_other_one_is_tried_again() {
    let server = &TestServer::start(Postgres).await;
    let db = &server.app().db;
    if db.kind() == Kind::Sqlite {
        // PostgreSQL is not installed. SQLite has one writer at a time.
        return;
    }
    let (ada, bob) = (
        Person::new(server, "ada").await,
        Person::new(server, "bob").await,
    );
    let both_have_one = &Barrier::new(2);
    let tries = [Tries::default(), Tries::default()];
    let rename_both = async |name: &str, first: UserId, last: UserId, tries: &Tries| {
        let work = async |tx: &mut Transaction| {
            let is_first = tries.begin();
            rename(tx, first, name).await?;
            if is_first {
                both_have_one.wait().await;
            }
            rename(tx, last, name).await
        };
        db.transaction(work).await.expect("it is done");
    };
    join(
        rename_both("One", ada.id, bob.id, &tries[0]),
        rename_both("Two", bob.id, ada.id, &tries[1]),
    )
    .await;
    assert_one_again(tries);
    assert_eq!(name_of(&ada).await, name_of(&bob).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_change_what_both_have_read_one_is_tried_again() {
    let server = &TestServer::start(Postgres).await;
    let db = &server.app().db;
    if db.kind() == Kind::Sqlite {
        // PostgreSQL is not installed. On SQLite, one reads after the other has written.
        return;
    }
    let ada = Person::new(server, "ada").await;
    let both_have_read = &Barrier::new(2);
    let tries = [Tries::default(), Tries::default()];
    let add = async |suffix: &str, tries: &Tries| {
        let work = async |tx: &mut Transaction| {
            let isolation = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
            run!(tx, diesel::sql_query(isolation).execute(tx).await)?;
            let user = user::by_id(tx, ada.id).await?.expect("she is there");
            if tries.begin() {
                both_have_read.wait().await;
            }
            let name = format!("{}{suffix}", user.display_name());
            rename(tx, ada.id, &name).await
        };
        db.transaction(work).await.expect("it is done");
    };
    join(add("-one", &tries[0]), add("-two", &tries[1])).await;
    assert_one_again(tries);
    let name = name_of(&ada).await;
    assert!(
        ["Ada-one-two", "Ada-two-one"].contains(&name.as_str()),
        "{name}"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_loses_every_time_is_given_up_and_nothing_of_it_is_kept(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = &TestServer::start(on).await;
    let ada = Person::new(server, "ada").await;
    let tries = &Tries::default();
    let work = async |tx: &mut Transaction| {
        tries.begin();
        rename(tx, ada.id, "Lost").await?;
        let (kind, message) = (DatabaseErrorKind::SerializationFailure, "lost".to_owned());
        let lost = DieselError::DatabaseError(kind, Box::new(message));
        Err::<(), _>(Error::from(lost))
    };
    let outcome = server.app().db.transaction(work).await;
    let error = outcome.expect_err("it loses every time");
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert_eq!(tries.count(), 6);
    assert_eq!(name_of(&ada).await, "Ada");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_refused_is_not_tried_again(#[values(Sqlite, Postgres)] on: Database) {
    let server = &TestServer::start(on).await;
    let tries = &Tries::default();
    let work = async |_: &mut Transaction| {
        tries.begin();
        Err::<(), _>(Error::conflict("It is too late."))
    };
    let outcome = server.app().db.transaction(work).await;
    let error = outcome.expect_err("it is refused");
    assert_eq!(error.code(), ErrorCode::Conflict);
    assert_eq!(tries.count(), 1);
}
