//! Servers that are killed in the middle of an upload, with icons kept in a folder or in a bucket.

use std::process::Stdio;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::Value;
use tenantry::db::types::Instant;
use tenantry::id::FileId;
use tenantry::schema::{discarded_objects, files};
use tokio_postgres::NoTls;

use crate::support::bucket::{ACCESS_KEY, BUCKET, Buckets, SECRET_KEY};
use crate::support::icons::{CONTINUE, Offer, announce, files_in, png, put};
use crate::support::process::{Program, Serving};
use crate::support::raw::Raw;
use crate::support::{Database, Postgres, Sqlite, text, until};

/// Where the icons are kept.
#[derive(Clone, Copy, Debug)]
enum Place {
    Folder,
    Bucket,
}
use Place::{Bucket, Folder};

/// A program, the place where it keeps icons, and a person who uploads some.
struct Scene {
    program: Program,
    place: Place,
    buckets: Buckets,
    http: reqwest::Client,
    token: String,
}

impl Scene {
    async fn new(on: Database, place: Place) -> Self {
        let program = Program::new(on).await;
        Self {
            token: program.token("ada@example.com"),
            program,
            place,
            buckets: Buckets::start().await,
            http: reqwest::Client::new(),
        }
    }

    fn serve(&self) -> Serving {
        let mut command = self.program.command(&[]);
        if let Bucket = self.place {
            command
                .env("TENANTRY_FILES__URL", format!("s3://{BUCKET}"))
                .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
                .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
                .env("AWS_ENDPOINT_URL", &self.buckets.url);
        }
        Serving::start(command.stderr(Stdio::null()))
    }

    async fn offer(&self, serving: &Serving) -> Offer {
        let query = "mutation { generateWorkspaceIconUploadUrl { uploadUrl storageId } }";
        let made = serving.ask(&self.http, &self.token, query).await;
        let made = &made["data"]["generateWorkspaceIconUploadUrl"];
        Offer {
            url: text(made, "uploadUrl"),
            id: text(made, "storageId"),
        }
    }

    /// Every file that is stored, whole or not.
    fn stored(&self) -> Vec<Vec<u8>> {
        match self.place {
            Bucket => self.buckets.objects(""),
            Folder => files_in(&self.program.folder.path().join("data/files"))
                .into_iter()
                // A file that is not whole yet may be renamed in the meantime.
                .filter_map(|path| std::fs::read(path).ok())
                .collect(),
        }
    }

    /// Creates a workspace with that icon.
    async fn create(&self, serving: &Serving, icon: &str) -> Value {
        let input = format!("{{ name: \"Rocket\", iconStorageId: \"{icon}\" }}");
        let query =
            format!("mutation {{ createWorkspace(input: {input}) {{ workspace {{ iconUrl }} }} }}");
        serving.ask(&self.http, &self.token, &query).await
    }

    /// Asserts that the upload came to nothing: the icon can be neither used nor seen.
    async fn is_nothing(&self, serving: &Serving, offer: &Offer) {
        let made = self.create(serving, &offer.id).await;
        assert_eq!(text(&made, "errors.0.extensions.code"), "INVALID_INPUT");
        let url = format!("{}/files/{}/icon.png", serving.url, offer.id);
        let response = self.http.get(&url).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }

    /// Asserts that the URL still works, and that what is uploaded to it now is an icon like any other.
    async fn is_taken_again(&self, serving: &Serving, offer: &Offer) {
        let url = format!("{}{}", serving.url, offer.path());
        let (status, body) = put(&self.http, &url, png(), None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
        let made = self.create(serving, &offer.id).await;
        let url = text(&made, "data.createWorkspace.workspace.iconUrl");
        let response = self.http.get(&url).send().await.expect("an answer");
        assert_eq!(response.bytes().await.expect("a body"), png());
    }

    /// Makes everything that is kept for a time due, and waits until the worker has left a single icon.
    async fn is_swept_to_one(&self) {
        let db = self.program.db();
        let due = db.transaction(async |tx| {
            let past = Instant::from_micros(0).expect("a time");
            let kept = diesel::update(files::table).set(files::kept_until.eq(past));
            tenantry::run!(tx, kept.execute(tx).await)?;
            let due = diesel::update(discarded_objects::table);
            let due = due.set(discarded_objects::due_at.eq(past));
            tenantry::run!(tx, due.execute(tx).await)?;
            Ok(())
        });
        due.await.expect("the times can be written");
        let mut conn = db.read().await.expect("a connection");
        let conn = &mut conn;
        until("one icon is left", async || {
            let known = tenantry::run!(conn, files::table.count().get_result::<i64>(conn).await);
            let objects = discarded_objects::table.count();
            let discarded = tenantry::run!(conn, objects.get_result::<i64>(conn).await);
            (known, discarded) == (Ok(1), Ok(0))
        })
        .await;
        assert_eq!(self.stored(), [png()]);
    }

    /// Kills the server after it has stored the upload and before it has recorded that.
    async fn kill_once_stored(&self, serving: Serving, offer: &Offer) {
        match self.place {
            Bucket => {
                self.buckets.fall_silent();
                let upload = begin(&serving, offer, &png()).await;
                self.buckets.done().await;
                serving.kill();
                drop(upload);
                self.buckets.speak();
            }
            Folder => {
                let id: FileId = offer.id.parse().expect("an id");
                let database = self.program.database.as_ref().expect("PostgreSQL");
                let connected = tokio_postgres::connect(database.url(), NoTls).await;
                let (client, connection) = connected.expect("it can be reached");
                let connection = tokio::spawn(connection);
                // The server waits when it is about to update the row.
                let id = id.uuid();
                let lock = format!("BEGIN; SELECT FROM files WHERE id = '{id}' FOR UPDATE");
                client.batch_execute(&lock).await.expect("a lock");
                let upload = begin(&serving, offer, &png()).await;
                until("it is stored", async || self.stored() == [png()]).await;
                serving.kill();
                drop((upload, client));
                let ended = connection.await.expect("no panic");
                ended.expect("the connection ends well");
            }
        }
        assert_eq!(self.stored(), [png()]);
    }
}

/// Uploads the beginning of a picture; on return, the server has begun to read it.
async fn begin(serving: &Serving, offer: &Offer, bytes: &[u8]) -> Raw {
    let (mut raw, head) = announce(&serving.url, offer, png().len(), &[]).await;
    assert!(head.starts_with(CONTINUE), "{head}");
    raw.send_bytes(bytes).await;
    raw
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_amid_a_body_has_taken_nothing(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(Folder, Bucket)] place: Place,
) {
    let scene = Scene::new(on, place).await;
    let first = scene.serve();
    let (again, never) = (scene.offer(&first).await, scene.offer(&first).await);
    let half = &png()[..png().len() / 2];
    let _uploads = (
        begin(&first, &again, half).await,
        begin(&first, &never, half).await,
    );
    first.kill();
    assert!(scene.stored().is_empty());
    let second = scene.serve();
    scene.is_nothing(&second, &again).await;
    scene.is_nothing(&second, &never).await;
    assert!(scene.stored().is_empty());
    scene.is_taken_again(&second, &again).await;
    scene.is_swept_to_one().await;
}

#[rstest]
#[case(Sqlite, Bucket)]
#[case(Postgres, Bucket)]
#[case(Postgres, Folder)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_stored_and_did_not_write_down_is_nothing(
    #[case] on: Database,
    #[case] place: Place,
) {
    let scene = Scene::new(on, place).await;
    if let (Folder, None) = (place, &scene.program.database) {
        // Without PostgreSQL there is nothing to wait on: SQLite has no row locks.
        return;
    }
    let first = scene.serve();
    let offer = scene.offer(&first).await;
    scene.kill_once_stored(first, &offer).await;
    let second = scene.serve();
    scene.is_nothing(&second, &offer).await;
    scene.is_taken_again(&second, &offer).await;
    assert_eq!(scene.stored().len(), 2);
    scene.is_swept_to_one().await;
}
