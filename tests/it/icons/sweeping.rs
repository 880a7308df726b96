//! Sweeping files that are not used.

use std::fs;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;
use tenantry::db::types::Instant;
use tenantry::files::ObjectId;
use tenantry::id::WorkspaceId;
use tenantry::schema::{discarded_objects, files, workspaces};

use crate::support::icons::{another_png, offer, png, set_icon, stored, uploaded};
use crate::support::working::Working;
use crate::support::{Database, Postgres, Sqlite, TestServer, home, until, workspace};

/// The number of files, and of objects to be deleted, in the database.
async fn known(server: &TestServer) -> (i64, i64) {
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let of_files = tenantry::run!(conn, files::table.count().get_result(conn).await);
    let objects = tenantry::run!(
        conn,
        discarded_objects::table.count().get_result(conn).await
    );
    (of_files.expect("a count"), objects.expect("a count"))
}

/// Wakes the worker, and waits until it has left that many files, all of them whole.
async fn swept_to(server: &TestServer, left: usize) {
    server.app().wake_worker();
    let left_alone = format!("{left} files are left");
    until(&left_alone, async || {
        known(server).await == (left as i64, 0)
    })
    .await;
    assert_eq!(stored(server).len(), left);
}

/// Schedules an object for deletion.
async fn discard(server: &TestServer, id: ObjectId, due_at: Instant) {
    let discarded = server.app().db.transaction(async |tx| {
        let row = (
            discarded_objects::id.eq(id),
            discarded_objects::due_at.eq(due_at),
        );
        let insert = diesel::insert_into(discarded_objects::table);
        tenantry::run!(tx, insert.values(row).execute(tx).await)?;
        Ok(())
    });
    discarded.await.expect("the row can be written");
}

/// Lets the worker look everywhere, and asserts that it deletes only a marker object that does not
/// exist.
async fn nothing_is_swept(server: &TestServer) {
    let before = (known(server).await, stored(server));
    let now = server.app().now();
    discard(server, ObjectId::new(now.to_utc()), now).await;
    let working = Working::start(server);
    until("the worker has looked", async || {
        known(server).await.1 == before.0.1
    })
    .await;
    working.stop().await;
    assert_eq!((known(server).await, stored(server)), before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_uses_goes_after_a_day(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let used = uploaded(&server, &ada, png()).await;
    let url = set_icon(&ada, &home.workspace, &used).await;
    let unused = uploaded(&server, &ada, png()).await;
    offer(&ada).await;
    server.clock().advance(TimeDelta::hours(23));
    assert_eq!(known(&server).await, (3, 0));
    nothing_is_swept(&server).await;
    server.clock().advance(TimeDelta::minutes(61));
    // It counts as gone as soon as its time is up, even before the worker comes.
    let input = json!({ "workspaceId": home.workspace, "iconStorageId": unused });
    ada.mutate_refused("NOT_FOUND", "updateWorkspace", input)
        .await;
    let working = Working::start(&server);
    swept_to(&server, 1).await;
    let response = server.http().get(&url).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    // An icon that is used stays, however long.
    server.clock().advance(TimeDelta::days(400));
    swept_to(&server, 1).await;
    working.stop().await;
    nothing_is_swept(&server).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_former_icon_goes_after_a_week(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let first = uploaded(&server, &ada, png()).await;
    set_icon(&ada, &home.workspace, &first).await;
    server.clock().advance(TimeDelta::days(30));
    let second = uploaded(&server, &ada, another_png(1)).await;
    set_icon(&ada, &home.workspace, &second).await;
    server.clock().advance(TimeDelta::days(6));
    nothing_is_swept(&server).await;
    server.clock().advance(TimeDelta::days(1));
    let working = Working::start(&server);
    swept_to(&server, 1).await;
    let input = json!({ "workspaceId": home.workspace, "iconStorageId": null });
    ada.mutate("updateWorkspace", input, "__typename").await;
    server.clock().advance(TimeDelta::days(7));
    swept_to(&server, 0).await;
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_icon_of_a_workspace_that_is_gone_for_good_goes(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let second = workspace(&ada, &home.organization, "Second").await;
    for (workspace, bytes) in [(&home.workspace, png()), (&second, another_png(1))] {
        let icon = uploaded(&server, &ada, bytes).await;
        set_icon(&ada, workspace, &icon).await;
    }
    let gone: WorkspaceId = second.parse().expect("an id");
    server
        .app()
        .db
        .transaction(async |tx| {
            let row = workspaces::table.find(gone);
            tenantry::run!(tx, diesel::delete(row).execute(tx).await)?;
            Ok(())
        })
        .await
        .expect("the workspace can be deleted");
    let working = Working::start(&server);
    swept_to(&server, 1).await;
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_left_behind_goes(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let kept = uploaded(&server, &ada, png()).await;
    // A server recorded what it was about to store, and died before, while and after storing it.
    let now = server.app().now();
    let due_at = now.plus(TimeDelta::hours(1));
    let objects: Vec<_> = (0..3).map(|_| ObjectId::new(now.to_utc())).collect();
    for id in &objects {
        discard(&server, *id, due_at).await;
    }
    let store = &server.app().files;
    store.put(objects[1], png().into()).await.expect("stored");
    let whole = stored(&server);
    let whole = whole
        .iter()
        .find(|path| path.ends_with(objects[1].uuid().to_string()))
        .expect("what was stored");
    let unfinished = whole.with_file_name(format!("{}#1", objects[2].uuid()));
    fs::write(unfinished, &png()[..20]).expect("written");
    assert_eq!(stored(&server).len(), 3);
    server.clock().advance(TimeDelta::minutes(59));
    nothing_is_swept(&server).await;
    server.clock().advance(TimeDelta::minutes(1));
    let working = Working::start(&server);
    swept_to(&server, 1).await;
    working.stop().await;
    let home = home(&ada, "Rocket").await;
    set_icon(&ada, &home.workspace, &kept).await;
}
