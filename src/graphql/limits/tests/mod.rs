mod cost;
mod document;
mod hostile;
mod properties;
mod text;

use std::fmt::Write;

use async_graphql::Variables;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};

use super::{Shape, check, check_text};
use crate::error::{Error, ErrorCode};

/// The introspection query of common tools; its `TypeRef` is as deep as theirs.
const INTROSPECTION: &str = include_str!("introspection.graphql");

fn shape() -> Shape {
    Shape::of(include_str!("schema.graphql"))
}

/// Checks a request for the only operation of a document.
fn ask(query: &str) -> Result<(), Error> {
    ask_with(query, None, "{}")
}

/// Checks a request; the variables are JSON.
fn ask_with(query: &str, operation: Option<&str>, variables: &str) -> Result<(), Error> {
    check_text(query)?;
    let document = parse_query(query).unwrap();
    let variables = Variables::from_json(serde_json::from_str(variables).unwrap());
    let operation = chosen(&document, operation);
    check(&shape(), &document, operation, &variables).map(drop)
}

/// Returns the operation of that name, or the first if there is none.
fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> &'a OperationDefinition {
    let operations = || document.operations.iter();
    let named = operations().find(|(own, _)| own.map(|own| own.as_str()) == name);
    &named.or_else(|| operations().next()).unwrap().1.node
}

/// Returns the message for a document that asks for too much, or an empty string if it passes.
fn told<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => String::new(),
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::QueryTooComplex, "{error}");
            error.to_string()
        }
    }
}

/// Concatenates `count` pieces of text, each made from its number.
fn each(count: usize, piece: impl Fn(usize) -> String) -> String {
    (1..=count).map(piece).collect()
}

/// Returns fragments F0 to Fn on `ty`, each of which spreads the next one `width` times; the last
/// one is `{ leaf }`.
fn tower(levels: usize, width: usize, ty: &str, leaf: &str) -> String {
    let mut text = String::new();
    for level in 0..levels {
        let spreads = format!("...F{} ", level + 1).repeat(width);
        write!(text, "fragment F{level} on {ty} {{ {spreads}}} ").unwrap();
    }
    write!(text, "fragment F{levels} on {ty} {{ {leaf} }}").unwrap();
    text
}
