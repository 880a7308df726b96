//! GraphQL over server-sent events, in distinct connections: a request is answered by the stream of
//! its results.
//!
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>

use std::convert::Infallible;

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::credentials::Credentials;
use super::run::{Operation, Outlet, Output};
use super::stopped;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::error::ErrorCode;
use crate::graphql::{RequestContext, SignedOut};
use crate::http::operation::Refusal;
use crate::http::request_id::RequestId;
use crate::http::state::State;

/// How many results wait for a slow reader before the operation waits as well.
const QUEUE: usize = 16;
/// nginx would hold the events back.
const BUFFERING: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// The stream of a document that is not run.
pub fn refuse(refusal: Refusal) -> Response {
    let events = events(Output::refusal(refusal)).map(Ok::<_, Infallible>);
    ([BUFFERING], Sse::new(stream::iter(events))).into_response()
}

/// The stream of an operation's results.
pub fn answer(
    state: &State,
    credentials: Credentials,
    viewer: Result<Viewer, SignedOut>,
    request: Request,
    kind: OperationType,
    arrived: Instant,
    id: RequestId,
) -> Response {
    let (sender, outputs) = mpsc::channel(QUEUE);
    let known = viewer.as_ref().ok().cloned();
    let name = known.as_ref().map(|viewer| viewer.id().to_string());
    let ended = credentials.ended(state.clone(), known).boxed();
    let context = RequestContext::new(state.app.clone(), viewer, arrived);
    let running = {
        let (state, id) = (state.clone(), id.clone());
        tokio::spawn(async move {
            let outlet = Outlet {
                key: (),
                sender,
                patience: Some(state.app.pace.read),
            };
            let operation = Operation { request, kind, id };
            operation.run(&state, context, name, &outlet).await;
        })
    };
    let results = Results {
        outputs,
        running,
        ended,
        stopping: state.stopping.subscribe(),
        is_over: false,
        id,
    };
    let comments = KeepAlive::new().interval(state.app.pace.comment);
    let stream = Sse::new(results.into_events()).keep_alive(comments);
    ([BUFFERING], stream).into_response()
}

/// The results of an operation that runs for as long as they are read.
struct Results {
    outputs: mpsc::Receiver<((), Output)>,
    running: JoinHandle<()>,
    ended: BoxFuture<'static, ()>,
    stopping: watch::Receiver<bool>,
    is_over: bool,
    id: RequestId,
}

impl Drop for Results {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Results {
    fn into_events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        use futures_util::StreamExt;

        let outputs = stream::unfold(self, |mut results| async {
            let output = results.next().await?;
            Some((stream::iter(events(output).map(Ok)), results))
        });
        outputs.flatten()
    }

    async fn next(&mut self) -> Option<Output> {
        if self.is_over {
            return None;
        }
        let output = tokio::select! {
            output = self.outputs.recv() => output.map(|((), output)| output),
            () = &mut self.ended => {
                let message = "The credentials are not valid any more.".to_owned();
                Some(Output::refusal((ErrorCode::Unauthenticated, message)))
            }
            // Without a word of completion, so that clients connect again.
            () = stopped(&mut self.stopping) => return None,
        };
        let output = match output {
            Some(output) => Some(output),
            None => self.broken_off().await,
        };
        self.is_over = output.as_ref().is_none_or(Output::is_last);
        output
    }

    /// What to say of an operation that ended without having said so.
    async fn broken_off(&mut self) -> Option<Output> {
        match (&mut self.running).await {
            Err(error) if error.is_panic() => Some(Output::failure(&self.id)),
            // It gave up on a reader that was too slow.
            _ => None,
        }
    }
}

/// The events of an output: errors of a document that is not run come as a result, too, and the end is
/// an event.
fn events(output: Output) -> impl Iterator<Item = Event> + Send {
    let next = |data: Result<String, serde_json::Error>| {
        // Nothing in a result fails to serialize: its keys are strings, its numbers finite.
        data.ok()
            .map(|data| Event::default().event("next").data(data))
    };
    // Without data, browsers do not dispatch it.
    let complete = || Some(Event::default().event("complete").data(""));
    let events = match output {
        Output::Next(response) => [next(serde_json::to_string(&response)), None],
        Output::Error(errors) => {
            let data = serde_json::to_string(&json!({ "errors": errors }));
            [next(data), complete()]
        }
        Output::Complete => [complete(), None],
    };
    events.into_iter().flatten()
}
