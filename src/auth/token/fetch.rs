//! HTTP requests to issuers, within bounds: they are configured, but not under our control.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::{Map, Value};
use url::Url;

use crate::error::causes;
use crate::loopback::is_confidential;

/// The time allowed for a request, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 3;

/// Builds the client for requests to issuers. It follows redirects only within the same origin.
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

/// Why a request failed.
#[derive(Debug)]
pub enum FetchError {
    /// The server answered with a status other than 200.
    Status(StatusCode),
    /// Anything else, described for the log.
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

/// Fetches the JSON object at `url`, of at most 1 MiB and within 5 s. It must come from the origin of
/// `url` itself, whatever redirects the client follows.
///
/// # Errors
///
/// As [`FetchError`] says. No error contains the URL, whose query may be a secret, or the bearer token.
pub async fn json(
    http: &Client,
    url: &Url,
    bearer: Option<&str>,
) -> Result<Map<String, Value>, FetchError> {
    if !is_confidential(url) {
        return failed("plain http is allowed only on loopback");
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
    serde_json::from_slice(&body).or_else(|_| failed("its answer is not a JSON object"))
}

fn failed<T>(why: &str) -> Result<T, FetchError> {
    Err(FetchError::Failed(why.to_owned()))
}

fn describe(error: reqwest::Error) -> FetchError {
    // reqwest's own message is just "error sending request"; the cause is in its sources.
    FetchError::Failed(causes(&error.without_url()))
}
