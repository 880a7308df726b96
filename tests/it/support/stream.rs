//! A reader of server-sent events.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::server::TestServer;
use super::wait::PATIENCE;

/// The events of a response.
pub struct Events {
    pub response: Response,
    text: String,
}

impl Events {
    /// Opens the stream of an operation with this token.
    pub async fn of(server: &TestServer, token: &str, query: &str, variables: Value) -> Self {
        let body = json!({ "query": query, "variables": variables });
        let request = server
            .http()
            .post(format!("{}/graphql/stream", server.url()));
        Self::read(request.bearer_auth(token).json(&body)).await
    }

    /// Opens the stream that is the response to a request.
    pub async fn read(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// Returns the next block: the name and data of an event, or a comment. `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk());
            let chunk = chunk.await.expect("something comes");
            let chunk = chunk.expect("the stream is sound")?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    /// Returns the name and data of the next event, skipping comments. `None` at the end.
    pub async fn event(&mut self) -> Option<(String, String)> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim_start().to_owned())
            };
            if let Some(event) = field("event:") {
                return Some((event, field("data:").expect("data")));
            }
        }
    }

    /// Completes when there is a comment.
    pub async fn comment(&mut self) {
        let block = self.block().await.expect("something comes");
        assert!(block.starts_with(':'), "{block:?}");
    }

    /// Returns the next event, which must be a result.
    pub async fn result(&mut self) -> Value {
        let (event, data) = self.event().await.expect("an event");
        assert_eq!(event, "next", "{data}");
        serde_json::from_str(&data).expect("JSON")
    }

    /// Returns the `data` of the next event, which must be a result without errors.
    pub async fn next(&mut self) -> Value {
        let mut result = self.result().await;
        assert!(result["errors"].is_null(), "{result:#}");
        result["data"].take()
    }

    /// Asserts that the stream says that it is complete, and ends.
    pub async fn completes(&mut self) {
        assert_eq!(
            self.event().await,
            Some(("complete".to_owned(), String::new()))
        );
        assert_eq!(self.event().await, None);
    }
}
