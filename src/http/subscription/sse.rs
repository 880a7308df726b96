//! GraphQL over server-sent events, in "distinct connections" mode: a request is answered with the
//! stream of its results.
//!
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>

use std::convert::Infallible;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::Instrument;

use super::run::{Operation, Outlet, Output, Stopped};
use super::stopped;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::graphql::{RequestContext, SignedOut};
use crate::http::refusal::Refusal;
use crate::http::request_id::{LogLine, RequestId};
use crate::http::state::State;
use crate::metrics::{Counted, Transport};

/// How many results may be queued for a slow reader before the operation has to wait.
const QUEUE: usize = 16;
/// A comment, sent on an idle stream so that it is not taken for dead.
const COMMENT: &[u8] = b":\n\n";

/// Returns the event stream for a document that is refused.
pub fn refuse(refusal: &Refusal) -> Response {
    let mut response = respond(Body::from(events(Output::refusal(refusal))));
    response
        .extensions_mut()
        .insert(LogLine::refused(refusal.code));
    response
}

fn respond(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
        // Without this, nginx would buffer the events.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

/// Runs the operation, and returns the event stream of its results.
pub fn answer(
    state: &State,
    viewer: Result<Viewer, SignedOut>,
    operation: Operation,
    arrived: Instant,
) -> Response {
    let (sender, outputs) = mpsc::channel(QUEUE);
    let known = viewer.as_ref().ok().cloned();
    let credentials = operation.credentials.clone();
    let ended = credentials.ended(state.clone(), known).boxed();
    let (kind, id) = (operation.checked.kind, operation.checked.id.clone());
    let context = RequestContext::new(&state.app, viewer, arrived, kind);
    let running = {
        let state = state.clone();
        let running = async move {
            let outlet = Outlet {
                key: (),
                sender,
                patience: Some(state.app.pace.read),
            };
            if let Err(Stopped::SignedOff) = operation.run(&state, context, &outlet).await {
                // Nothing follows, so it does not matter if this fails.
                let _ = outlet.send(Output::signed_off()).await;
            }
        };
        tokio::spawn(running.in_current_span())
    };
    let results = Results {
        outputs,
        running,
        ended,
        stopping: state.stopping.subscribe(),
        _counted: state.app.metrics.stream(Transport::Sse),
        is_over: false,
        is_subscription: kind == OperationType::Subscription,
        silence: state.app.pace.comment,
        id,
    };
    respond(Body::from_stream(results.into_stream()))
}

/// The results of an operation, which is aborted when this is dropped.
struct Results {
    outputs: mpsc::Receiver<((), Output)>,
    running: JoinHandle<()>,
    ended: BoxFuture<'static, ()>,
    stopping: watch::Receiver<bool>,
    _counted: Counted,
    is_over: bool,
    /// Whether it may go on indefinitely, so that a stopping server ends it. Queries and mutations are
    /// finished first.
    is_subscription: bool,
    /// The longest that the stream may be silent.
    silence: Duration,
    id: RequestId,
}

impl Drop for Results {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Results {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut results| async {
            let written = results.next().await?;
            Some((Ok(written.into()), results))
        })
    }

    /// Returns the next bytes to send, or `None` at the end.
    async fn next(&mut self) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        let output = tokio::select! {
            output = self.outputs.recv() => output.map(|((), output)| output),
            () = &mut self.ended => Some(Output::signed_off()),
            // Without a `complete` event, so that clients reconnect.
            () = stopped(&mut self.stopping), if self.is_subscription => return None,
            () = sleep(self.silence) => return Some(COMMENT.to_vec()),
        };
        let output = match output {
            Some(output) => Some(output),
            None => self.broken_off().await,
        };
        self.is_over = output.as_ref().is_none_or(Output::is_last);
        output.map(events)
    }

    /// The output for an operation that ended without a last output.
    async fn broken_off(&mut self) -> Option<Output> {
        match (&mut self.running).await {
            Err(error) if error.is_panic() => Some(Output::failure(&self.id)),
            // It gave up on a reader that was too slow.
            _ => None,
        }
    }
}

/// Writes an output as events. The errors of a refused document are sent as a result too, and the end as
/// an event whose data is present but empty: browsers dispatch no event without data.
fn events(output: Output) -> Vec<u8> {
    const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

    // Compact JSON has no line breaks.
    let next = |data: &str| ["event: next\ndata: ", data, "\n\n"].concat().into_bytes();
    match output {
        Output::Next(result) => next(result.get()),
        Output::Error(errors) => {
            let result = json!({ "errors": errors });
            let mut events = next(&result.to_string());
            events.extend_from_slice(COMPLETE);
            events
        }
        Output::Complete => COMPLETE.to_vec(),
    }
}
