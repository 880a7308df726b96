//! Running one operation of a connection, whatever carries its results.

use std::pin::pin;
use std::time::{Duration, Instant};

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response};
use futures_util::{Stream, StreamExt};
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

/// What an operation gives.
#[derive(Debug)]
pub enum Output {
    /// A result. More may come.
    Next(Response),
    /// Why it does not run: a list of errors, and the last that comes.
    Error(Value),
    /// There will be no more.
    Complete,
}

impl Output {
    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Next(_))
    }

    /// Why a document is not run.
    pub fn refusal(refusal: &Refusal) -> Self {
        Self::Error(refusal.body()["errors"].take())
    }

    /// Why nothing can be run now.
    pub fn unavailable(error: Error, id: &RequestId) -> Self {
        let mut response = failed(error);
        finish(&mut response, &id.text);
        Self::errors(&response)
    }

    fn errors(response: &Response) -> Self {
        // Errors serialize: their keys are strings.
        Self::Error(serde_json::to_value(&response.errors).unwrap_or_default())
    }

    /// That the credentials ended.
    pub fn signed_off() -> Self {
        let message = "The credentials are not valid any more.";
        Self::refusal(&Refusal::new(ErrorCode::Unauthenticated, message))
    }

    /// That the server failed.
    pub fn failure(id: &RequestId) -> Self {
        Self::Error(json!([{
            "message": "Something went wrong inside the server.",
            "extensions": { "code": ErrorCode::Internal.as_str(), "requestId": id.text },
        }]))
    }
}

/// Where the results of an operation go.
pub struct Outlet<K> {
    /// Which operation it is, to whoever takes them.
    pub key: K,
    /// To whoever takes them.
    pub sender: mpsc::Sender<(K, Output)>,
    /// How long they may take to make room for one. Without it, they see to that themselves.
    pub patience: Option<Duration>,
}

/// Why no more results are passed on.
pub enum Stopped {
    /// Nobody takes them any more.
    Gone,
    /// What the client signed in with is not valid any more.
    SignedOff,
}

impl<K: Copy> Outlet<K> {
    /// Passes on a result, once there is room for it.
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

/// An operation that was checked.
pub struct Operation {
    /// What is to be run.
    pub request: Request,
    /// What it is.
    pub checked: Checked,
    /// What its client signed in with.
    pub credentials: Credentials,
}

impl Operation {
    /// Runs it to its end, or until nobody takes its results any more; a mutation to its end in any
    /// case.
    ///
    /// # Errors
    /// Where the results are not passed on to their end. Nothing is said yet of credentials that ended.
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

/// What is told of an operation once it is over: also of one that is dropped, as those are whose client
/// stops them or goes away.
struct Account<'a> {
    state: &'a State,
    checked: Checked,
    begun: Instant,
    log: OperationLog,
    /// Whether somebody took all results.
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
        Output::Next(self.log.result(response, &self.checked))
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
        let _place = match self.checked.take_place(self.state) {
            Ok(place) => place,
            Err(error) => return outlet.send(self.refusal(failed(error))).await,
        };
        let charge = self.checked.charge(self.state);
        if let Some(refusal) = charge.refusal() {
            return outlet.send(self.refusal(refusal)).await;
        }
        let responses = context.stream(&self.state.schema, request, self.checked.document());
        self.follow(responses, &charge, credentials, outlet).await
    }

    /// Passes on what a subscription gives, to its end or that of the credentials.
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
        // A mutation goes on, and whoever runs it tells of it.
        if self.checked.kind == OperationType::Mutation && self.log.is_empty() {
            return;
        }
        self.log
            .tell(self.state, &self.checked, self.begun, self.is_read);
    }
}
