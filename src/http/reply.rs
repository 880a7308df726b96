//! Replies to GraphQL requests, in a format that the client accepts.

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

/// How to reply to a request.
pub struct Reply {
    /// The media type, if the client accepts one of ours.
    pub media: Option<Media>,
    /// When to reply with an event stream.
    pub streaming: Streaming,
    /// The id of the request.
    pub id: RequestId,
}

impl Reply {
    /// The reply format for a request with these headers.
    pub fn new(headers: &HeaderMap, id: RequestId) -> Self {
        Self {
            media: Media::of(headers),
            streaming: Streaming::of(headers),
            id,
        }
    }

    /// Always an event stream, whatever the client accepts.
    pub fn stream(headers: &HeaderMap, id: RequestId) -> Self {
        Self {
            streaming: Streaming::Always,
            ..Self::new(headers, id)
        }
    }

    /// Replies with a GraphQL response, successful or not.
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

    /// Refuses what is not a valid GraphQL request.
    pub fn refuse(&self, status: StatusCode, message: &str) -> Response {
        self.error(status, ErrorCode::GraphqlValidationFailed, message)
    }

    /// Replies that the request's body did not arrive in time.
    pub fn too_slow(&self) -> Response {
        let message = "The request's body took too long to arrive.";
        let mut response = self.error(StatusCode::REQUEST_TIMEOUT, ErrorCode::Timeout, message);
        // The rest of the body is not awaited.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        response
    }

    /// Replies that the document cannot be run.
    pub fn refuse_document(&self, refusal: &Refusal) -> Response {
        let status = match self.media {
            // The hash sent is not that of the document.
            _ if refusal.code == ErrorCode::InvalidInput => StatusCode::BAD_REQUEST,
            Some(Media::Response) => StatusCode::BAD_REQUEST,
            Some(Media::Json) | None => StatusCode::OK,
        };
        let mut response = self.json(status, &refusal.body());
        let outcome = LogLine::refused(refusal.code);
        response.extensions_mut().insert(outcome);
        response
    }

    /// Replies that the credentials ceased to be valid after the operation was checked, or that this
    /// could not be determined. Counts the operation.
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

    /// Replies that the credentials are not valid, or could not be checked.
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

    /// Replies with only an error, and adds its code to the request's log line.
    fn error(&self, status: StatusCode, code: ErrorCode, message: &str) -> Response {
        let mut response = self.json(status, &errors(code, message));
        response.extensions_mut().insert(LogLine::refused(code));
        response
    }

    fn json(&self, status: StatusCode, body: &impl serde::Serialize) -> Response {
        match serde_json::to_vec(body) {
            Ok(body) => self.body(status, body.into()),
            // Nothing in a reply fails to serialize: its keys are strings, and its numbers finite.
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// Replies with a body that is already JSON.
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
