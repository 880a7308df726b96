//! Uploading files.

use bytes::Bytes;
use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::File;
use super::object::{discard, forget_discarded, keep};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::{Error, ErrorCode, Result};
use crate::files::{Image, ObjectId, SigningKey};
use crate::id::FileId;
use crate::models::rate_limit::{self, Rule};
use crate::models::{secret, user};
use crate::run;
use crate::schema::files;

/// How long an upload URL is valid.
const URL_MINUTES: i64 = 15;
/// How long an unused file is kept.
const UNUSED_DAYS: u32 = 1;
/// How long an object is kept that was stored for a file but not taken over by it: far longer than
/// storing it may take.
const UNCLAIMED_HOURS: i64 = 1;

/// The name of the key that signs upload URLs.
const KEY: &str = "uploads";

/// What a client needs to upload a file.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The file's id.
    pub id: FileId,
    /// Accepts the file by PUT, once. It is a secret: whoever has it needs nothing else.
    pub url: String,
    /// When it expires.
    pub expires_at: Instant,
}

/// Creates a URL with which the viewer can upload a file.
///
/// # Errors
/// `RATE_LIMITED`.
pub async fn offer(app: &App, viewer: &Viewer) -> Result<Upload> {
    let now = app.now();
    let id = FileId::new(now.to_utc());
    // The URL carries whole seconds.
    let expires = now.micros() / 1_000_000 + URL_MINUTES * 60;
    let expires_at = now.plus(TimeDelta::minutes(URL_MINUTES));
    let expires_at = Instant::from_micros(expires * 1_000_000).unwrap_or(expires_at);
    let (written, expires) = (id.to_string(), expires.to_string());
    let signature = key(app).await?.sign(&written, &expires);
    let url = app.url_of(&format!(
        "uploads/{written}?expires={expires}&signature={signature}"
    ));
    let rule = Rule {
        name: "uploads",
        limit: app.config.limits.uploads_per_hour,
        window: TimeDelta::hours(1),
    };
    let file = File {
        id,
        uploaded_by: Some(viewer.id()),
        object_id: None,
        format: None,
        bytes: None,
        width: None,
        height: None,
        workspace_id: None,
        used_at: None,
        expires_at,
        kept_until: now.plus_days(UNUSED_DAYS),
        created_at: now,
    };
    app.db
        .transaction(async |tx| {
            user::lock_row(tx, viewer.id()).await?;
            rate_limit::hit(tx, app, &rule, viewer.id(), now).await?;
            run!(
                tx,
                diesel::insert_into(files::table)
                    .values(&file)
                    .execute(tx)
                    .await
            )?;
            Ok(())
        })
        .await?;
    Ok(Upload {
        id,
        url,
        expires_at,
    })
}

/// Returns the file that may be uploaded now by a URL with these parts, or `None` unless the URL is
/// exactly one that was handed out and has not expired.
///
/// # Errors
/// Database errors only.
pub async fn allows(
    app: &App,
    file: &str,
    expires: &str,
    signature: &str,
) -> Result<Option<FileId>> {
    if !key(app).await?.verify(file, expires, signature) {
        return Ok(None);
    }
    let expires: Option<i64> = expires.parse().ok();
    let is_over = expires.is_none_or(|expires| app.now().micros() / 1_000_000 >= expires);
    Ok(file.parse().ok().filter(|_| !is_over))
}

async fn key(app: &App) -> Result<&SigningKey> {
    let read = async || {
        let new = || SigningKey::generate().map(|key| key.to_hex());
        let key = SigningKey::from_hex(&secret::shared(app, KEY, new).await?);
        key.ok_or_else(|| anyhow::anyhow!("the stored key for signing uploads is not valid").into())
    };
    app.upload_key().get_or_try_init(read).await
}

/// Stores an upload, already checked to be an image, as the file's content, once. Must run to its end
/// even if the client disconnects.
///
/// # Errors
/// `NOT_FOUND` if the file does not exist any more; `CONFLICT` if it was uploaded before; `UNAVAILABLE`
/// if the store fails or takes too long. In each case nothing is left in the store, or not for long.
pub async fn receive(app: &App, id: FileId, image: Image, bytes: Bytes) -> Result<()> {
    let now = app.now();
    let object = ObjectId::new(now.to_utc());
    let due_at = now.plus(TimeDelta::hours(UNCLAIMED_HOURS));
    let length = i32::try_from(bytes.len()).map_err(anyhow::Error::from)?;
    app.db
        .transaction(async |tx| {
            check_awaited(tx, id, now).await?;
            discard(tx, &[object], due_at).await
        })
        .await?;
    if let Err(error) = app.files.put(object, bytes).await {
        tracing::error!(file = %id, "an upload could not be stored: {error:#}");
        let message = "The file cannot be stored right now; try again later.";
        return Err(Error::Refused(ErrorCode::Unavailable, message.into()));
    }
    let taken = app
        .db
        .transaction(async |tx| {
            check_awaited(tx, id, now).await?;
            if !keep(tx, object, due_at).await? {
                let message = "Storing the file took too long; try again.";
                return Err(Error::Refused(ErrorCode::Unavailable, message.into()));
            }
            let awaited = files::table.find(id).filter(files::object_id.is_null());
            let taken = run!(
                tx,
                diesel::update(awaited)
                    .set((
                        files::object_id.eq(object),
                        files::format.eq(image.format),
                        files::bytes.eq(length),
                        files::width.eq(i32::try_from(image.width).ok()),
                        files::height.eq(i32::try_from(image.height).ok()),
                        files::kept_until.eq(app.now().plus_days(UNUSED_DAYS)),
                    ))
                    .execute(tx)
                    .await
            )?;
            if taken == 0 { Err(used()) } else { Ok(()) }
        })
        .await;
    // Only a refusal makes certain that the file has not taken the object over: if the connection broke,
    // the transaction may have been committed.
    if let Err(Error::Refused(..)) = taken {
        take_back(app, object).await;
    }
    taken
}

/// Deletes an object that was stored in vain. If that fails, it is deleted once due.
async fn take_back(app: &App, object: ObjectId) {
    let deleted = async {
        app.files.delete(object).await?;
        let forget = async |tx: &mut Transaction| forget_discarded(tx, &[object]).await;
        app.db.transaction(forget).await
    };
    if let Err(error) = deleted.await {
        tracing::warn!(
            error = error.details(),
            "an object stays in the store until it is swept"
        );
    }
}

/// Refuses a file that does not exist or has been uploaded already.
async fn check_awaited(tx: &mut Transaction, id: FileId, now: Instant) -> Result<()> {
    let found: Option<(Option<ObjectId>, Instant)> = run!(
        tx,
        files::table
            .find(id)
            .select((files::object_id, files::kept_until))
            .first(tx)
            .await
            .optional()
    )?;
    match found {
        Some((Some(_), _)) => Err(used()),
        Some((None, kept_until)) if kept_until > now => Ok(()),
        Some(_) | None => Err(Error::not_found()),
    }
}

fn used() -> Error {
    Error::conflict("A file has already been uploaded to this URL.")
}
