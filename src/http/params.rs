//! The parameters of a GraphQL request, from a JSON document or a URL.

use async_graphql::{Request, Variables};
use serde_json::{Map, Value};

/// The parameters of a GraphQL request.
#[derive(Debug)]
pub struct Params {
    query: String,
    operation_name: Option<String>,
    variables: Map<String, Value>,
}

impl Params {
    /// From the body of a POST.
    ///
    /// # Errors
    /// What is wrong with it, for a person to read.
    pub fn of_json(body: &[u8]) -> Result<Self, &'static str> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Self::of_object(object),
            Ok(Value::Array(_)) => Err("Batches are not supported: send one request at a time."),
            Ok(_) => Err("The request's body must be a JSON object."),
            Err(_) => Err("The request's body is not JSON."),
        }
    }

    /// From the query string of a GET.
    ///
    /// # Errors
    /// What is wrong with it, for a person to read.
    pub fn of_query(query: &str) -> Result<Self, &'static str> {
        let mut object = Map::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = match name.as_ref() {
                "query" | "operationName" => Value::String(value.into_owned()),
                "variables" | "extensions" => serde_json::from_str(&value)
                    .map_err(|_| "The parameters variables and extensions must be JSON.")?,
                _ => continue,
            };
            object.insert(name.into_owned(), value);
        }
        Self::of_object(object)
    }

    /// From a JSON object with the members of the body of a POST.
    ///
    /// # Errors
    /// What is wrong with it, for a person to read.
    pub fn of_object(mut object: Map<String, Value>) -> Result<Self, &'static str> {
        let query = match object.remove("query") {
            Some(Value::String(query)) => query,
            Some(_) => return Err("The parameter query must be a string."),
            None => return Err("The parameter query is missing."),
        };
        let operation_name = match object.remove("operationName") {
            None | Some(Value::Null) => None,
            // Some clients send an empty name for the only operation.
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err("The parameter operationName must be a string."),
        };
        let variables = match object.remove("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables,
            Some(_) => return Err("The parameter variables must be an object."),
        };
        match object.remove("extensions") {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(_) => return Err("The parameter extensions must be an object."),
        }
        Ok(Self {
            query,
            operation_name,
            variables,
        })
    }

    /// The same for async-graphql.
    pub fn into_request(self) -> Request {
        let request =
            Request::new(self.query).variables(Variables::from_json(Value::Object(self.variables)));
        match self.operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        }
    }
}
