//! Refusals of documents.

use async_graphql::{Pos, parser};
use serde_json::{Value, json};

use super::operation::errors;
use crate::error::{Error, ErrorCode};
use crate::graphql::Misfit;

/// Why a document is not run: a request error, raised before any of it was executed.
#[derive(Debug)]
pub struct Refusal {
    /// The error code.
    pub code: ErrorCode,
    message: String,
    locations: Vec<Pos>,
}

impl Refusal {
    /// A refusal without a location in the document.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            locations: Vec::new(),
        }
    }

    /// A document that is not valid against the schema, because of what is at `at`.
    pub fn invalid(message: impl Into<String>, at: Pos) -> Self {
        Self {
            locations: vec![at],
            ..Self::new(ErrorCode::GraphqlValidationFailed, message)
        }
    }

    /// The body of the reply.
    pub fn body(&self) -> Value {
        let mut body = errors(self.code, &self.message);
        if !self.locations.is_empty() {
            body["errors"][0]["locations"] = json!(self.locations);
        }
        body
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<Misfit> for Refusal {
    fn from(misfit: Misfit) -> Self {
        Self::invalid(misfit.message, misfit.at)
    }
}

impl From<parser::Error> for Refusal {
    fn from(error: parser::Error) -> Self {
        let (code, message) = match &error {
            parser::Error::Syntax { message, .. } => (
                ErrorCode::GraphqlParseFailed,
                format!("The document cannot be parsed: {}.", expected(message)),
            ),
            parser::Error::RecursionLimitExceeded => (
                ErrorCode::QueryTooComplex,
                "The document is nested too deeply.".to_owned(),
            ),
            // It was parsed, but is inconsistent.
            other => (ErrorCode::GraphqlValidationFailed, format!("The {other}.")),
        };
        Self {
            locations: error.positions().collect(),
            ..Self::new(code, message)
        }
    }
}

/// Extracts what the parser expected from its drawing of the position, whose last line names rules of
/// the grammar.
fn expected(drawing: &str) -> String {
    let last = drawing.lines().next_back().unwrap_or_default();
    let rules = last.trim_start_matches([' ', '=']);
    rules.replace("EOI", "the end").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refusal(document: &str) -> Value {
        let error = parse_query(document).expect_err("it cannot be parsed");
        Refusal::from(error).body()["errors"][0].take()
    }

    #[test]
    fn what_cannot_be_parsed_is_told_in_a_line_with_its_place() {
        for (document, expected, line, column) in [
            ("{ viewer { ", "expected selection", 1, 12),
            ("{\n  viewer(id: ) }", "expected value", 2, 14),
            ("", "expected executable definition", 1, 1),
            ("{ a } }", "expected the end or executable definition", 1, 7),
        ] {
            let found = refusal(document);
            let message = format!("The document cannot be parsed: {expected}.");
            assert_eq!(found["message"], message, "{document}");
            let place = json!({ "line": line, "column": column });
            assert_eq!(found["locations"][0], place, "{document}");
        }
    }

    #[test]
    fn what_is_there_twice_was_parsed() {
        let found = refusal("query A { a } query A { b }");
        assert_eq!(found["message"], "The operation A is defined twice.");
        assert_eq!(found["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(found["locations"][0], json!({ "line": 1, "column": 15 }));
    }
}
