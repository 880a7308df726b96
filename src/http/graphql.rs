//! `/graphql`: GraphQL over HTTP.
//!
//! <https://graphql.github.io/graphql-over-http/draft/>

use std::time::{Duration, Instant as Begun};

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State as Extract};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CONNECTION, CONTENT_TYPE, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;
use tokio::time::timeout;

use super::accept::{Media, Streaming, wants_html};
use super::budget::Payer;
use super::client::Client;
use super::operation::{
    Checked, Refusal, codes, errors, execute, execute_for_recalled, failed, prepare,
};
use super::params::Params;
use super::request_id::{Outcome, RequestId};
use super::state::State;
use super::subscription::{Credentials, sse, ws};
use super::{origin, playground};
use crate::auth::Refused;
use crate::error::{Error, ErrorCode};
use crate::graphql::{RequestContext, finish, is_request_error};

/// `GET /schema.graphql`: the SDL.
pub async fn sdl(Extract(state): Extract<State>) -> Response {
    (
        [(CONTENT_TYPE, "text/plain; charset=utf-8")],
        state.schema.sdl(),
    )
        .into_response()
}

/// `GET /graphql`: a query in the URL, the playground for a browser, or a socket.
pub async fn get(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return open_socket(state, id, client, &headers, upgrade);
    }
    if state.app.config.playground.enabled && wants_html(&headers) {
        return playground::page();
    }
    let reply = Reply::new(&headers, id);
    answer_url(&state, reply, client, &headers, query.as_deref()).await
}

/// `GET /graphql/ws`: a socket.
pub async fn socket(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    headers: HeaderMap,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return open_socket(state, id, client, &headers, upgrade);
    }
    let message = "Open a WebSocket here, with the subprotocol graphql-transport-ws.";
    let reply = Reply::new(&headers, id);
    let mut response = reply.refuse(StatusCode::UPGRADE_REQUIRED, message);
    response
        .headers_mut()
        .insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}

fn open_socket(
    state: State,
    id: RequestId,
    client: Client,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !origin::may_open_socket(&state.app.config, headers) {
        let message = "Pages of this origin may not open a socket here.";
        return Reply::new(headers, id).refuse(StatusCode::FORBIDDEN, message);
    }
    let credentials = Credentials::of(headers.get(AUTHORIZATION));
    ws::open(state, credentials, client, id, upgrade)
}

/// `GET /graphql/stream`: an operation in the URL, answered by a stream of events.
pub async fn stream_get(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let reply = Reply::stream(&headers, id);
    answer_url(&state, reply, client, &headers, query.as_deref()).await
}

/// `POST /graphql`: an operation in a JSON document.
pub async fn post(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer_body(&state, Reply::new(&headers, id), client, &headers, body).await
}

/// `POST /graphql/stream`: an operation in a JSON document, answered by a stream of events.
pub async fn stream_post(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer_body(&state, Reply::stream(&headers, id), client, &headers, body).await
}

async fn answer_url(
    state: &State,
    reply: Reply,
    client: Client,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Response {
    match Params::of_query(query.unwrap_or_default()) {
        Ok(params) => answer(state, reply, client, headers, params, Method::Get).await,
        Err(refusal) => reply.refuse(StatusCode::BAD_REQUEST, refusal),
    }
}

async fn answer_body(
    state: &State,
    reply: Reply,
    client: Client,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    // Forms and plain text can be sent from any page without asking first, so they are refused.
    if !is_json(headers) {
        let message = "Send the request as application/json.";
        return reply.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let http = &state.app.config.http;
    let time = Duration::from_secs(http.body_timeout_seconds);
    let Ok(body) = timeout(time, to_bytes(body, http.max_body_bytes)).await else {
        return reply.too_slow();
    };
    let Ok(body) = body else {
        return reply.refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request's body is too long.",
        );
    };
    match Params::of_json(&body) {
        Ok(params) => answer(state, reply, client, headers, params, Method::Post).await,
        Err(refusal) => reply.refuse(StatusCode::BAD_REQUEST, refusal),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

async fn answer(
    state: &State,
    reply: Reply,
    client: Client,
    headers: &HeaderMap,
    params: Params,
    method: Method,
) -> Response {
    let now = state.app.now();
    if reply.media.is_none() && reply.streaming != Streaming::Always {
        let message =
            "Accept application/json, application/graphql-response+json or text/event-stream.";
        return reply.refuse(StatusCode::NOT_ACCEPTABLE, message);
    }
    let credentials = Credentials::of(headers.get(AUTHORIZATION));
    let recalled = credentials.recall(state);
    let mut viewer = match &recalled {
        Some(recalled) => Ok(recalled.viewer().clone()),
        None => match credentials.authenticate(state).await {
            Ok(viewer) => viewer,
            Err(refused) => return reply.unauthenticated(refused),
        },
    };
    let payer = Payer::of(&viewer, client);
    let (request, checked) = match prepare(state, params, payer, &reply.id) {
        Ok(prepared) => prepared,
        Err(refusal) if reply.streaming == Streaming::Always => return sse::refuse(refusal),
        Err(refusal) => return reply.refuse_document(refusal),
    };
    let kind = checked.kind;
    let is_stream = match reply.streaming {
        Streaming::Never => false,
        Streaming::Subscriptions => kind == OperationType::Subscription,
        Streaming::Always => true,
    };
    let is_read = kind == OperationType::Query || is_stream && kind == OperationType::Subscription;
    if method == Method::Get && !is_read {
        let message = "Only queries can be sent by GET.";
        let mut response = reply.refuse(StatusCode::METHOD_NOT_ALLOWED, message);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let begun = Begun::now();
    let recalled = match recalled {
        // Whoever only asks is confirmed beside being answered.
        Some(recalled) if kind == OperationType::Query && !is_stream => Some(recalled),
        Some(_) => {
            viewer = match credentials.authenticate(state).await {
                Ok(viewer) => viewer,
                Err(refused) => return reply.refuse_checked(state, &checked, begun, refused),
            };
            None
        }
        None => None,
    };
    let operation = checked.name.clone();
    let viewer_id = viewer.as_ref().ok().map(|viewer| viewer.id().to_string());
    if is_stream {
        let mut response = sse::answer(state, credentials, viewer, request, checked, now, reply.id);
        response.extensions_mut().insert(Outcome {
            operation,
            viewer: viewer_id,
            errors: Vec::new(),
        });
        return response;
    }
    let (mut reply, errors) = match checked.known_answer(state) {
        Some(answer) => (reply.body(StatusCode::OK, answer), Vec::new()),
        None => {
            let executed = match &recalled {
                Some(recalled) => {
                    execute_for_recalled(state, request, &credentials, recalled, now, &checked)
                        .await
                }
                None => {
                    let context = RequestContext::new(&state.app, viewer, now, kind);
                    Ok(execute(state, request, context, &checked).await)
                }
            };
            if kind == OperationType::Mutation {
                credentials.forget(state);
            }
            let mut response = match executed {
                Ok(response) => response,
                Err(refused) => return reply.refuse_checked(state, &checked, begun, refused),
            };
            let limited = retry_after(&response);
            finish(&mut response, &reply.id.0);
            checked.keep_answer(state, &response);
            (reply.graphql(&response, limited), codes(&response))
        }
    };
    checked.count(state, &errors, begun.elapsed());
    reply.extensions_mut().insert(Outcome {
        operation,
        viewer: viewer_id,
        errors,
    });
    reply
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = value
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}

/// The longest wait of the errors that say when to try again.
fn retry_after(response: &GraphqlResponse) -> Option<i64> {
    let waits = response
        .errors
        .iter()
        .filter_map(|error| error.source::<Error>());
    waits.filter_map(Error::retry_after_seconds).max()
}

/// How the reply is to be given.
struct Reply {
    media: Option<Media>,
    streaming: Streaming,
    id: RequestId,
}

impl Reply {
    fn new(headers: &HeaderMap, id: RequestId) -> Self {
        Self {
            media: Media::of(headers),
            streaming: Streaming::of(headers),
            id,
        }
    }

    /// A stream of events, whatever the client says that it takes.
    fn stream(headers: &HeaderMap, id: RequestId) -> Self {
        Self {
            streaming: Streaming::Always,
            ..Self::new(headers, id)
        }
    }

    /// A reply of GraphQL, whether it succeeded or not.
    fn graphql(&self, response: &GraphqlResponse, retry_after: Option<i64>) -> Response {
        let mut reply = if is_request_error(response) {
            let may_be_sent_again = response.errors.iter().any(|error| {
                has_code(error, ErrorCode::Timeout) || has_code(error, ErrorCode::RateLimited)
            });
            let status = match self.media {
                Some(Media::Response) if !may_be_sent_again => StatusCode::BAD_REQUEST,
                _ => StatusCode::OK,
            };
            // A request that failed before it was executed has no `data`, not even `null`.
            let mut body = json!({ "errors": response.errors });
            if !response.extensions.is_empty() {
                body["extensions"] = json!(response.extensions);
            }
            self.json(status, &body)
        } else {
            self.json(StatusCode::OK, response)
        };
        if let Some(seconds) = retry_after {
            reply
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }

    /// The request is no GraphQL request.
    fn refuse(&self, status: StatusCode, message: &str) -> Response {
        self.json(status, &errors(ErrorCode::GraphqlValidationFailed, message))
    }

    /// The request's body did not arrive in time.
    fn too_slow(&self) -> Response {
        let message = "The request's body took too long.";
        let body = errors(ErrorCode::Timeout, message);
        let mut response = self.json(StatusCode::REQUEST_TIMEOUT, &body);
        // What is left of it is not waited for.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        response
    }

    /// The document cannot be run.
    fn refuse_document(&self, (code, message): Refusal) -> Response {
        let status = match self.media {
            // Of a document whose hash is another's.
            _ if code == ErrorCode::InvalidInput => StatusCode::BAD_REQUEST,
            Some(Media::Response) => StatusCode::BAD_REQUEST,
            Some(Media::Json) | None => StatusCode::OK,
        };
        self.json(status, &errors(code, &message))
    }

    /// The credentials of an operation turned out not to be good any more.
    fn refuse_checked(
        &self,
        state: &State,
        checked: &Checked,
        begun: Begun,
        refused: Refused,
    ) -> Response {
        let code = match &refused {
            Refused::Invalid(_) => ErrorCode::Unauthenticated,
            Refused::Failed(error) => error.code(),
        };
        checked.count(state, &[code.as_str().to_owned()], begun.elapsed());
        self.unauthenticated(refused)
    }

    fn unauthenticated(&self, refused: Refused) -> Response {
        match refused {
            Refused::Invalid(reason) => {
                tracing::info!(reason, "credentials refused");
                let message = "The credentials are not valid.";
                let body = errors(ErrorCode::Unauthenticated, message);
                let mut response = self.json(StatusCode::UNAUTHORIZED, &body);
                let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                response
            }
            Refused::Failed(error) => {
                let status = match error.code() {
                    ErrorCode::Unavailable | ErrorCode::Timeout => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                let mut response = failed(error);
                finish(&mut response, &self.id.0);
                self.json(status, &json!({ "errors": response.errors }))
            }
        }
    }

    fn json(&self, status: StatusCode, body: &impl serde::Serialize) -> Response {
        match serde_json::to_vec(body) {
            Ok(body) => self.body(status, body.into()),
            // Nothing in a reply fails to serialize: its keys are strings, its numbers finite.
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    fn body(&self, status: StatusCode, body: Bytes) -> Response {
        let media = self.media.unwrap_or(Media::Json).content_type();
        (status, [(CONTENT_TYPE, media)], body).into_response()
    }
}

fn has_code(error: &ServerError, code: ErrorCode) -> bool {
    let found = error
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get("code"));
    found == Some(&Value::from(code.as_str()))
}
