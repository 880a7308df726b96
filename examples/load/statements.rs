//! The statements of a request, taken from PostgreSQL's log.

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use crate::cluster::Cluster;
use crate::generator::Connection;
use crate::scenario::{Scenario, Tenants};

/// A statement and its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text, with `$1` and so on for the parameters.
    pub text: String,
    /// The parameters in order.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `NULL`.
    Null,
    /// The same value in each request.
    Fixed(String),
    /// A different value in each request.
    Fresh {
        /// The index of the value: the same one may occur in several places.
        nth: usize,
        /// A value that was seen.
        example: String,
    },
}

/// A statement as it was logged, with its values.
type Logged = (String, Vec<Option<String>>);

/// Returns the statements of one request by each person.
pub async fn capture(
    cluster: &Cluster,
    address: SocketAddr,
    tenants: &Tenants,
    scenario: &Scenario,
) -> Result<Vec<Vec<Statement>>> {
    let mut connection = Connection::open(address).await?;
    let mut captured = Vec::new();
    // Names that no run has used.
    let mut nth = usize::try_from(chrono::Utc::now().timestamp_millis())?;
    for person in scenario.people(tenants) {
        // A connection may have noticed late that it has to log its statements.
        let mut tries = 0;
        let statements = loop {
            let mut seen = Vec::new();
            for _ in 0..2 {
                nth += 1;
                let request = scenario.request(person, nth);
                let entries = cluster.logged(connection.ask(&request)).await?;
                let statements = entries
                    .iter()
                    .filter_map(|(message, detail)| parse(message, detail));
                seen.push(statements.collect::<Vec<_>>());
            }
            tries += 1;
            match compare(&seen[0], &seen[1]) {
                Err(_) if tries < 5 => {}
                compared => break compared?,
            }
        };
        captured.push(statements);
    }
    Ok(captured)
}

/// Returns the statement of a log entry. `None` if the entry is about something else.
fn parse(message: &str, detail: &str) -> Option<Logged> {
    let (_, statement) = message.strip_prefix("duration: ")?.split_once(" ms  ")?;
    // Parse and bind have entries of their own.
    let text = match statement.strip_prefix("statement: ") {
        Some(text) => text,
        None => statement.strip_prefix("execute ")?.split_once(": ")?.1,
    };
    // Sent by a task of the process for many requests at once.
    if text.contains("pg_notify") {
        return None;
    }
    let list = detail.strip_prefix("parameters: ").unwrap_or_default();
    Some((text.to_owned(), values(list)))
}

/// Returns the values in a list such as `$1 = 'it''s', $2 = NULL`.
fn values(mut list: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    while let Some((_, rest)) = list.split_once(" = ") {
        let Some(mut quoted) = rest.strip_prefix('\'') else {
            values.push(None);
            list = rest;
            continue;
        };
        let mut value = String::new();
        while let Some((part, rest)) = quoted.split_once('\'') {
            value.push_str(part);
            match rest.strip_prefix('\'') {
                Some(rest) => {
                    value.push('\'');
                    quoted = rest;
                }
                None => {
                    quoted = rest;
                    break;
                }
            }
        }
        values.push(Some(value));
        list = quoted;
    }
    values
}

/// Compares two requests of a kind, to tell fixed parameters from fresh ones.
fn compare(first: &[Logged], second: &[Logged]) -> Result<Vec<Statement>> {
    ensure!(!first.is_empty(), "a request has no statements");
    ensure!(first.len() == second.len(), "{first:?} and {second:?}");
    let mut fresh = Vec::new();
    let mut statements = Vec::new();
    for ((text, values), (same, others)) in first.iter().zip(second) {
        ensure!(text == same, "{text} and {same}");
        let parameters = values.iter().zip(others).map(|pair| match pair {
            (Some(one), Some(other)) if are_same(one, other) => Parameter::Fixed(one.clone()),
            (Some(one), Some(other)) => Parameter::Fresh {
                nth: index_of((one, other), &mut fresh),
                example: one.clone(),
            },
            _ => Parameter::Null,
        });
        statements.push(Statement {
            text: text.clone(),
            parameters: parameters.collect(),
        });
    }
    Ok(statements)
}

/// Whether the values are the same. The order of a list does not matter.
fn are_same(one: &str, other: &str) -> bool {
    let elements = |value: &str| {
        let list = value
            .strip_prefix('{')
            .and_then(|list| list.strip_suffix('}'));
        let mut elements: Vec<_> = list
            .unwrap_or(value)
            .split(',')
            .map(str::to_owned)
            .collect();
        elements.sort_unstable();
        elements
    };
    elements(one) == elements(other)
}

/// Returns the index of the pair in the list, adding it if it is new.
fn index_of<'a>(pair: (&'a String, &'a String), list: &mut Vec<(&'a String, &'a String)>) -> usize {
    list.iter()
        .position(|known| *known == pair)
        .unwrap_or_else(|| {
            list.push(pair);
            list.len() - 1
        })
}
