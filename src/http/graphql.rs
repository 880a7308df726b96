//! `/graphql`: GraphQL over HTTP.
//!
//! <https://graphql.github.io/graphql-over-http/draft/>

use std::time::{Duration, Instant};

use async_graphql::Response as GraphqlResponse;
use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State as Extract};
use axum::http::header::{ALLOW, CONTENT_TYPE, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::accept::{Streaming, wants_html};
use super::budget::Payer;
use super::client::Client;
use super::operation::{codes, execute, prepare};
use super::origin;
use super::params::Params;
use super::recalled::execute_for_recalled;
use super::reply::Reply;
use super::request_id::{Outcome, RequestId};
use super::state::State;
use super::subscription::{Credentials, sse, ws};
use crate::error::Error;
use crate::graphql::{RequestContext, finish, own};

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
        return open_socket(state, id, client, &headers, upgrade).await;
    }
    if state.app.config.playground.enabled && wants_html(&headers) {
        return state.playground.page();
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
        return open_socket(state, id, client, &headers, upgrade).await;
    }
    let message = "Open a WebSocket here, with the subprotocol graphql-transport-ws.";
    let reply = Reply::new(&headers, id);
    let mut response = reply.refuse(StatusCode::UPGRADE_REQUIRED, message);
    response
        .headers_mut()
        .insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}

async fn open_socket(
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
    let credentials = Credentials::of(headers);
    // Asked for again when the client signs in: it may take until then, or come with others.
    if let Err(refused) = credentials.authenticate(&state).await {
        return Reply::new(headers, id).unauthenticated(refused);
    }
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
    let credentials = Credentials::of(headers);
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
        Err(refusal) => {
            // Credentials that are not good any more come before what is wrong with the document.
            if recalled.is_some()
                && let Err(refused) = credentials.authenticate(state).await
            {
                return reply.unauthenticated(refused);
            }
            return match reply.streaming {
                Streaming::Always => sse::refuse(&refusal),
                _ => reply.refuse_document(&refusal),
            };
        }
    };
    let begun = Instant::now();
    let kind = checked.kind;
    let is_stream = match reply.streaming {
        Streaming::Never => false,
        Streaming::Subscriptions => kind == OperationType::Subscription,
        Streaming::Always => true,
    };
    let known = checked.known_answer(state);
    let recalled = match recalled {
        // Whoever only asks is confirmed beside being answered, or was just now. What the schema is takes no
        // waiting that could be used, and is large to keep meanwhile.
        Some(recalled)
            if kind == OperationType::Query
                && !is_stream
                && (!checked.is_about_schema || known.is_some() && recalled.is_fresh()) =>
        {
            Some(recalled)
        }
        Some(_) => {
            viewer = match credentials.authenticate(state).await {
                Ok(viewer) => viewer,
                Err(refused) => return reply.refuse_checked(state, &checked, begun, refused),
            };
            None
        }
        None => None,
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
    // Had until the answer is kept.
    let turn = match known {
        Some(_) => None,
        None => checked.take_turn(state).await,
    };
    let known = match turn {
        Some(_) => checked.known_answer(state),
        None => known,
    };
    let (mut reply, errors) = match known {
        Some(answer) => (reply.body(StatusCode::OK, answer), Vec::new()),
        None => {
            let executed = match &recalled {
                Some(recalled) => {
                    execute_for_recalled(state, request, &credentials, recalled, now, &checked)
                        .await
                }
                None => {
                    let context = RequestContext::new(&state.app, viewer, now, kind);
                    Ok(execute(state, request, context, &credentials, &checked).await)
                }
            };
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
    let waits = response.errors.iter().filter_map(own);
    waits.filter_map(Error::retry_after_seconds).max()
}
