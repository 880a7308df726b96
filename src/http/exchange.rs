//! One operation over HTTP, from its parameters to the reply: identifying the caller, checking the
//! operation, and running it.

use std::time::Instant as Moment;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as GraphqlResponse};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::accept::Streaming;
use super::budget::Payer;
use super::client::Client;
use super::credentials::Credentials;
use super::operation::{Checked, codes, execute};
use super::params::Params;
use super::prepare::prepare;
use super::recalled::execute_for_recalled;
use super::reply::Reply;
use super::request_id::LogLine;
use super::state::State;
use super::subscription::{Operation, sse};
use crate::auth::{Recalled, Refused, Viewer};
use crate::db::types::Instant;
use crate::error::Error;
use crate::graphql::{RequestContext, SignedOut, finish, own};

/// How the parameters of a request were sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// In the URL.
    Get,
    /// In the body.
    Post,
}

/// Who makes a request.
enum Caller {
    /// The viewer whom the credentials stood for recently.
    Recalled(Recalled),
    /// The viewer whom they stand for now, or nobody.
    Found(Result<Viewer, SignedOut>),
}

impl Caller {
    fn viewer(&self) -> Option<&Viewer> {
        match self {
            Self::Recalled(recalled) => Some(recalled.viewer()),
            Self::Found(found) => found.as_ref().ok(),
        }
    }
}

/// A request for an operation.
pub struct Exchange<'a> {
    state: &'a State,
    reply: Reply,
    client: Client,
    credentials: Credentials,
    method: Method,
    arrived: Instant,
}

impl<'a> Exchange<'a> {
    /// A request that has just arrived from this client, with these headers.
    pub fn new(
        state: &'a State,
        reply: Reply,
        client: Client,
        headers: &HeaderMap,
        method: Method,
    ) -> Self {
        Self {
            state,
            reply,
            client,
            credentials: Credentials::of(headers),
            method,
            arrived: state.app.now(),
        }
    }

    /// Handles the request, and returns the reply.
    pub async fn answer(&self, params: Params) -> Response {
        self.try_answer(params)
            .await
            .unwrap_or_else(|refusal| refusal)
    }

    /// # Errors
    /// The reply, if the request is refused before it is executed.
    async fn try_answer(&self, params: Params) -> Result<Response, Response> {
        if self.reply.media.is_none() && self.reply.streaming != Streaming::Always {
            let message =
                "Accept application/json, application/graphql-response+json or text/event-stream.";
            return Err(self.reply.refuse(StatusCode::NOT_ACCEPTABLE, message));
        }
        let caller = self.identify().await?;
        let (request, checked) = self.prepare(params, &caller).await?;
        let begun = Moment::now();
        let refuse = |refused| {
            self.reply
                .refuse_checked(self.state, &checked, begun, refused)
        };
        let known = checked.known_answer(self.state);
        let is_stream = self.is_stream(checked.kind);
        let confirmed = self.confirm(caller, &checked, known.is_some(), is_stream);
        let caller = confirmed.await.map_err(refuse)?;
        if let Some(refusal) = self.refuse_method(checked.kind, is_stream) {
            return Err(refusal);
        }
        let line = LogLine {
            operation: checked.name.clone(),
            viewer: checked.viewer(),
            errors: Vec::new(),
        };
        if is_stream {
            return Ok(self.stream(request, caller, checked, line));
        }
        let executed = self.execute(request, caller, &checked, known).await;
        let (mut response, errors) = executed.map_err(refuse)?;
        checked.count(self.state, &errors, begun.elapsed());
        response.extensions_mut().insert(LogLine { errors, ..line });
        Ok(response)
    }

    /// Identifies the caller, from memory if possible.
    async fn identify(&self) -> Result<Caller, Response> {
        match self.credentials.recall(self.state) {
            Some(recalled) => Ok(Caller::Recalled(recalled)),
            None => self
                .find()
                .await
                .map_err(|refused| self.reply.unauthenticated(refused)),
        }
    }

    async fn find(&self) -> Result<Caller, Refused> {
        self.credentials
            .authenticate(self.state)
            .await
            .map(Caller::Found)
    }

    async fn prepare(
        &self,
        params: Params,
        caller: &Caller,
    ) -> Result<(Request, Checked), Response> {
        let payer = Payer::of(caller.viewer(), self.client);
        let refusal = match prepare(self.state, params, payer, &self.reply.id) {
            Ok(prepared) => return Ok(prepared),
            Err(refusal) => refusal,
        };
        // Credentials that are no longer valid take precedence over errors of the document.
        if let Caller::Recalled(_) = caller
            && let Err(refused) = self.find().await
        {
            return Err(self.reply.unauthenticated(refused));
        }
        Err(match self.reply.streaming {
            Streaming::Always => sse::refuse(&refusal),
            _ => self.reply.refuse_document(&refusal),
        })
    }

    fn is_stream(&self, kind: OperationType) -> bool {
        match self.reply.streaming {
            Streaming::Never => false,
            Streaming::Subscriptions => kind == OperationType::Subscription,
            Streaming::Always => true,
        }
    }

    /// Authenticates a recalled caller, unless that can be done while the query runs, or was done just
    /// now. For an operation on the schema there is no waiting to overlap with, and its answer is large
    /// to hold meanwhile.
    async fn confirm(
        &self,
        caller: Caller,
        checked: &Checked,
        is_known: bool,
        is_stream: bool,
    ) -> Result<Caller, Refused> {
        let Caller::Recalled(recalled) = &caller else {
            return Ok(caller);
        };
        let may_wait = !checked.is_about_schema || is_known && recalled.is_fresh();
        match checked.kind == OperationType::Query && !is_stream && may_wait {
            true => Ok(caller),
            false => self.find().await,
        }
    }

    /// Refuses an operation of a kind that may not be sent by this method.
    fn refuse_method(&self, kind: OperationType, is_stream: bool) -> Option<Response> {
        let is_read =
            kind == OperationType::Query || is_stream && kind == OperationType::Subscription;
        if self.method == Method::Post || is_read {
            return None;
        }
        let message = "Only queries can be sent by GET.";
        let mut response = self.reply.refuse(StatusCode::METHOD_NOT_ALLOWED, message);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        Some(response)
    }

    fn stream(
        &self,
        request: Request,
        caller: Caller,
        checked: Checked,
        line: LogLine,
    ) -> Response {
        let viewer = match caller {
            Caller::Recalled(recalled) => Ok(recalled.viewer().clone()),
            Caller::Found(viewer) => viewer,
        };
        let operation = Operation {
            request,
            checked,
            credentials: self.credentials.clone(),
        };
        let mut response = sse::answer(self.state, viewer, operation, self.arrived);
        response.extensions_mut().insert(line);
        response
    }

    /// Runs the operation, and returns the reply and the codes of its errors.
    async fn execute(
        &self,
        request: Request,
        caller: Caller,
        checked: &Checked,
        known: Option<Bytes>,
    ) -> Result<(Response, Vec<String>), Refused> {
        let (state, reply, credentials) = (self.state, &self.reply, &self.credentials);
        // Held until the answer has been cached.
        let turn = match known {
            Some(_) => None,
            None => checked.take_turn(state).await,
        };
        let known = match turn {
            Some(_) => checked.known_answer(state),
            None => known,
        };
        if let Some(answer) = known {
            return Ok((reply.body(StatusCode::OK, answer), Vec::new()));
        }
        let mut response = match caller {
            Caller::Recalled(recalled) => {
                let arrived = self.arrived;
                execute_for_recalled(state, request, credentials, &recalled, arrived, checked)
                    .await?
            }
            Caller::Found(viewer) => {
                let context = RequestContext::new(&state.app, viewer, self.arrived, checked.kind);
                execute(state, request, context, credentials, checked).await
            }
        };
        let limited = retry_after(&response);
        finish(&mut response, &reply.id.text);
        checked.keep_answer(state, &response);
        Ok((reply.graphql(&response, limited), codes(&response)))
    }
}

/// The longest wait among the errors that say when to try again, in seconds.
fn retry_after(response: &GraphqlResponse) -> Option<i64> {
    let waits = response.errors.iter().filter_map(own);
    waits.filter_map(Error::retry_after_seconds).max()
}
