//! `/uploads` and `/files`: uploading and serving icons.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State as Extract};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::sync::Semaphore;

use super::body::{Incoming, Unread};
use super::client::{Client, accountable};
use super::operation::{errors, failure};
use super::places::{Place, Places};
use super::request_id::{LogLine, RequestId};
use super::state::State;
use crate::error::{Error, ErrorCode};
use crate::files::{Content, Image, MAX_BYTES, Refusal, check};
use crate::id::FileId;
use crate::models::file::{self, Served};

/// The longest an upload may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many uploads may be under way at the same time, of all clients.
const AT_ONCE: usize = 32;
/// How many of them may come from one address.
const AT_ONCE_OF_ADDRESS: usize = 16;
/// When a client with too many may try again. Most uploads take less.
const PAUSE: Duration = Duration::from_secs(2);

/// Limits how many uploads are under way, how many are held in memory, and how many are decoded, at the
/// same time.
pub struct Uploads {
    of_files: Arc<Places<FileId>>,
    of_addresses: Arc<Places<IpAddr>>,
    held: Arc<Semaphore>,
    /// Limits decoding, which takes a processor and more memory.
    decoded: Arc<Semaphore>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            of_files: Places::new(1),
            of_addresses: Places::new(AT_ONCE_OF_ADDRESS),
            held: Arc::new(Semaphore::new(AT_ONCE)),
            decoded: Arc::new(Semaphore::new(2)),
        }
    }
}

impl Uploads {
    /// Takes the places of an upload. A URL is good until an upload by it has succeeded, so without
    /// these limits a few slow clients could keep everybody else from uploading.
    ///
    /// # Errors
    /// `CONFLICT` if the file is being uploaded already; `RATE_LIMITED` if the client has too many uploads.
    fn begin(
        &self,
        file: FileId,
        Client(address): Client,
    ) -> Result<(Place<FileId>, Place<IpAddr>), Error> {
        let of_file = self.of_files.take(file).ok_or_else(|| {
            Error::conflict("The file is being uploaded to this URL; try again if that fails.")
        })?;
        let of_address = self.of_addresses.take(accountable(address));
        Ok((of_file, of_address.ok_or(Error::RateLimited(PAUSE))?))
    }
}

/// Why an upload is refused.
enum Refused {
    /// Refused by this module, with its status, code and message.
    Upload(StatusCode, ErrorCode, &'static str),
    /// Refused by the models.
    Error(Error),
}

impl From<Unread> for Refused {
    fn from(unread: Unread) -> Self {
        let (status, message) = match unread {
            Unread::TooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "An icon may have at most 2 MiB.",
            ),
            Unread::CutOff => (StatusCode::BAD_REQUEST, "The upload was cut off."),
        };
        Self::Upload(status, ErrorCode::InvalidInput, message)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// `PUT /uploads/{id}?expires=…&signature=…`: accepts a file, once.
pub async fn upload(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut body = Incoming::new(&headers, body);
    let taken = take(&state, client, path, query.as_deref(), &headers, &mut body).await;
    let Err(refused) = taken else {
        return StatusCode::NO_CONTENT.into_response();
    };
    body.drain().await;
    refuse(refused, &id)
}

async fn take(
    state: &State,
    client: Client,
    path: Result<Path<String>, PathRejection>,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<(), Refused> {
    let file = allowed(state, path, query).await?;
    let places = state.uploads.begin(file, client)?;
    let received = async {
        // The semaphore is never closed, so this only waits.
        let held = state.uploads.held.clone().acquire_owned().await;
        body.read(MAX_BYTES).await.map(|bytes| (bytes, held))
    };
    let Ok(received) = tokio::time::timeout(PATIENCE, received).await else {
        let message = "The upload took too long.";
        return Err(Refused::Upload(
            StatusCode::REQUEST_TIMEOUT,
            ErrorCode::Timeout,
            message,
        ));
    };
    let (bytes, held) = received?;
    let image = look_at(state, bytes.clone(), headers).await?;
    let app = state.app.clone();
    let receiving = async move {
        let _until_stored = (places, held);
        file::receive(&app, file, image, bytes).await
    };
    Ok(state.finish(receiving).await??)
}

/// The file that the signed URL allows to be uploaded.
async fn allowed(
    state: &State,
    path: Result<Path<String>, PathRejection>,
    query: Option<&str>,
) -> Result<FileId, Refused> {
    let (mut expires, mut signature) = (None, None);
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "expires" => expires = Some(value),
            "signature" => signature = Some(value),
            _ => {}
        }
    }
    let (Ok(Path(file)), Some(expires), Some(signature)) = (path, expires, signature) else {
        let message = "Use the URL exactly as generateWorkspaceIconUploadUrl returned it.";
        return Err(Refused::Upload(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidInput,
            message,
        ));
    };
    let allowed = file::allows(&state.app, &file, &expires, &signature).await?;
    allowed.ok_or(Refused::Upload(
        StatusCode::FORBIDDEN,
        ErrorCode::Forbidden,
        "The upload URL is not valid or has expired.",
    ))
}

/// Checks the uploaded image on a blocking thread, since decoding takes long.
async fn look_at(state: &State, bytes: Bytes, headers: &HeaderMap) -> Result<Image, Refused> {
    let declared = headers.get(CONTENT_TYPE);
    let declared = declared.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    // The semaphore is never closed, so this only waits.
    let turn = state.uploads.decoded.clone().acquire_owned().await;
    let looked = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        check(&bytes, declared.as_deref())
    });
    match looked.await {
        Ok(Ok(image)) => Ok(image),
        Ok(Err(Refusal::Type(message))) => Err(Refused::Upload(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::InvalidInput,
            message,
        )),
        Ok(Err(Refusal::Content(message))) => Err(not_an_icon(message)),
        // If the decoder panicked, the bytes are not a valid image.
        Err(_) => Err(not_an_icon("The image is corrupt.")),
    }
}

fn not_an_icon(message: &'static str) -> Refused {
    Refused::Upload(
        StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::InvalidInput,
        message,
    )
}

/// `GET /files/{id}/{name}`: serves an icon, without authentication.
pub async fn download(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let found = match find(&state, path).await {
        Ok(found) => found,
        Err(error) => return refuse(Refused::Error(error), &id),
    };
    let Some((file, served)) = found else {
        return refuse(Refused::Error(Error::not_found()), &id);
    };
    let etag = format!("\"{file}\"");
    let mut reply = if is_known(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match state.app.files.get(served.object).await {
            Ok(Some(content)) => send(file, content),
            Ok(None) => {
                tracing::error!(%file, "a file that the database lists is missing from the store");
                return refuse(Refused::Error(Error::not_found()), &id);
            }
            Err(error) => {
                tracing::error!(%file, "a file cannot be read: {error:#}");
                let message = "The file cannot be read right now; try again later.";
                let error = Error::Refused(ErrorCode::Unavailable, message.into());
                return refuse(Refused::Error(error), &id);
            }
        }
    };
    let fixed = [
        (CONTENT_TYPE, served.format.media_type()),
        // The content behind a URL never changes.
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Should a browser ever render it as a page, the page can do nothing.
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    for (name, value) in fixed {
        let value = HeaderValue::from_static(value);
        reply.headers_mut().insert(name, value);
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        reply.headers_mut().insert(ETAG, etag);
    }
    reply
}

/// Returns a response whose body is read while it is sent. If it cannot be read to its end, the
/// connection is closed before the announced number of bytes is sent, so that no client takes a part for
/// the whole.
fn send(file: FileId, content: Content) -> Response {
    let length = HeaderValue::from(content.length);
    let pieces = content.pieces.inspect_err(move |error| {
        tracing::error!(%file, "a file cannot be read to its end: {error:#}");
    });
    ([(CONTENT_LENGTH, length)], Body::from_stream(pieces)).into_response()
}

/// The icon served under exactly this path, if there is one.
async fn find(
    state: &State,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Option<(FileId, Served)>, Error> {
    let Ok(Path((id, name))) = path else {
        return Ok(None);
    };
    let Ok(id) = id.parse() else {
        return Ok(None);
    };
    let served = file::served(&mut state.app.db.read().await?, id).await?;
    let named = served.filter(|served| served.format.file_name() == name);
    Ok(named.map(|served| (id, served)))
}

/// Whether `If-None-Match` holds the entity tag, so that the client has the current content.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).into_iter();
    let mut tags = tags
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','));
    tags.any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

fn refuse(refused: Refused, id: &RequestId) -> Response {
    let mut retry_after = None;
    let (status, code, body) = match refused {
        Refused::Upload(status, code, message) => (status, code, errors(code, message)),
        Refused::Error(error) => {
            retry_after = error.retry_after_seconds();
            let (status, code, body) = failure(error, id);
            let status = match code {
                ErrorCode::NotFound => StatusCode::NOT_FOUND,
                ErrorCode::Conflict => StatusCode::CONFLICT,
                ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                _ => status,
            };
            (status, code, body)
        }
    };
    let mut response = (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
    if let Some(seconds) = retry_after {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response.extensions_mut().insert(LogLine::refused(code));
    response
}
