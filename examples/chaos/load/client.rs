//! A person's client, which sends operations to either server and records their results.

use std::sync::Arc;

use serde_json::{Value, json};

use super::person::die;
use crate::instance::Token;
use crate::journal::Journal;

/// The error codes of refusals by the server's rules.
const RULES: [&str; 9] = [
    "FORBIDDEN",
    "NOT_FOUND",
    "SLUG_TAKEN",
    "CONFLICT",
    "LIMIT_REACHED",
    "RATE_LIMITED",
    "LAST_OWNER",
    "LAST_WORKSPACE",
    "INVITE_UNUSABLE",
];

/// Sends operations to either server.
pub struct Client {
    http: reqwest::Client,
    urls: Arc<[String]>,
    secret: String,
    journal: Arc<Journal>,
}

impl Client {
    pub fn new(
        http: reqwest::Client,
        urls: &Arc<[String]>,
        token: &Token,
        journal: &Arc<Journal>,
    ) -> Self {
        Self {
            http,
            urls: urls.clone(),
            secret: token.secret.clone(),
            journal: journal.clone(),
        }
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns the data of an operation. `None` if it was refused or failed, which is recorded.
    pub async fn send(&self, name: &'static str, query: &str, variables: Value) -> Option<Value> {
        let server = die(self.urls.len());
        let body = json!({ "query": query, "variables": variables });
        let request = self.http.post(format!("{}/graphql", self.urls[server]));
        let request = request.bearer_auth(&self.secret).json(&body);
        let answered = async { request.send().await?.json::<Value>().await };
        let mut answer = match answered.await {
            Ok(answer) => answer,
            Err(error) => {
                let how = match error.is_timeout() {
                    true => "no answer",
                    false => "connection",
                };
                self.journal.failed(name, server, how.to_owned());
                // A person who cannot connect does not retry continuously.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                return None;
            }
        };
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        match code {
            None if answer["errors"].is_null() => {
                self.journal.acknowledged(name, server);
                Some(answer["data"].take())
            }
            Some(code) if RULES.contains(&code) => {
                self.journal.refused(name);
                None
            }
            code => {
                let how = code.map_or_else(|| answer.to_string(), str::to_owned);
                self.journal.failed(name, server, how);
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                None
            }
        }
    }

    /// Like [`Client::send`], but returns the payload of a mutation.
    pub async fn mutate(&self, name: &'static str, input: Value, selection: &str) -> Option<Value> {
        let kind = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let query =
            format!("mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {selection} }} }}");
        let mut data = self.send(name, &query, json!({ "input": input })).await?;
        Some(data[name].take())
    }

    /// Opens the stream of a subscription on one of the servers.
    pub async fn stream(
        &self,
        server: usize,
        query: &str,
        variables: Value,
    ) -> reqwest::Result<reqwest::Response> {
        let body = json!({ "query": query, "variables": variables });
        let url = format!("{}/graphql/stream", self.urls[server]);
        let request = self.http.post(url).bearer_auth(&self.secret).json(&body);
        request.send().await?.error_for_status()
    }
}
