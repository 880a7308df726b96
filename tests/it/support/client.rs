//! A client that sends GraphQL requests.

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// A client that sends GraphQL requests, signed in or not.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// A reply as it arrived.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    /// Sends a request and returns the reply. The body is `null` if it is not JSON.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole body");
        Self {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    /// Returns the code of the first error, or an empty text if there is no error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
    }

    /// Returns the message of the first error, or an empty text if there is no error.
    pub fn message(&self) -> &str {
        self.body["errors"][0]["message"]
            .as_str()
            .unwrap_or_default()
    }

    /// Returns the extensions of the first error.
    pub fn extensions(&self) -> &Value {
        &self.body["errors"][0]["extensions"]
    }

    /// Returns how many seconds to wait, according to both the error and the header, which must agree.
    pub fn retry_after(&self) -> i64 {
        assert_eq!(self.status, StatusCode::OK);
        assert_eq!(self.code(), "RATE_LIMITED", "{:#}", self.body);
        let seconds = self.extensions()["retryAfterSeconds"].as_i64();
        let header = self.header("retry-after").parse().expect("a number");
        assert_eq!(seconds, Some(header));
        header
    }

    /// Returns a header, or an empty text if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(HeaderValue::to_str);
        value.and_then(Result::ok).unwrap_or_default()
    }

    /// Returns the fields of the first error's violations.
    pub fn violations(&self) -> Vec<&str> {
        let violations = self.extensions()["violations"].as_array();
        violations
            .into_iter()
            .flatten()
            .filter_map(|v| v["field"].as_str())
            .collect()
    }
}

impl Client {
    pub(super) fn new(http: reqwest::Client, url: &str, token: Option<String>) -> Self {
        Self {
            http,
            url: url.to_owned(),
            token,
        }
    }

    /// Sends an operation.
    pub async fn send(&self, query: &str, variables: Value) -> Reply {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(format!("{}/graphql", self.url)).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let reply = Reply::to(request).await;
        assert!(reply.body.is_object(), "the answer is JSON");
        reply
    }

    /// Returns the `data` of an operation that must succeed.
    pub async fn ok(&self, query: &str, variables: Value) -> Value {
        let mut reply = self.send(query, variables).await;
        assert!(
            reply.body.get("errors").is_none(),
            "{query}\n{:#}",
            reply.body
        );
        reply.body["data"].take()
    }

    /// Returns the reply to an operation that must be refused with this code.
    pub async fn refused(&self, code: &str, query: &str, variables: Value) -> Reply {
        let reply = self.send(query, variables).await;
        assert_eq!(reply.code(), code, "{query}\n{:#}", reply.body);
        reply
    }

    /// Returns the payload of a mutation with this input, with `selection` as its selection set. The
    /// input's type is named after the mutation, as all are.
    pub async fn mutate(&self, mutation: &str, input: Value, selection: &str) -> Value {
        let query = mutation_document(mutation, selection);
        self.ok(&query, json!({ "input": input })).await[mutation].take()
    }

    /// Returns the reply to a mutation that must be refused with this code.
    pub async fn mutate_refused(&self, code: &str, mutation: &str, input: Value) -> Reply {
        let query = mutation_document(mutation, "__typename");
        self.refused(code, &query, json!({ "input": input })).await
    }

    /// Returns the reply to a mutation, whatever it is. For a mutation without input, `input` is `null`.
    pub async fn try_mutate(&self, mutation: &str, input: Value, selection: &str) -> Reply {
        if input.is_null() {
            let query = format!("mutation {{ {mutation} {{ {selection} }} }}");
            return self.send(&query, json!({})).await;
        }
        self.send(
            &mutation_document(mutation, selection),
            json!({ "input": input }),
        )
        .await
    }
}

fn mutation_document(mutation: &str, selection: &str) -> String {
    let kind = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
    format!("mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {selection} }} }}")
}
