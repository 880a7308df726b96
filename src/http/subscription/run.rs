//! Running one operation of a connection, over any transport.

use std::pin::pin;
use std::time::{Duration, Instant};

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response};
use futures_util::{Stream, StreamExt};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::error::{Error, ErrorCode};
use crate::graphql::{RequestContext, Streamed, finish, is_request_error};
use crate::http::budget::Charge;
use crate::http::credentials::Credentials;
use crate::http::operation::{Checked, execute, failed};
use crate::http::operation_log::OperationLog;
use crate::http::refusal::Refusal;
use crate::http::request_id::RequestId;
use crate::http::state::State;

/// The output of an operation.
#[derive(Debug)]
pub enum Output {
    /// A result, as JSON: as an object it would take several times as much memory while it waits for a slow
    /// reader. More may follow.
    Next(Box<RawValue>),
    /// The errors because of which it is not run, as a list. Nothing follows.
    Error(Value),
    /// The operation is complete. Nothing follows.
    Complete,
}

impl Output {
    /// Whether nothing follows this output.
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Next(_))
    }

    fn next(response: &Response) -> Self {
        // Responses serialize: their keys are strings, and their numbers finite.
        Self::Next(to_raw_value(response).unwrap_or_default())
    }

    /// The output for a document that is refused.
    pub fn refusal(refusal: &Refusal) -> Self {
        Self::Error(refusal.body()["errors"].take())
    }

    /// The output if nothing can be run now.
    pub fn unavailable(error: Error, id: &RequestId) -> Self {
        let mut response = failed(error);
        finish(&mut response, &id.text);
        Self::errors(&response)
    }

    fn errors(response: &Response) -> Self {
        // Errors serialize: their keys are strings.
        Self::Error(serde_json::to_value(&response.errors).unwrap_or_default())
    }

    /// The output if the credentials have ended.
    pub fn signed_off() -> Self {
        let message = "The credentials are no longer valid.";
        Self::refusal(&Refusal::new(ErrorCode::Unauthenticated, message))
    }

    /// The output if the server failed.
    pub fn failure(id: &RequestId) -> Self {
        Self::Error(json!([{
            "message": "Something went wrong inside the server.",
            "extensions": { "code": ErrorCode::Internal.as_str(), "requestId": id.text },
        }]))
    }
}

/// Where the results of an operation go.
pub struct Outlet<K> {
    /// The key of the operation, for the receiver.
    pub key: K,
    /// The channel to the receiver.
    pub sender: mpsc::Sender<(K, Output)>,
    /// How long the receiver may take to make room for an output. `None` if it enforces a limit itself.
    pub patience: Option<Duration>,
}

/// Why an operation stopped early.
pub enum Stopped {
    /// Nobody receives the results any more.
    Gone,
    /// The client's credentials are no longer valid.
    SignedOff,
}

impl<K: Copy> Outlet<K> {
    /// Sends an output, once there is room for it.
    pub async fn send(&self, output: Output) -> Result<(), Stopped> {
        let sending = self.sender.send((self.key, output));
        match self.patience {
            None => sending.await.map_err(|_| Stopped::Gone),
            Some(patience) => match timeout(patience, sending).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(Stopped::Gone),
            },
        }
    }
}

/// A checked operation, ready to run.
pub struct Operation {
    /// The request to run.
    pub request: Request,
    /// What is known about the operation.
    pub checked: Checked,
    /// The credentials of its client.
    pub credentials: Credentials,
}

impl Operation {
    /// Runs the operation to its end, or until nobody receives its results any more. A mutation always
    /// runs to its end.
    ///
    /// # Errors
    /// If not all results could be delivered. When the credentials have ended, telling the client is
    /// left to the caller.
    pub async fn run<K: Copy>(
        self,
        state: &State,
        context: RequestContext,
        outlet: &Outlet<K>,
    ) -> Result<(), Stopped> {
        let Self {
            request,
            checked,
            credentials,
        } = self;
        let mut account = Account::begin(state, checked);
        let outcome = match account.checked.kind {
            OperationType::Subscription => {
                let subscribing = account.subscribe(context, request, &credentials, outlet);
                subscribing.await
            }
            OperationType::Query | OperationType::Mutation => {
                let checked = &account.checked;
                let response = execute(state, request, context, &credentials, checked).await;
                match is_request_error(&response) {
                    true => outlet.send(account.refusal(response)).await,
                    false => match outlet.send(account.result(response)).await {
                        Ok(()) => outlet.send(Output::Complete).await,
                        gone => gone,
                    },
                }
            }
        };
        account.is_read = outcome.is_ok();
        outcome
    }
}

/// Logs an operation when dropped, be it finished, stopped by its client, or cut off.
struct Account<'a> {
    state: &'a State,
    checked: Checked,
    begun: Instant,
    log: OperationLog,
    /// Whether all results were delivered.
    is_read: bool,
}

impl<'a> Account<'a> {
    fn begin(state: &'a State, checked: Checked) -> Self {
        Self {
            state,
            checked,
            begun: Instant::now(),
            log: OperationLog::default(),
            is_read: false,
        }
    }

    fn result(&mut self, response: Response) -> Output {
        Output::next(&self.log.result(response, &self.checked))
    }

    fn refusal(&mut self, response: Response) -> Output {
        Output::errors(&self.log.refusal(response, &self.checked))
    }

    /// Follows a subscription, if there is a place for it and its cost can be charged.
    async fn subscribe<K: Copy>(
        &mut self,
        context: RequestContext,
        request: Request,
        credentials: &Credentials,
        outlet: &Outlet<K>,
    ) -> Result<(), Stopped> {
        let _places = match self.checked.take_places(self.state) {
            Ok(places) => places,
            Err(error) => return outlet.send(self.refusal(failed(error))).await,
        };
        let charge = self.checked.charge(self.state);
        if let Some(refusal) = charge.refusal() {
            return outlet.send(self.refusal(refusal)).await;
        }
        let responses = context.stream(&self.state.schema, request, self.checked.document());
        self.follow(responses, &charge, credentials, outlet).await
    }

    /// Passes on the results of a subscription until it completes or the credentials end.
    async fn follow<K: Copy>(
        &mut self,
        responses: impl Stream<Item = Streamed>,
        charge: &Charge<'_>,
        credentials: &Credentials,
        outlet: &Outlet<K>,
    ) -> Result<(), Stopped> {
        let statements = self.checked.statements.clone();
        let mut responses = pin!(responses);
        loop {
            let output = match statements.count(responses.next()).await {
                None => Output::Complete,
                Some(Streamed::Refused(mut response)) => {
                    charge.settle(&mut response);
                    self.refusal(response)
                }
                Some(Streamed::Item(response)) => {
                    if !statements.count(credentials.still_hold(self.state)).await {
                        return Err(Stopped::SignedOff);
                    }
                    self.result(response)
                }
            };
            let is_last = output.is_last();
            outlet.send(output).await?;
            if is_last {
                return Ok(());
            }
        }
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        // The mutation still runs, and is logged by the task that runs it.
        if self.checked.kind == OperationType::Mutation && self.log.is_empty() {
            return;
        }
        self.log
            .tell(self.state, &self.checked, self.begun, self.is_read);
    }
}
