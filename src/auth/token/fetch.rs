//! Asking an issuer over HTTP, within bounds: it is configured, and still not ours.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::{Map, Value};
use url::Url;

use crate::error::causes;
use crate::loopback::is_confidential;

/// From connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// How often a request is sent on.
const MAX_REDIRECTS: usize = 3;

/// The client for asking issuers: it follows redirects only to where it was going anyway.
///
/// # Errors
///
/// If TLS cannot be set up.
pub fn http_client() -> reqwest::Result<Client> {
    let same_origin = Policy::custom(|attempt| {
        let first = attempt.previous().first().map(Url::origin);
        if attempt.previous().len() > MAX_REDIRECTS || first != Some(attempt.url().origin()) {
            attempt.stop()
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
        .redirect(same_origin)
        .build()
}

/// Why there is no answer.
#[derive(Debug)]
pub enum FetchError {
    /// The server answered, with a status other than 200.
    Status(StatusCode),
    /// Anything else, for a log.
    Failed(String),
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "it answered {status}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// The JSON object at `url`, of at most 1 MiB and within 5 s, from the server of `url` itself
/// whatever the client follows.
///
/// # Errors
///
/// As the type says; no error has the URL, whose query may be a secret, or the bearer.
pub async fn json(
    http: &Client,
    url: &Url,
    bearer: Option<&str>,
) -> Result<Map<String, Value>, FetchError> {
    if !is_confidential(url) {
        return failed("plain http is for loopback only");
    }
    let mut request = http
        .get(url.clone())
        .timeout(TIMEOUT)
        .header("accept", "application/json");
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    let mut response = request.send().await.map_err(describe)?;
    if response.url().origin() != url.origin() {
        return failed("it redirects to another server");
    }
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(describe)? {
        if body.len() + chunk.len() > MAX_BODY {
            return failed("its answer is longer than 1 MiB");
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).or_else(|_| failed("its answer is no JSON object"))
}

fn failed<T>(why: &str) -> Result<T, FetchError> {
    Err(FetchError::Failed(why.to_owned()))
}

fn describe(error: reqwest::Error) -> FetchError {
    // reqwest's own words are "error sending request"; what happened is in its sources.
    FetchError::Failed(causes(&error.without_url()))
}
