//! An issuer on loopback that counts its requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};
use url::Url;

use super::Signer;

pub struct Server {
    base: Url,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    asked: AtomicUsize,
    answer: Mutex<Answer>,
    /// The `Authorization` header of the last request.
    authorization: Mutex<Option<String>>,
}

#[derive(Clone)]
pub enum Answer {
    Json(Value),
    Text(String),
    Down(StatusCode),
    Moved(String),
}

impl Default for Answer {
    fn default() -> Self {
        Self::Json(json!({ "keys": [] }))
    }
}

impl Server {
    /// Starts an issuer with the keys of `signers`.
    pub async fn start(signers: &[&Signer]) -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .route("/answer", get(answer))
            .route("/moved", get(Redirect::temporary("/answer")))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async { axum::serve(listener, router).await });
        let server = Self {
            base: Url::parse(&format!("http://{address}/")).expect("a URL"),
            shared,
        };
        server.has(signers);
        server
    }

    pub fn jwks_url(&self) -> Url {
        self.url("answer")
    }

    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("a URL")
    }

    /// Replaces its keys.
    pub fn has(&self, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        self.answers(Answer::Json(json!({ "keys": keys })));
    }

    pub fn answers(&self, answer: Answer) {
        *self.shared.answer.lock().expect("a lock") = answer;
    }

    /// The number of requests so far.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    pub fn authorization(&self) -> Option<String> {
        self.shared.authorization.lock().expect("a lock").clone()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    shared.asked.fetch_add(1, Ordering::SeqCst);
    *shared.authorization.lock().expect("a lock") = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    // Long enough for other requests to come meanwhile.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let answer = shared.answer.lock().expect("a lock").clone();
    match answer {
        Answer::Json(value) => axum::Json(value).into_response(),
        Answer::Text(text) => text.into_response(),
        Answer::Down(status) => status.into_response(),
        Answer::Moved(to) => Redirect::temporary(&to).into_response(),
    }
}
