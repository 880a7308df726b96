//! Refuses documents that would cost too much, before anything walks them.
//!
//! async-graphql's validator carries fragments out as often as they are spread, so that a document
//! of 1 KB can hold it for minutes, and its own limits are counted by walking in the same way. Some
//! of its rules also report an error for each pair of things that do not fit together, and all of
//! them keep every error. So everything here is counted without being carried out:
//!
//! ```text
//! text ─ check_text ─ parse_query ─ document ─ check ─ async-graphql: validate, execute
//! ```
//!
//! Each definition is walked once, and what a fragment amounts to is known before the first
//! definition that spreads it. All of it takes time linear in the request's size.
//!
//! A document that passes may still be wrong: what does not fit the schema is counted as little as
//! possible and left to the validator.

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

/// How many tokens a document may have.
pub const MAX_TOKENS: usize = 10_000;

/// How deep brackets, braces and parentheses may be nested, taken together.
///
/// The parser is recursive and bounds selection sets alone, at 65 braces and with an error of its
/// own. A document at the greatest depth allowed has 15 braces, and JSON written into it is 16 deep.
pub const MAX_BRACKETS: usize = 64;

/// How deep fields may be nested.
pub const MAX_DEPTH: usize = 15;

/// How deep selection sets may be nested, those of fragments included: what bounds the recursion of
/// all that walks a document later. The schema's `limit_recursive_depth` must not be less, or its
/// own error comes first.
pub const MAX_NESTING: usize = 64;

/// How many fields a document may come to once its fragments are expanded.
pub const MAX_FIELDS: usize = 5_000;

/// How many aliases one field of one type may have in an operation.
pub const MAX_ALIASES: usize = 30;

/// How many directives may stand in one place.
pub const MAX_DIRECTIVES: usize = 20;

/// How many objects the lists of an operation may come to.
pub const MAX_OBJECTS: usize = 10_000;

/// How many values an operation may be answered with: those of each object, for as many objects as the lists
/// come to.
const MAX_ANSWERED: usize = 250_000;

/// How many values the arguments of a document may come to once its fragments are expanded. The
/// validator checks the variables among them for each operation that reaches them.
///
/// No document without fragments can pass it, each value being a token.
const MAX_VALUES: usize = 10_000;

/// How much may be copied of variables: see [`expansion`]. Nothing that uses each variable once can
/// pass it within a body of 1 MiB.
const MAX_COPIED: usize = 1_000_000;

/// How many comparisons of fields with one another the validator may make, each with an error of
/// some hundred bytes if it fails. An operation of 5,000 fields takes as many, times the arguments
/// of the one that has most, and again for each fragment inside a fragment.
const MAX_COMPARED: usize = 50_000;

/// How many values an answer about the schema may come to, by estimate. What introspection queries
/// of tools ask for is estimated at a quarter of it.
const MAX_INTROSPECTED: usize = 200_000;

/// Refuses a document that would cost too much to validate or to execute.
///
/// The whole document is bounded, so that validating it stays cheap; what lists cost is counted for
/// `operation`, the one of it that will run, and given back.
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

/// Refuses a document that asks about the schema, wherever in it. Executing it would give `null` for what
/// cannot be.
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
        // Fragments are looked at by themselves.
        Selection::FragmentSpread(_) => false,
    })
}

/// Refuses a default whose type does not exist: of a list of such a type, the validator panics.
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

/// Whether a field asks about the schema: what is below it has no depth and is no list of objects.
fn is_introspection(field: &str) -> bool {
    matches!(field, "__schema" | "__type")
}

/// Refuses more than `most`; `asks` says what was asked for, given how many.
fn at_most(most: usize, asked: usize, asks: impl FnOnce(&str) -> String) -> Result<(), Error> {
    /// Past this, counts may be cut short, and tell nobody more than that there are too many.
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

/// A number with a comma after each third digit from the right.
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
