//! What a GraphQL request is answered with, in the form that its client takes.

use std::time::Instant;

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;

use super::accept::{Media, Streaming};
use super::operation::{Checked, errors, failure};
use super::refusal::Refusal;
use super::request_id::{LogLine, RequestId};
use super::state::State;
use crate::auth::Refused;
use crate::error::ErrorCode;
use crate::graphql::is_request_error;

/// How the reply is to be given.
pub struct Reply {
    /// In which form, where the client takes one that there is.
    pub media: Option<Media>,
    /// When as a stream of events.
    pub streaming: Streaming,
    /// Of which request.
    pub id: RequestId,
}

impl Reply {
    /// One to a request with these headers.
    pub fn new(headers: &HeaderMap, id: RequestId) -> Self {
        Self {
            media: Media::of(headers),
            streaming: Streaming::of(headers),
            id,
        }
    }

    /// A stream of events, whatever the client says that it takes.
    pub fn stream(headers: &HeaderMap, id: RequestId) -> Self {
        Self {
            streaming: Streaming::Always,
            ..Self::new(headers, id)
        }
    }

    /// A reply of GraphQL, whether it succeeded or not.
    pub fn graphql(&self, response: &GraphqlResponse, retry_after: Option<i64>) -> Response {
        let mut reply = if is_request_error(response) {
            let has = |code| response.errors.iter().any(|error| has_code(error, code));
            let may_be_sent_again = has(ErrorCode::Timeout) || has(ErrorCode::RateLimited);
            let status = match self.media {
                // Nothing is wrong with the request.
                _ if has(ErrorCode::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
                _ if has(ErrorCode::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
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
    pub fn refuse(&self, status: StatusCode, message: &str) -> Response {
        self.error(status, ErrorCode::GraphqlValidationFailed, message)
    }

    /// The request's body did not arrive in time.
    pub fn too_slow(&self) -> Response {
        let message = "The request's body took too long.";
        let mut response = self.error(StatusCode::REQUEST_TIMEOUT, ErrorCode::Timeout, message);
        // What is left of it is not waited for.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        response
    }

    /// The document cannot be run.
    pub fn refuse_document(&self, refusal: &Refusal) -> Response {
        let status = match self.media {
            // Of a document whose hash is another's.
            _ if refusal.code == ErrorCode::InvalidInput => StatusCode::BAD_REQUEST,
            Some(Media::Response) => StatusCode::BAD_REQUEST,
            Some(Media::Json) | None => StatusCode::OK,
        };
        let mut response = self.json(status, &refusal.body());
        let outcome = LogLine::refused(refusal.code);
        response.extensions_mut().insert(outcome);
        response
    }

    /// The credentials of an operation turned out not to be good any more.
    pub fn refuse_checked(
        &self,
        state: &State,
        checked: &Checked,
        begun: Instant,
        refused: Refused,
    ) -> Response {
        let code = match &refused {
            Refused::Invalid(_) => ErrorCode::Unauthenticated,
            Refused::Failed(error) => error.code(),
        };
        checked.count(state, &[code.as_str().to_owned()], begun.elapsed());
        self.unauthenticated(refused)
    }

    /// The credentials are not good, or that cannot be told.
    pub fn unauthenticated(&self, refused: Refused) -> Response {
        match refused {
            Refused::Invalid(reason) => {
                tracing::info!(reason, "credentials refused");
                let message = "The credentials are not valid.";
                let code = ErrorCode::Unauthenticated;
                let mut response = self.error(StatusCode::UNAUTHORIZED, code, message);
                let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                response
            }
            Refused::Failed(error) => {
                let (status, code, body) = failure(error, &self.id);
                let mut response = self.json(status, &body);
                response.extensions_mut().insert(LogLine::refused(code));
                response
            }
        }
    }

    /// Nothing but an error, whose code is told to the log as well.
    fn error(&self, status: StatusCode, code: ErrorCode, message: &str) -> Response {
        let mut response = self.json(status, &errors(code, message));
        response.extensions_mut().insert(LogLine::refused(code));
        response
    }

    fn json(&self, status: StatusCode, body: &impl serde::Serialize) -> Response {
        match serde_json::to_vec(body) {
            Ok(body) => self.body(status, body.into()),
            // Nothing in a reply fails to serialize: its keys are strings, its numbers finite.
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// A body that is JSON already.
    pub fn body(&self, status: StatusCode, body: Bytes) -> Response {
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
