//! What must hold for every reply, whatever was asked.

use std::time::Duration;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{OperationType, Selection};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::model::Model;

/// How long a reply may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for the next event of a subscription, which may never come.
const NEXT_EVENT: Duration = Duration::from_millis(20);

/// A reply as far as it was read.
pub struct Reply {
    pub status: StatusCode,
    pub media: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads a reply to its end, or, if it may be endless, only what comes at once.
    pub async fn read(mut response: Response, may_be_endless: bool) -> Result<Self, String> {
        let media = response.headers().get(CONTENT_TYPE);
        let media = media
            .and_then(|media| media.to_str().ok())
            .unwrap_or_default();
        let media = media.to_owned();
        let status = response.status();
        let mut body = Vec::new();
        if may_be_endless && media.starts_with("text/event-stream") {
            while let Ok(chunk) = tokio::time::timeout(NEXT_EVENT, response.chunk()).await {
                match chunk.map_err(|error| error.to_string())? {
                    Some(chunk) => body.extend(chunk),
                    None => break,
                }
            }
        } else {
            body = response
                .bytes()
                .await
                .map_err(|error| error.to_string())?
                .into();
        }
        Ok(Self {
            status,
            media,
            body,
        })
    }

    /// Returns the reply's JSON, if it has some, or what is wrong with it.
    pub fn judge(&self, model: &Model, is_graphql: bool) -> Result<Value, String> {
        if self.status.is_server_error() {
            return Err(format!("the status is {}", self.status));
        }
        if self.media.starts_with("text/event-stream") {
            let text = std::str::from_utf8(&self.body).map_err(|_| "the events are no text")?;
            for data in text.lines().filter_map(|line| line.strip_prefix("data:")) {
                if !data.trim().is_empty() && text.ends_with('\n') {
                    let event = serde_json::from_str(data).map_err(|_| "an event is no JSON")?;
                    graphql(&event, model)?;
                }
            }
            return Ok(Value::Null);
        }
        if self.media.contains("json") {
            let body = serde_json::from_slice(&self.body).map_err(|_| "the body is no JSON")?;
            graphql(&body, model)?;
            return Ok(body);
        }
        if is_graphql && !self.media.starts_with("text/html") {
            return Err(format!("the media type is {:?}", self.media));
        }
        Ok(Value::Null)
    }
}

/// Checks that a GraphQL reply has `data` or `errors`, and that each error has a promised code that does
/// not mean that the server failed.
fn graphql(body: &Value, model: &Model) -> Result<(), String> {
    let errors = match body.get("errors") {
        None if body.get("data").is_some() => return Ok(()),
        Some(Value::Array(errors)) if !errors.is_empty() => errors,
        _ => return Err("there is neither data nor an error".to_owned()),
    };
    for error in errors {
        let code = error["extensions"]["code"].as_str().unwrap_or_default();
        if !model.values("ErrorCode").iter().any(|known| known == code) {
            return Err(format!("the code {code:?} is none"));
        }
        if matches!(code, "INTERNAL" | "TIMEOUT" | "UNAVAILABLE") {
            return Err(format!("the code is {code}"));
        }
        if !error["message"].is_string() {
            return Err("an error has no message".to_owned());
        }
    }
    Ok(())
}

/// Whether the reply says that nothing was done: it was refused before it began, or its document is a
/// single mutation that was refused as a whole.
pub fn is_refused(reply: &Value, document: Option<&str>) -> bool {
    let Some(errors) = reply["errors"].as_array() else {
        return false;
    };
    if !reply["data"].is_null() {
        return false;
    }
    let steps = |error: &Value| error["path"].as_array().map_or(0, Vec::len);
    let most = errors.iter().map(steps).max();
    most == Some(0) || most == Some(1) && document.is_some_and(is_one_mutation)
}

fn is_one_mutation(document: &str) -> bool {
    let Ok(document) = parse_query(document) else {
        return false;
    };
    let mut operations = document.operations.iter();
    let (Some((_, operation)), None) = (operations.next(), operations.next()) else {
        return false;
    };
    let items = &operation.node.selection_set.node.items;
    operation.node.ty == OperationType::Mutation
        && items.len() == 1
        && matches!(items[0].node, Selection::Field(_))
}
