//! Checked operations, whichever transport they came through, and running them.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use anyhow::anyhow;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Response as GraphqlResponse, ServerError, Value};
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::{MutexGuard, oneshot};
use tokio::time::timeout;
use tracing::Span;

use super::budget::{Charge, Payer};
use super::credentials::Credentials;
use super::operation_log::OperationLog;
use super::parsed::Parsed;
use super::places::Place;
use super::request_id::RequestId;
use super::state::State;
use crate::config::Limits;
use crate::db::Tally;
use crate::error::{Error, ErrorCode};
use crate::graphql::{ApiSchema, RequestContext, finish, is_request_error};
use crate::telemetry::Outcome;

/// How many mutations of one payer may run at a time. Mutations continue without their client, who could
/// otherwise start any number of them.
pub const MUTATIONS_AT_ONCE: usize = 256;

/// How many bytes of documents and variables each of one payer's subscriptions may come to, on average. They
/// stay in memory for as long as the subscriptions last, where a document takes some fifty times as much as
/// its text.
const SUBSCRIPTION_BYTES: usize = 4 * 1024;
/// The least that all of them may come to, however few there may be.
const SUBSCRIBED_BYTES: usize = 4 * 1024 * 1024;

/// How many bytes the documents and variables of one payer's subscriptions may come to.
pub fn subscribed_bytes(limits: &Limits) -> usize {
    SUBSCRIBED_BYTES.max(limits.subscriptions_per_viewer as usize * SUBSCRIPTION_BYTES)
}

/// The longest an operation on the schema waits for its turn. Running one takes a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Charges the operation's cost and runs it, or returns the refusal if the budget is exhausted. Nothing
/// is charged for a mutation that is refused because the payer has too many running.
pub async fn execute(
    state: &State,
    request: Request,
    context: RequestContext,
    credentials: &Credentials,
    checked: &Checked,
) -> GraphqlResponse {
    let place = match checked.kind {
        OperationType::Mutation => match state.mutations.take(checked.payer) {
            Some(place) => Some(place),
            None => {
                return failed(Error::LimitReached {
                    name: "mutationsAtOnce",
                    limit: MUTATIONS_AT_ONCE as i64,
                });
            }
        },
        OperationType::Query | OperationType::Subscription => None,
    };
    let charge = checked.charge(state);
    if let Some(refusal) = charge.refusal() {
        return refusal;
    }
    let response = match place {
        Some(place) => mutate(state, request, context, credentials, checked, place).await,
        None => query(state, request, context, checked).await,
    };
    checked.settle(&charge, response)
}

/// Runs a query without charging for it. It has a time limit, and is cancelled in the database too once
/// that has passed or the client has disconnected.
pub(super) async fn query(
    state: &State,
    request: Request,
    context: RequestContext,
    checked: &Checked,
) -> GraphqlResponse {
    let schema = checked.schema(state);
    let time = Duration::from_secs(state.app.config.http.request_timeout_seconds);
    let running = context.execute(schema, request, checked.document());
    match timeout(time, checked.statements.count(running)).await {
        Ok(response) => response,
        Err(_) => {
            let message = "The request took too long and was stopped.";
            failed(Error::Refused(ErrorCode::Timeout, message.into()))
        }
    }
}

/// Runs a mutation to its end, even if the client disconnects or the server stops. If nobody waits for
/// the response by then, the outcome is logged here.
async fn mutate(
    state: &State,
    request: Request,
    context: RequestContext,
    credentials: &Credentials,
    checked: &Checked,
    place: Place<Payer>,
) -> GraphqlResponse {
    let (waiting, response) = oneshot::channel();
    let running = {
        let (state, credentials, checked) = (state.clone(), credentials.clone(), checked.clone());
        async move {
            let _place = place;
            let begun = Moment::now();
            let schema = checked.schema(&state);
            let executing = context.execute(schema, request, checked.document());
            let response = checked.statements.count(executing).await;
            credentials.forget(&state);
            if let Err(unread) = waiting.send(response) {
                let mut log = OperationLog::default();
                log.result(unread, &checked);
                log.tell(&state, &checked, begun, false);
            }
        }
    };
    match state.finish(running).await {
        Ok(()) => response
            .await
            .unwrap_or_else(|lost| failed(anyhow!(lost).into())),
        Err(error) => failed(error),
    }
}

/// The response to a request that failed as a whole.
pub fn failed(error: Error) -> GraphqlResponse {
    let error = async_graphql::Error::from(error).into_server_error(Default::default());
    GraphqlResponse::from_errors(vec![ServerError {
        locations: Vec::new(),
        ..error
    }])
}

/// An operation that may be run. Clones stand for the same operation.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The request id that identifies it in the log.
    pub id: RequestId,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Its first field, for the metrics: a root field of the schema, `introspection` or `other`.
    pub field: String,
    /// Its name in the document, whether or not the client asked for it by name; truncated if long.
    pub name: Option<String>,
    /// Counts the database statements it makes.
    pub statements: Tally,
    /// Its tracing span, which ends when the last clone is dropped.
    pub(super) span: Span,
    /// About how many bytes the text of its document and its variables take.
    pub(super) bytes: usize,
    /// What running it costs.
    pub(super) cost: u32,
    /// Who is charged for it.
    pub(super) payer: Payer,
    /// The document that contains it.
    pub(super) parsed: Arc<Parsed>,
    /// Whether the document was found valid earlier.
    pub(super) is_valid: bool,
    /// Whether it queries only the schema.
    pub is_about_schema: bool,
}

impl Checked {
    /// The id of the signed-in user who runs it, if any.
    pub fn viewer(&self) -> Option<String> {
        match self.payer {
            Payer::Viewer(id) => Some(id.to_string()),
            Payer::Address(_) => None,
        }
    }

    /// The document that contains it.
    pub fn document(&self) -> &ExecutableDocument {
        self.parsed.document()
    }

    /// The schema to run it on.
    fn schema<'a>(&self, state: &'a State) -> &'a ApiSchema {
        match self.is_valid {
            true => &state.schema_of_valid,
            false => &state.schema,
        }
    }

    /// The answer as sent over the wire, if it is known without running the operation. It costs nothing.
    pub fn known_answer(&self, state: &State) -> Option<Bytes> {
        state.parsed.answer(&self.parsed)
    }

    /// Waits for its turn if this is an operation on the schema. These run one at a time: their answers
    /// are large, and whoever waited may find the answer cached. Returns `None` if it is no such
    /// operation, or has waited too long and is to run alongside the others.
    pub async fn take_turn<'a>(&self, state: &'a State) -> Option<MutexGuard<'a, ()>> {
        if !self.is_about_schema {
            return None;
        }
        timeout(PATIENCE, state.about_schema.lock()).await.ok()
    }

    /// Caches an answer that is the same for everybody and never changes. An answer that reports its
    /// cost (in `extensions`) does not qualify.
    pub fn keep_answer(&self, state: &State, response: &GraphqlResponse) {
        if self.is_about_schema
            && response.errors.is_empty()
            && response.extensions.is_empty()
            && let Ok(answer) = serde_json::to_vec(response)
        {
            state.parsed.keep_answer(&self.parsed, answer.into());
        }
    }

    /// Takes one of the payer's places for subscriptions, and room for what this one keeps in memory.
    ///
    /// # Errors
    /// `LIMIT_REACHED` if there is none left.
    pub fn take_places(&self, state: &State) -> Result<[Place<Payer>; 2], Error> {
        let place = state.subscriptions.take(self.payer);
        let place = place.ok_or_else(|| Error::LimitReached {
            name: "subscriptionsPerViewer",
            limit: state.app.config.limits.subscriptions_per_viewer.into(),
        })?;
        let room = state.subscribed.take_many(self.payer, self.bytes.max(1));
        let room = room.ok_or_else(|| Error::LimitReached {
            name: "subscribedBytesPerViewer",
            limit: subscribed_bytes(&state.app.config.limits) as i64,
        })?;
        Ok([place, room])
    }

    /// Charges the operation's cost, before it is run.
    pub fn charge<'a>(&self, state: &'a State) -> Charge<'a> {
        let now = state.app.now();
        state.budgets.charge(self.payer, self.cost, now)
    }

    /// Adds to the response what the operation cost. Marks the document as valid if it could be run.
    pub fn settle(&self, charge: &Charge<'_>, mut response: GraphqlResponse) -> GraphqlResponse {
        if !is_request_error(&response) {
            self.parsed.found_valid();
        }
        charge.settle(&mut response);
        response
    }

    /// Records the finished operation in the metrics and its span, with the first of the error codes.
    pub fn count(&self, state: &State, errors: &[String], duration: Duration) {
        let error = errors.first().map(String::as_str);
        let metrics = &state.app.metrics;
        metrics.operation(word(self.kind), &self.field, error, duration);
        Outcome::of_operation(error).record(&self.span);
        let statements = self.statements.total();
        self.span.record("tenantry.statements", statements);
    }
}

/// The operation kind's name in metrics and traces.
pub(super) fn word(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// The codes of a response's errors, in order.
pub fn codes(response: &GraphqlResponse) -> Vec<String> {
    let code = |error: &ServerError| match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code.clone()),
        _ => None,
    };
    response.errors.iter().filter_map(code).collect()
}

/// The status, code and body of the reply to a request that failed as a whole.
pub fn failure(error: Error, id: &RequestId) -> (StatusCode, ErrorCode, serde_json::Value) {
    let code = error.code();
    let status = match code {
        ErrorCode::Unavailable | ErrorCode::Timeout => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = failed(error);
    finish(&mut response, &id.text);
    (status, code, json!({ "errors": response.errors }))
}

/// The body of a reply that holds only an error.
pub fn errors(code: ErrorCode, message: &str) -> serde_json::Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": code.as_str() } }] })
}
