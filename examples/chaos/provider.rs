//! An AI provider that has an answer to everything.

use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How long it takes to answer.
const THINKING: Duration = Duration::from_millis(50);

/// Starts the provider, which uses the format of chat completions, and returns its URL.
pub async fn start() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback_service(post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn answer(Json(asked): Json<Value>) -> Json<Value> {
    tokio::time::sleep(THINKING).await;
    Json(json!({
        "model": asked["model"],
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": "Whatever example.com says." },
            "finish_reason": "stop",
        }],
    }))
}
