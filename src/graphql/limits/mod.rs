//! Refuses documents that would cost too much, before anything walks them.
//!
//! async-graphql's validator expands fragments as often as they are spread, so that a document of 1
//! KB can keep it busy for minutes, and its own limits are counted by the same kind of walk. Some
//! of its rules report an error for each pair of things that do not fit together, and all of them
//! keep every error. So everything here is counted without being expanded:
//!
//! ```text
//! text ─ check_text ─ parse_query ─ document ─ check ─ async-graphql: validate, execute
//! ```
//!
//! Each definition is walked once, and the totals of a fragment are known before the first
//! definition that spreads it. All of this takes time linear in the size of the request.
//!
//! A document that passes may still be invalid: whatever does not fit the schema is counted as
//! little as possible and left to the validator.

mod aliases;
mod cost;
mod expansion;
mod fragments;
#[cfg(test)]
mod tests;
mod text;

use async_graphql::Variables;
use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};

use super::shape::{Shape, named};
use crate::error::{Error, ErrorCode};
pub use cost::Cost;
use fragments::Fragments;
pub use text::check_text;

/// The maximum number of tokens in a document.
pub const MAX_TOKENS: usize = 10_000;

/// The maximum nesting of brackets, braces and parentheses, counted together.
///
/// The parser is recursive and only bounds selection sets, at 65 braces and with an error of its
/// own. A document at the greatest depth allowed has 15 braces, and JSON written in it is up to 16
/// deep.
pub const MAX_BRACKETS: usize = 64;

/// The maximum nesting of fields.
pub const MAX_DEPTH: usize = 15;

/// The maximum nesting of selection sets, including those of fragments. It bounds the recursion of
/// everything that walks a document later. The schema's `limit_recursive_depth` must not be less,
/// or its own error comes first.
pub const MAX_NESTING: usize = 64;

/// The maximum number of fields in a document once its fragments are expanded.
pub const MAX_FIELDS: usize = 5_000;

/// The maximum number of aliases of one field of one type in an operation.
pub const MAX_ALIASES: usize = 30;

/// The maximum number of directives in one place.
pub const MAX_DIRECTIVES: usize = 20;

/// The maximum number of objects in an operation's lists.
pub const MAX_OBJECTS: usize = 10_000;

/// The maximum number of values in an operation's response: those of each object, for as many
/// objects as the lists have.
const MAX_ANSWERED: usize = 250_000;

/// The maximum number of values in a document's arguments once its fragments are expanded. The
/// validator checks the variables among them for each operation that reaches them.
///
/// No document without fragments can exceed it, because each value is a token.
const MAX_VALUES: usize = 10_000;

/// The maximum amount copied of variables: see [`expansion`]. A request that uses each variable
/// once cannot exceed it within a body of 1 MiB.
const MAX_COPIED: usize = 1_000_000;

/// The maximum number of comparisons between fields that the validator may make, each with an error
/// of some hundred bytes if it fails. An operation of 5,000 fields takes as many, times the
/// greatest number of arguments on one of them, and again for each fragment inside a fragment.
const MAX_COMPARED: usize = 50_000;

/// The maximum number of values in a response about the schema, by estimate. The estimate for the
/// introspection queries of common tools is a quarter of it.
const MAX_INTROSPECTED: usize = 200_000;

/// Refuses a document that would cost too much to validate or to execute.
///
/// The whole document is bounded, so that validating it stays cheap; the cost of lists is counted
/// for `operation`, the one that will run, and returned.
pub fn check(
    shape: &Shape,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<Cost, Error> {
    let fragments = Fragments::of(document)?;
    expansion::check(document, &fragments, variables)?;
    for (_, operation) in document.operations.iter() {
        aliases::check(shape, document, &operation.node)?;
    }
    check_defaults(shape, document)?;
    cost::check(shape, &fragments, operation, variables)
}

/// Refuses a document that asks about the schema anywhere. Executing it would return `null` for
/// what must not be answered.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED`.
pub fn refuse_introspection(document: &ExecutableDocument) -> Result<(), Error> {
    let operations = document
        .operations
        .iter()
        .map(|(_, it)| &it.node.selection_set);
    let fragments = document.fragments.values().map(|it| &it.node.selection_set);
    if operations
        .chain(fragments)
        .any(|set| introspects(&set.node))
    {
        let message = "Introspection is switched off.";
        return Err(Error::Refused(
            ErrorCode::GraphqlValidationFailed,
            message.into(),
        ));
    }
    Ok(())
}

fn introspects(set: &SelectionSet) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => {
            is_introspection(&field.node.name.node) || introspects(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => introspects(&fragment.node.selection_set.node),
        // Fragments are checked by themselves.
        Selection::FragmentSpread(_) => false,
    })
}

/// Refuses a default whose type does not exist: the validator panics if it is a list of such a
/// type.
fn check_defaults(shape: &Shape, document: &ExecutableDocument) -> Result<(), Error> {
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            let name = named(&variable.node.var_type.node);
            if variable.node.default_value.is_some() && !shape.has_type(name) {
                return Err(Error::Refused(
                    ErrorCode::GraphqlValidationFailed,
                    format!("Unknown type \"{name}\".").into(),
                ));
            }
        }
    }
    Ok(())
}

/// Returns whether a field asks about the schema: anything below it has no depth and is no list of
/// objects.
fn is_introspection(field: &str) -> bool {
    matches!(field, "__schema" | "__type")
}

/// Refuses more than `most`; `asks` completes the message, given the number.
fn at_most(most: usize, asked: usize, asks: impl FnOnce(&str) -> String) -> Result<(), Error> {
    /// Counts may saturate beyond this, and greater numbers tell nobody more than that they are too
    /// many.
    const MANY: usize = 1_000_000_000;

    if asked <= most {
        return Ok(());
    }
    let said = if asked > MANY {
        format!("more than {}", grouped(MANY))
    } else {
        grouped(asked)
    };
    let message = format!("{}; at most {} are allowed.", asks(&said), grouped(most));
    Err(Error::Refused(ErrorCode::QueryTooComplex, message.into()))
}

/// Formats a number with thousands separated by commas.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
