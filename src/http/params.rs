//! The parameters of a GraphQL request, from a JSON document or a URL.

use async_graphql::{Request, Variables};
use serde_json::{Map, Value};

use super::documents::{Asked, DocumentHash};

/// The most values that the variables may hold. Each takes some hundred bytes while the request is
/// handled, whether or not the document uses it.
const MOST_VALUES: usize = 100_000;

/// The parameters of a GraphQL request.
#[derive(Debug)]
pub struct Params {
    asked: Asked,
    operation_name: Option<String>,
    variables: Map<String, Value>,
}

impl Params {
    /// Reads the body of a POST.
    ///
    /// # Errors
    /// What is wrong with it, in words for the client.
    pub fn of_json(body: &[u8]) -> Result<Self, &'static str> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Self::of_object(object),
            Ok(Value::Array(_)) => Err("Batches are not supported: send one request at a time."),
            Ok(_) => Err("The request's body must be a JSON object."),
            Err(_) => Err("The request's body is not JSON."),
        }
    }

    /// Reads the query string of a GET.
    ///
    /// # Errors
    /// What is wrong with it, in words for the client.
    pub fn of_query(query: &str) -> Result<Self, &'static str> {
        let mut object = Map::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = match name.as_ref() {
                "query" | "operationName" | "documentId" => Value::String(value.into_owned()),
                "variables" | "extensions" => serde_json::from_str(&value)
                    .map_err(|_| "The parameters variables and extensions must be JSON.")?,
                _ => continue,
            };
            object.insert(name.into_owned(), value);
        }
        Self::of_object(object)
    }

    /// Reads a JSON object with the members of a POST body.
    ///
    /// # Errors
    /// What is wrong with it, in words for the client.
    pub fn of_object(mut object: Map<String, Value>) -> Result<Self, &'static str> {
        let query = match object.remove("query") {
            // Some clients send an empty document, or null, alongside a hash.
            None | Some(Value::Null) => None,
            Some(Value::String(query)) => Some(query),
            Some(_) => return Err("The parameter query must be a string."),
        };
        let operation_name = match object.remove("operationName") {
            None | Some(Value::Null) => None,
            // Some clients send an empty name for the only operation.
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err("The parameter operationName must be a string."),
        };
        let variables = match object.remove("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) if count(variables.values()) > MOST_VALUES => {
                return Err("The parameter variables may hold at most 100,000 values.");
            }
            Some(Value::Object(variables)) => variables,
            Some(_) => return Err("The parameter variables must be an object."),
        };
        let persisted = match object.remove("extensions") {
            None | Some(Value::Null) => None,
            Some(Value::Object(mut extensions)) => persisted(extensions.remove("persistedQuery"))?,
            Some(_) => return Err("The parameter extensions must be an object."),
        };
        let hash = match (identified(object.remove("documentId"))?, persisted) {
            (Some(one), Some(other)) if one != other => {
                return Err("The parameters documentId and extensions name different documents.");
            }
            (one, other) => one.or(other),
        };
        let asked = match (query, hash) {
            (Some(query), None) => Asked::Text(query),
            (Some(query), Some(hash)) if query.is_empty() => Asked::Hash(hash),
            (None, Some(hash)) => Asked::Hash(hash),
            (Some(query), Some(hash)) => Asked::Both(query, hash),
            (None, None) => return Err("The parameter query is missing."),
        };
        Ok(Self {
            asked,
            operation_name,
            variables,
        })
    }

    /// Splits off the document that is asked for, and returns the rest as a request without a document.
    pub fn split(self) -> (Asked, Request) {
        let variables = Variables::from_json(Value::Object(self.variables));
        let request = Request::new("").variables(variables);
        let request = match self.operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        };
        (self.asked, request)
    }
}

/// Counts the values, including nested ones.
fn count<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let one = |value: &Value| match value {
        Value::Array(items) => 1 + count(items.iter()),
        Value::Object(fields) => 1 + count(fields.values()),
        _ => 1,
    };
    values.map(one).sum()
}

/// The hash in `documentId`, as in the appendix on persisted documents of GraphQL over HTTP.
fn identified(id: Option<Value>) -> Result<Option<DocumentHash>, &'static str> {
    let id = match id {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(id)) => id,
        Some(_) => return Err("The parameter documentId must be a string."),
    };
    let hash = id.strip_prefix("sha256:").and_then(DocumentHash::parse);
    let hash = hash.ok_or("The parameter documentId must be sha256: and 64 hexadecimal digits.")?;
    Ok(Some(hash))
}

/// The hash in `extensions.persistedQuery`, as clients send it for automatic persisted queries.
fn persisted(extension: Option<Value>) -> Result<Option<DocumentHash>, &'static str> {
    let extension = match extension {
        None | Some(Value::Null) => return Ok(None),
        Some(extension) => extension,
    };
    if extension["version"] != 1 {
        return Err("The extension persistedQuery must be of version 1.");
    }
    let hash = extension["sha256Hash"]
        .as_str()
        .and_then(DocumentHash::parse);
    let hash =
        hash.ok_or("The extension persistedQuery needs sha256Hash: 64 hexadecimal digits.")?;
    Ok(Some(hash))
}
