//! Turning the parameters of a request into an operation that may be run.

use std::collections::HashSet;
use std::sync::Arc;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Request};

use super::budget::Payer;
use super::operation::{Checked, word};
use super::params::Params;
use super::refusal::Refusal;
use super::request_id::RequestId;
use super::state::State;
use crate::db::Tally;
use crate::error::ErrorCode;
use crate::graphql::{check_document, check_variables, has_null, length, limits, repeated_field};
use crate::telemetry;

/// Returns the request that a client's parameters make, and the operation to run, whose cost will be
/// charged to `payer`. If the operation is refused, the refusal is counted; if not, a document that came
/// with its hash is remembered.
pub fn prepare(
    state: &State,
    params: Params,
    payer: Payer,
    id: &RequestId,
) -> Result<(Request, Checked), Refusal> {
    let (asked, mut request) = params.split();
    let prepared = state.documents.find(asked).and_then(|found| {
        let checked = check(state, found.text(), &mut request, payer, id)?;
        state.documents.remember(found);
        Ok((request, checked))
    });
    prepared.inspect_err(|refusal| {
        state.app.metrics.refused_operation(refusal.code.as_str());
    })
}

/// Checks the document, and returns the operation to run. The cost is checked before anything expensive;
/// then the document, and the values in it and in its variables. Variables that the operation does not
/// declare are dropped from the request: the specification ignores them, and there may be any number of
/// them.
fn check(
    state: &State,
    text: &Arc<str>,
    request: &mut Request,
    payer: Payer,
    id: &RequestId,
) -> Result<Checked, Refusal> {
    let name = request.operation_name.as_deref();
    let parsed = state.parsed.parse(text, name)?;
    let document = parsed.document();
    let (own_name, operation) = choose(document, name)?;
    let declared = operation.node.variable_definitions.iter();
    let declared: HashSet<&Name> = declared.map(|it| &it.node.name.node).collect();
    request.variables.retain(|name, _| declared.contains(name));
    let variables = &request.variables;
    let cost = parsed.cost(&operation.node, || {
        let cost = limits::check(&state.shape, document, &operation.node, variables);
        cost.map(|cost| cost.total())
    })?;
    if !state.app.config.graphql.introspection {
        limits::refuse_introspection(document)?;
    }
    if operation.node.ty == OperationType::Mutation
        && let Some(key) = repeated_field(document, &operation.node.selection_set.node)
    {
        let message = format!("The mutation selects {key} more than once; use an alias.");
        return Err(Refusal::invalid(message, operation.pos));
    }
    if operation.node.ty == OperationType::Subscription {
        check_root(&operation.node.selection_set)?;
    }
    if !parsed.is_valid() || has_null(&operation.node, variables) {
        check_document(&state.shape, document, &operation.node, variables)?;
    }
    check_variables(&state.shape, &operation.node, variables)?;
    let kind = operation.node.ty;
    let root = &operation.node.selection_set.node;
    let field = match first_field(document, root) {
        Some(field) if field.starts_with("__") => "introspection",
        Some(field) if state.shape.has_root_field(kind, field) => field,
        Some(_) | None => "other",
    };
    let own_name = own_name.map(|name| name.as_str());
    Ok(Checked {
        id: id.clone(),
        kind,
        field: field.to_owned(),
        name: own_name.map(|name| telemetry::short(name).to_owned()),
        statements: Tally::default(),
        span: telemetry::operation(&id.trace, word(kind), field, own_name),
        bytes: text.len() + variables.values().map(length).sum::<usize>(),
        cost,
        payer,
        is_valid: parsed.is_valid(),
        is_about_schema: is_about_schema(&operation.node),
        parsed,
    })
}

/// Returns the operation of that name, or the only one, along with its own name.
fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a Name>, &'a Positioned<OperationDefinition>), Refusal> {
    let mut operations = document.operations.iter();
    let chosen = match name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    chosen.ok_or_else(|| {
        let message = match name {
            Some(name) => format!("The document has no operation named {name}."),
            None => "The document has several operations; give operationName.".to_owned(),
        };
        Refusal::new(ErrorCode::GraphqlValidationFailed, message)
    })
}

/// Whether the operation queries only the schema, so that its answer is always the same.
fn is_about_schema(operation: &OperationDefinition) -> bool {
    let mut selections = operation.selection_set.node.items.iter();
    operation.variable_definitions.is_empty()
        && selections.all(|selection| match &selection.node {
            Selection::Field(field) => field.node.name.node.starts_with("__"),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        })
}

/// The field that the operation selects first, unless it is nested in too many fragments.
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

/// Checks that a subscription selects a single field, as the specification demands. async-graphql would
/// run several at once, and ignores fragments.
fn check_root(root: &Positioned<SelectionSet>) -> Result<(), Refusal> {
    let is_one = match root.node.items.as_slice() {
        [one] => match &one.node {
            Selection::Field(field) => !field.node.name.node.starts_with("__"),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        },
        _ => false,
    };
    if is_one {
        return Ok(());
    }
    let message =
        "A subscription must select exactly one field of Subscription, not through a fragment.";
    Err(Refusal::invalid(message, root.pos))
}
