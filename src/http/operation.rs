//! An operation, whichever door it came through: checked, then run.

use std::time::Duration;

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::{Positioned, Request, Response as GraphqlResponse, ServerError, Value};
use serde_json::json;

use super::params::Params;
use super::state::State;
use crate::error::{Error, ErrorCode};
use crate::graphql::{RequestContext, limits, repeated_field};

/// Runs the operation. A mutation that has begun runs to its end, even if the client goes away. A
/// query has its time; it is over with that, or with its client, in the database as well.
pub async fn execute(
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

/// The response to what failed as a whole.
pub fn failed(error: Error) -> GraphqlResponse {
    let error = async_graphql::Error::from(error).into_server_error(Default::default());
    GraphqlResponse::from_errors(vec![ServerError {
        locations: Vec::new(),
        ..error
    }])
}

/// An operation that may be run.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its kind.
    pub kind: OperationType,
    /// Its first field, for the metrics: one of the schema's, `introspection` or `other`.
    pub field: String,
}

impl Checked {
    /// Counts that it was run, with the codes of its errors.
    pub fn count(&self, state: &State, errors: &[String], duration: Duration) {
        let kind = match self.kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let error = errors.first().map(String::as_str);
        let metrics = &state.app.metrics;
        metrics.operation(kind, &self.field, error, duration);
    }
}

/// The request that a client's parameters make, and the operation that will run. One that is refused
/// is counted; a document that comes with its hash is remembered if it is not.
pub fn prepare(state: &State, params: Params) -> Result<(Request, Checked), Refusal> {
    let (asked, request) = params.split();
    let prepared = state.documents.find(asked).and_then(|found| {
        let mut request = request(found.text());
        let checked = check(state, &mut request)?;
        state.documents.remember(found);
        Ok((request, checked))
    });
    prepared.inspect_err(|(code, _)| {
        state.app.metrics.refused_operation(code.as_str());
    })
}

/// The operation that will run, once the document is known to be cheap enough to be
/// validated. Also sees that the variables it needs are there, which async-graphql notices only when
/// it comes to the field, with others executed by then.
fn check(state: &State, request: &mut Request) -> Result<Checked, Refusal> {
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
    if operation.node.ty == OperationType::Subscription {
        check_root(&operation.node.selection_set.node)?;
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
    let kind = operation.node.ty;
    let root = &operation.node.selection_set.node;
    let field = match first_field(document, root) {
        Some(field) if field.starts_with("__") => "introspection",
        Some(field) if state.shape.has_root_field(kind, field) => field,
        Some(_) | None => "other",
    };
    Ok(Checked {
        kind,
        field: field.to_owned(),
    })
}

/// The field that an operation selects first, if it is not hidden behind too many fragments.
fn first_field<'a>(document: &'a ExecutableDocument, root: &'a SelectionSet) -> Option<&'a str> {
    let mut set = root;
    for _ in 0..limits::MAX_NESTING {
        set = match &set.items.first()?.node {
            Selection::Field(field) => return Some(&field.node.name.node),
            Selection::InlineFragment(fragment) => &fragment.node.selection_set.node,
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
                &fragment.node.selection_set.node
            }
        };
    }
    None
}

/// The standard has a subscription select one field. async-graphql would follow several at once, and
/// passes over fragments.
fn check_root(root: &SelectionSet) -> Result<(), Refusal> {
    let is_one = match root.items.as_slice() {
        [one] => match &one.node {
            Selection::Field(field) => !field.node.name.node.starts_with("__"),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        },
        _ => false,
    };
    if is_one {
        return Ok(());
    }
    let message = "A subscription selects one field of Subscription, and not by a fragment.";
    Err((ErrorCode::GraphqlValidationFailed, message.to_owned()))
}

/// Why a document is not run, with its code.
pub type Refusal = (ErrorCode, String);

/// The codes of a response's errors.
pub fn codes(response: &GraphqlResponse) -> Vec<String> {
    let code = |error: &ServerError| match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code.clone()),
        _ => None,
    };
    response.errors.iter().filter_map(code).collect()
}

/// The body of a reply that has nothing but an error.
pub fn errors(code: ErrorCode, message: &str) -> serde_json::Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": code.as_str() } }] })
}
