//! Errors as clients see them: the only place that sets their `extensions`.

use std::any::Any;
use std::sync::Arc;

use async_graphql::{Enum, PathSegment, Response, ServerError, Value};

use crate::error::{Error, ErrorCode as Code};

/// The values of `extensions.code` in an error.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Code")]
pub enum ErrorCode {
    /// No credentials, or credentials that are not valid.
    Unauthenticated,
    /// The viewer may see the object but may not do this to it.
    Forbidden,
    /// There is no such object, or the viewer may not see it.
    NotFound,
    /// An argument is not valid; `extensions.violations` lists `{ field, message }`.
    InvalidInput,
    /// The slug belongs to another organization or workspace.
    SlugTaken,
    /// The object is not, or is no longer, in a state that allows this, or a value that must be
    /// unique is taken.
    Conflict,
    /// A limit of the plan or of the server was reached; `extensions.limitName` is its name,
    /// `extensions.limit` its value.
    LimitReached,
    /// Too many calls; `extensions.retryAfterSeconds` says when to try again.
    RateLimited,
    /// An organization or a workspace must keep an owner.
    LastOwner,
    /// A user's last workspace cannot be deleted.
    LastWorkspace,
    /// The invitation or the join code has expired, was used up, answered, revoked or switched off, or
    /// the viewer was removed and not invited again.
    InviteUnusable,
    /// The document is too deep, too complex or too long.
    QueryTooComplex,
    /// The document could not be parsed.
    GraphqlParseFailed,
    /// The document, its variables or the operation's name do not fit the schema.
    GraphqlValidationFailed,
    /// No persisted document has this hash.
    PersistedQueryNotFound,
    /// The request took too long and was stopped; nothing was changed. May be tried again.
    Timeout,
    /// The database, the identity provider or the file store cannot be reached, or the server is
    /// shutting down. A query can be sent again; a mutation may have been carried out, so check
    /// before sending it again.
    Unavailable,
    /// The server failed. The message does not say why; the log line can be found by
    /// `extensions.requestId`.
    Internal,
}

/// The result of a field that may be `null`: its value, nothing, or an error that makes it `null`.
/// As a `Result<Option<T>>`, the error would make the field's parent `null` as well.
pub type Nullable<T> = Option<async_graphql::Result<T>>;

/// Turns a result into a [`Nullable`].
pub fn nullable<T, E: Into<async_graphql::Error>>(result: Result<Option<T>, E>) -> Nullable<T> {
    result.map_err(Into::into).transpose()
}

/// Checks whether the request failed before anything was executed; the response then has no `data`.
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && response.errors.iter().all(|error| error.path.is_empty())
        && !response.errors.is_empty()
}

/// Checks whether nothing was executed because the document or its variables do not fit the schema.
/// Must be called before [`finish`].
pub fn is_invalid(response: &Response) -> bool {
    is_request_error(response) && response.errors.iter().all(|error| error.source.is_none())
}

/// Gives every error in the response its path and code, and logs those that are the server's fault.
pub fn finish(response: &mut Response, request_id: &str) {
    for error in &mut response.errors {
        if let Some(path) = located(error).map(|located| located.path.clone()) {
            error.path = path;
        }
        let source = error.source.take();
        match source.as_deref().and_then(of_source) {
            Some(own) => extend(error, own, request_id),
            // Everything else comes from async-graphql: the document or a variable does not fit the
            // schema.
            None => set(error, "code", Code::GraphqlValidationFailed.as_str()),
        }
    }
}

type Source = dyn Any + Send + Sync;

/// The source of an error and the path at which it occurred.
pub struct Located {
    source: Option<Arc<Source>>,
    /// The path of the field that failed.
    pub path: Vec<PathSegment>,
}

/// Returns where an error occurred, if that was [kept](keep_path).
pub fn located(error: &ServerError) -> Option<&Located> {
    error.source.as_deref()?.downcast_ref()
}

/// Keeps an error's path, which async-graphql truncates as the error leaves a list or a simple
/// object.
pub fn keep_path(error: ServerError) -> ServerError {
    if located(&error).is_some() {
        return error;
    }
    let path = error.path.clone();
    let source = error.source;
    ServerError {
        source: Some(Arc::new(Located { source, path })),
        ..error
    }
}

/// Returns our own error behind this one, unless it comes from async-graphql.
pub fn own(error: &ServerError) -> Option<&Error> {
    error.source.as_deref().and_then(of_source)
}

fn of_source(source: &Source) -> Option<&Error> {
    if let Some(located) = source.downcast_ref::<Located>() {
        return located.source.as_deref().and_then(of_source);
    }
    let shared = source.downcast_ref::<Arc<Error>>().map(AsRef::as_ref);
    source.downcast_ref::<Error>().or(shared)
}

fn extend(error: &mut ServerError, own: &Error, request_id: &str) {
    let code = own.code();
    set(error, "code", code.as_str());
    match own {
        Error::InvalidInput(violations) | Error::Taken(violations) => {
            let violations = violations.iter().map(|violation| {
                Value::from_json(serde_json::json!({
                    "field": violation.field,
                    "message": violation.message,
                }))
                .unwrap_or_default()
            });
            set(error, "violations", Value::List(violations.collect()));
        }
        Error::LimitReached { name, limit } => {
            set(error, "limitName", *name);
            set(error, "limit", *limit);
        }
        Error::MustHandOver(organizations) => {
            let blocking = organizations.iter().map(|(id, name)| {
                Value::from_json(serde_json::json!({ "id": id, "name": name })).unwrap_or_default()
            });
            set(error, "blockedBy", Value::List(blocking.collect()));
        }
        Error::RateLimited(_) => set(error, "retryAfterSeconds", own.retry_after_seconds()),
        _ => {}
    }
    match code {
        Code::Internal => {
            set(error, "requestId", request_id);
            let (path, details) = (dotted(&error.path), own.details());
            tracing::error!(request_id, path, error = details, "the server failed");
        }
        Code::Unavailable | Code::Timeout => {
            let (path, details) = (dotted(&error.path), own.details());
            let what = match own {
                Error::Database(_) | Error::NoConnection(_) => "the database failed",
                Error::NoIssuer(_) => "the identity provider cannot be reached",
                _ => "the request could not be completed",
            };
            tracing::warn!(request_id, path, error = details, "{what}");
        }
        _ => {}
    }
}

/// Joins a path's segments with dots, such as `workspaces.nodes.0.name`.
fn dotted(path: &[PathSegment]) -> String {
    let segments = path.iter().map(|segment| match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    });
    segments.collect::<Vec<_>>().join(".")
}

fn set(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error.extensions.get_or_insert_default().set(name, value);
}
