//! `/graphql`: GraphQL over HTTP.
//!
//! <https://graphql.github.io/graphql-over-http/draft/>

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State as Extract};
use axum::http::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::accept::wants_html;
use super::body::{Incoming, Unread};
use super::client::Client;
use super::credentials::Credentials;
use super::exchange::{Exchange, Method};
use super::origin;
use super::params::Params;
use super::reply::Reply;
use super::request_id::RequestId;
use super::state::State;
use super::subscription::ws;

/// `GET /schema.graphql`: the SDL, or 404 if introspection is disabled.
pub async fn sdl(Extract(state): Extract<State>) -> Response {
    match state.sdl {
        Some(sdl) => ([(CONTENT_TYPE, "text/plain; charset=utf-8")], sdl).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /graphql`: a query in the URL, the playground for a browser, or a WebSocket.
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

/// `GET /graphql/ws`: a WebSocket.
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
    // RFC 9110 §15.5.22 and §7.8, RFC 6455 §4.4.
    let required = [
        (UPGRADE, "websocket"),
        (CONNECTION, "upgrade"),
        (SEC_WEBSOCKET_VERSION, "13"),
    ];
    for (name, value) in required {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
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
    // Checked again when the client signs in: these may have expired by then, or others may be given.
    if let Err(refused) = credentials.authenticate(&state).await {
        return Reply::new(headers, id).unauthenticated(refused);
    }
    ws::open(state, credentials, client, id, upgrade)
}

/// `GET /graphql/stream`: an operation in the URL, answered by an event stream.
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

/// `POST /graphql/stream`: an operation in a JSON document, answered by an event stream.
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
        Ok(params) => {
            let exchange = Exchange::new(state, reply, client, headers, Method::Get);
            exchange.answer(params).await
        }
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
    let mut body = Incoming::new(headers, body);
    // Any page can send forms and plain text without a CORS preflight, so they are refused.
    if !is_json(headers) {
        body.drain().await;
        let message = "Send the request as application/json.";
        return reply.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let http = &state.app.config.http;
    let time = Duration::from_secs(http.body_timeout_seconds);
    let Ok(received) = timeout(time, body.read(http.max_body_bytes)).await else {
        return reply.too_slow();
    };
    let received = match received {
        Ok(received) => received,
        Err(Unread::TooLong) => {
            body.drain().await;
            let message = "The request's body is too long.";
            return reply.refuse(StatusCode::PAYLOAD_TOO_LARGE, message);
        }
        Err(Unread::CutOff) => {
            let message = "The request's body was cut off.";
            return reply.refuse(StatusCode::BAD_REQUEST, message);
        }
    };
    match Params::of_json(&received) {
        Ok(params) => {
            let exchange = Exchange::new(state, reply, client, headers, Method::Post);
            exchange.answer(params).await
        }
        Err(refusal) => reply.refuse(StatusCode::BAD_REQUEST, refusal),
    }
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
