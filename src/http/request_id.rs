//! Request ids, traces, and the log line of each request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State as Extract};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use futures_util::FutureExt;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::client::{Client, Peer, client_of};
use super::operation::failure;
use crate::config::Config;
use crate::error::ErrorCode;
use crate::telemetry::{self, Trace};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, as an extension for its handlers.
#[derive(Clone, Debug)]
pub struct RequestId {
    /// The id as it appears in the log and in replies.
    pub text: String,
    /// The parent of its operations' spans.
    pub trace: Trace,
}

/// What the GraphQL endpoint adds to a request's log line, as an extension of its reply.
#[derive(Clone, Default)]
pub struct LogLine {
    /// The operation's name, if it has one.
    pub operation: Option<String>,
    /// The id of the user who made the request, if signed in.
    pub viewer: Option<String>,
    /// The codes of its errors.
    pub errors: Vec<String>,
}

impl LogLine {
    /// The entry for a request that was refused before an operation was known.
    pub fn refused(code: ErrorCode) -> Self {
        Self {
            errors: vec![code.as_str().to_owned()],
            ..Self::default()
        }
    }
}

/// Gives each request an id, unless it brings a sane one, puts the id on the reply, and logs the request
/// when it is over.
pub async fn layer(
    Extract(config): Extract<Arc<Config>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let id = request
        .headers()
        .get(&HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sane(id))
        .map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let traced = telemetry::request(request.method(), route, request.headers(), &id);
    let trace = Trace::below(&traced);
    let trace_id = trace.id();
    let text = id.clone();
    request.extensions_mut().insert(RequestId { text, trace });
    let client = request.extensions().get::<Peer>().map(|peer| {
        let trusted = &config.http.trusted_proxies;
        client_of(*peer, request.headers(), trusted)
    });
    if let Some(client) = client {
        request.extensions_mut().insert(Client(client));
    }
    let mut line = Line {
        span: tracing::info_span!("request", request_id = %id),
        method: request.method().clone(),
        path: telemetry::short(request.uri().path()).to_owned(),
        client: client.map(|client| client.to_string()),
        trace_id,
        is_probe: is_probe(route),
        begun: Instant::now(),
        answer: None,
    };
    let answering = next.run(request).instrument(line.span.clone());
    let mut response = answering.await;
    telemetry::answered(&traced, response.status().as_u16());
    drop(traced);
    let added = response.extensions_mut().remove::<LogLine>();
    line.answer = Some((response.status(), added));
    drop(line);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

/// The log line of a request. Dropping it writes the line: when the request is answered, or when its
/// client disconnects before.
struct Line {
    span: Span,
    method: Method,
    path: String,
    client: Option<String>,
    trace_id: Option<String>,
    is_probe: bool,
    begun: Instant,
    /// The status, and what the GraphQL endpoint adds.
    answer: Option<(StatusCode, Option<LogLine>)>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let duration_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Self {
            method,
            path,
            client,
            trace_id,
            ..
        } = self;
        let _entered = self.span.enter();
        let Some((status, added)) = &self.answer else {
            tracing::info!(%method, path, duration_ms, client, trace_id, "the client is gone");
            return;
        };
        let status = status.as_u16();
        match added {
            // Probes come every few seconds.
            None if self.is_probe => {
                tracing::debug!(%method, path, status, duration_ms, client, trace_id);
            }
            None => tracing::info!(%method, path, status, duration_ms, client, trace_id),
            Some(LogLine {
                operation,
                viewer,
                errors,
            }) => {
                let errors = Some(errors.join(",")).filter(|errors| !errors.is_empty());
                tracing::info!(
                    %method,
                    path,
                    status,
                    duration_ms,
                    client,
                    operation,
                    viewer,
                    errors,
                    trace_id,
                );
            }
        }
    }
}

/// Whether the route is for monitoring.
fn is_probe(route: Option<&str>) -> bool {
    matches!(route, Some("/healthz" | "/readyz" | "/metrics"))
}

/// Whether the id is short, and safe to log.
fn is_sane(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=128).contains(&id.len()) && id.bytes().all(fits)
}

/// Replies in place of a handler that panicked. The panic itself is logged elsewhere.
pub async fn catch(
    Extension(id): Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answered.unwrap_or_else(|_| {
        let (status, code, body) = failure(anyhow!("a handler panicked").into(), &id);
        let mut response = (status, Json(body)).into_response();
        response.extensions_mut().insert(LogLine::refused(code));
        response
    })
}
