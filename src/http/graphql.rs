//! `/graphql`: GraphQL over HTTP.
//!
//! <https://graphql.github.io/graphql-over-http/draft/>

mod params;

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Positioned, Request, Response as GraphqlResponse, ServerError, Value};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, State as Extract};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use self::params::Params;
use super::accept::{Media, wants_html};
use super::playground;
use super::request_id::{Outcome, RequestId};
use super::state::State;
use crate::auth::{Refused, Viewer};
use crate::error::{Error, ErrorCode};
use crate::graphql::{RequestContext, SignedOut, finish, is_request_error, limits, repeated_field};

/// `GET /schema.graphql`: the SDL.
pub async fn sdl(Extract(state): Extract<State>) -> Response {
    (
        [(CONTENT_TYPE, "text/plain; charset=utf-8")],
        state.schema.sdl(),
    )
        .into_response()
}

/// `GET /graphql`: a query in the URL, or the playground for a browser.
pub async fn get(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if state.app.config.playground.enabled && wants_html(&headers) {
        return playground::page();
    }
    let reply = Reply {
        media: Media::of(&headers),
        id,
    };
    match Params::of_query(query.as_deref().unwrap_or_default()) {
        Ok(params) => answer(&state, reply, &headers, params, Method::Get).await,
        Err(refusal) => reply.refuse(StatusCode::BAD_REQUEST, refusal),
    }
}

/// `POST /graphql`: an operation in a JSON document.
pub async fn post(
    Extract(state): Extract<State>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let reply = Reply {
        media: Media::of(&headers),
        id,
    };
    // Forms and plain text can be sent from any page without asking first, so they are refused.
    if !is_json(&headers) {
        let message = "Send the request as application/json.";
        return reply.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let Ok(body) = to_bytes(body, state.app.config.http.max_body_bytes).await else {
        return reply.refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request's body is too long.",
        );
    };
    match Params::of_json(&body) {
        Ok(params) => answer(&state, reply, &headers, params, Method::Post).await,
        Err(refusal) => reply.refuse(StatusCode::BAD_REQUEST, refusal),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

async fn answer(
    state: &State,
    reply: Reply,
    headers: &HeaderMap,
    params: Params,
    method: Method,
) -> Response {
    if reply.media.is_none() {
        let message = "Accept application/json or application/graphql-response+json.";
        return reply.refuse(StatusCode::NOT_ACCEPTABLE, message);
    }
    let viewer = match authenticate(state, headers).await {
        Ok(viewer) => viewer,
        Err(refused) => return reply.unauthenticated(refused),
    };
    let mut request = params.into_request();
    let kind = match check_operation(state, &mut request) {
        Ok(kind) => kind,
        Err(refusal) => return reply.refuse_document(refusal),
    };
    if method == Method::Get && kind != OperationType::Query {
        let message = "Only queries can be sent by GET.";
        let mut response = reply.refuse(StatusCode::METHOD_NOT_ALLOWED, message);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let operation = request.operation_name.clone();
    let viewer_id = viewer.as_ref().ok().map(Viewer::id);
    let context = RequestContext::new(state.app.clone(), viewer, state.app.now());
    let mut response = execute(state, request, context, kind).await;
    let limited = retry_after(&response);
    finish(&mut response, &reply.id.0);
    let errors = codes(&response);
    let mut reply = reply.graphql(&response, limited);
    let viewer = viewer_id.map(|id| id.to_string());
    reply.extensions_mut().insert(Outcome {
        operation,
        viewer,
        errors,
    });
    reply
}

/// Runs the operation. A mutation that has begun runs to its end, even if the client goes away; a
/// query has its time.
async fn execute(
    state: &State,
    request: Request,
    context: RequestContext,
    kind: OperationType,
) -> GraphqlResponse {
    let schema = state.schema.clone();
    if kind == OperationType::Mutation {
        let running = tokio::spawn(async move { context.execute(&schema, request).await });
        return running
            .await
            .unwrap_or_else(|error| failed(anyhow::anyhow!(error).into()));
    }
    let time = Duration::from_secs(state.app.config.http.request_timeout_seconds);
    match tokio::time::timeout(time, context.execute(&schema, request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = "The request took too long and was stopped.";
            failed(Error::Refused(ErrorCode::Timeout, message.into()))
        }
    }
}

fn failed(error: Error) -> GraphqlResponse {
    let error = async_graphql::Error::from(error).into_server_error(Default::default());
    GraphqlResponse::from_errors(vec![ServerError {
        locations: Vec::new(),
        ..error
    }])
}

async fn authenticate(
    state: &State,
    headers: &HeaderMap,
) -> Result<Result<Viewer, SignedOut>, Refused> {
    match headers.get(AUTHORIZATION) {
        None => Ok(Err(SignedOut)),
        Some(header) => {
            let viewer = state
                .authenticator
                .authenticate(&state.app, header.as_bytes())
                .await?;
            Ok(Ok(viewer))
        }
    }
}

/// The kind of the operation that will run, once the document is known to be cheap enough to be
/// validated. Also sees that the variables it needs are there, which async-graphql notices only when
/// it comes to the field, with others executed by then.
fn check_operation(state: &State, request: &mut Request) -> Result<OperationType, Refusal> {
    let refusal = |error: Error| (error.code(), error.to_string());
    limits::check_text(&request.query).map_err(refusal)?;
    let (name, variables) = (request.operation_name.clone(), request.variables.clone());
    let document = request
        .parsed_query()
        .map_err(|error| (ErrorCode::GraphqlParseFailed, error.message))?;
    let mut operations = document.operations.iter();
    let chosen = match &name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    let (_, operation) = chosen.ok_or_else(|| {
        let message = match &name {
            Some(name) => format!("The document has no operation named {name}."),
            None => "The document has several operations; give operationName.".to_owned(),
        };
        (ErrorCode::GraphqlValidationFailed, message)
    })?;
    limits::check(&state.shape, document, name.as_deref(), &variables).map_err(refusal)?;
    if operation.node.ty == OperationType::Mutation
        && let Some(key) = repeated_field(document, &operation.node.selection_set.node)
    {
        let message = format!("The mutation selects {key} more than once; use an alias.");
        return Err((ErrorCode::GraphqlValidationFailed, message));
    }
    for variable in &operation.node.variable_definitions {
        let Positioned { node: variable, .. } = variable;
        let given = match variables.get(&variable.name.node) {
            Some(value) => *value != Value::Null,
            None => variable.default_value.is_some(),
        };
        if !given && !variable.var_type.node.nullable {
            let (name, kind) = (&variable.name.node, &variable.var_type.node);
            let message = format!("The variable ${name} is a {kind} and must be given.");
            return Err((ErrorCode::GraphqlValidationFailed, message));
        }
    }
    Ok(operation.node.ty)
}

/// Why a document is not run, with its code.
type Refusal = (ErrorCode, String);

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = value
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}

/// The longest wait of the errors that say when to try again.
fn retry_after(response: &GraphqlResponse) -> Option<i64> {
    let waits = response
        .errors
        .iter()
        .filter_map(|error| error.source::<Error>());
    waits.filter_map(Error::retry_after_seconds).max()
}

fn codes(response: &GraphqlResponse) -> Vec<String> {
    let code = |error: &ServerError| match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code.clone()),
        _ => None,
    };
    response.errors.iter().filter_map(code).collect()
}

/// How the reply is to be given.
struct Reply {
    media: Option<Media>,
    id: RequestId,
}

impl Reply {
    /// A reply of GraphQL, whether it succeeded or not.
    fn graphql(&self, response: &GraphqlResponse, retry_after: Option<i64>) -> Response {
        let mut reply = if is_request_error(response) {
            // A request that failed before it was executed has no `data`, not even `null`.
            let timed_out = response
                .errors
                .iter()
                .any(|error| has_code(error, ErrorCode::Timeout));
            let status = match self.media {
                Some(Media::Response) if !timed_out => StatusCode::BAD_REQUEST,
                _ => StatusCode::OK,
            };
            self.json(status, &json!({ "errors": response.errors }))
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
    fn refuse(&self, status: StatusCode, message: &str) -> Response {
        self.json(status, &errors(ErrorCode::GraphqlValidationFailed, message))
    }

    /// The document cannot be run.
    fn refuse_document(&self, (code, message): Refusal) -> Response {
        let status = match self.media {
            Some(Media::Response) => StatusCode::BAD_REQUEST,
            Some(Media::Json) | None => StatusCode::OK,
        };
        self.json(status, &errors(code, &message))
    }

    fn unauthenticated(&self, refused: Refused) -> Response {
        match refused {
            Refused::Invalid(reason) => {
                tracing::info!(reason, "credentials refused");
                let message = "The credentials are not valid.";
                let body = errors(ErrorCode::Unauthenticated, message);
                let mut response = self.json(StatusCode::UNAUTHORIZED, &body);
                let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                response
            }
            Refused::Failed(error) => {
                let status = match error.code() {
                    ErrorCode::Unavailable | ErrorCode::Timeout => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                let mut response = failed(error);
                finish(&mut response, &self.id.0);
                self.json(status, &json!({ "errors": response.errors }))
            }
        }
    }

    fn json(&self, status: StatusCode, body: &impl serde::Serialize) -> Response {
        let media = self.media.unwrap_or(Media::Json).content_type();
        match serde_json::to_vec(body) {
            Ok(body) => (status, [(CONTENT_TYPE, media)], body).into_response(),
            // Nothing in a reply fails to serialize: its keys are strings, its numbers finite.
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

fn errors(code: ErrorCode, message: &str) -> serde_json::Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": code.as_str() } }] })
}

fn has_code(error: &ServerError, code: ErrorCode) -> bool {
    let found = error
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get("code"));
    found == Some(&Value::from(code.as_str()))
}
