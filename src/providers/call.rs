//! One call to a provider, within its limits.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use tokio::sync::Semaphore;
use url::Url;

use super::format::{Answer, Format, Unreadable};
use super::{backoff, complaint, format, name};
use crate::config::{self, Secret};
use crate::error::causes;
use crate::models::provider::Provider;

/// The longest response body, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How much of an error response's body is read, in bytes: it is only searched for a message.
const MAX_COMPLAINT: usize = 64 * 1024;

/// A provider and how to call it.
pub(super) struct Client {
    provider: Provider,
    format: &'static dyn Format,
    url: Url,
    model: String,
    /// The headers that contain the key; `None` without a key.
    credentials: Option<HeaderMap>,
    timeout: Duration,
    concurrency: usize,
    slots: Semaphore,
}

/// Why a call failed.
pub(super) struct Trouble {
    /// What happened, for people. May quote the provider, and with it a key.
    pub message: String,
    /// Set if another call may succeed.
    pub retry: Option<Retry>,
}

/// How to try again.
#[derive(Clone, Copy)]
pub(super) struct Retry {
    /// The pause that the provider asked for, if any.
    pub after: Option<Duration>,
}

/// Why a body was not read.
enum Unread {
    TooLong,
    Broken(reqwest::Error),
}

impl Client {
    /// # Errors
    ///
    /// If the key contains characters that are not allowed in a header.
    pub fn new(provider: Provider, config: &config::Provider) -> anyhow::Result<Self> {
        let format = format::of(provider);
        // An empty key counts as none.
        let key = config.api_key.as_ref().map(Secret::expose);
        let credentials = key
            .filter(|key| !key.is_empty())
            .map(|key| format.credentials(key))
            .transpose()?;
        let concurrency = config.concurrency as usize;
        Ok(Self {
            provider,
            format,
            url: below(&config.base_url, format.path()),
            model: config.model.clone(),
            credentials,
            timeout: Duration::from_secs(config.timeout_seconds),
            concurrency,
            slots: Semaphore::new(concurrency),
        })
    }

    /// Whether the provider has a key, without which it cannot be called.
    pub fn has_key(&self) -> bool {
        self.credentials.is_some()
    }

    /// Returns the model to ask.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns how many concurrent calls the provider's own limit allows.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Returns the semaphore of the provider's own limit.
    pub fn slots(&self) -> &Semaphore {
        &self.slots
    }

    /// Calls once, and gives up at the timeout, however much of the response has arrived.
    pub async fn call(&self, http: &reqwest::Client, prompt: &str) -> Result<Answer, Trouble> {
        let answered = tokio::time::timeout(self.timeout, self.exchange(http, prompt));
        answered.await.unwrap_or_else(|_| {
            let seconds = self.timeout.as_secs();
            Err(self.for_good(format!("did not answer within {seconds} s")))
        })
    }

    async fn exchange(&self, http: &reqwest::Client, prompt: &str) -> Result<Answer, Trouble> {
        let request = http
            .post(self.url.clone())
            .headers(self.credentials.clone().unwrap_or_default())
            .header(CONTENT_TYPE, "application/json")
            .body(self.format.request(&self.model, prompt).to_string());
        let response = request.send().await.map_err(|error| self.broken(error))?;
        let status = response.status();
        if status.is_redirection() {
            let code = status.as_u16();
            return Err(self.for_good(format!(
                "answered with a redirect ({code}), which is not followed"
            )));
        }
        if !status.is_success() {
            return Err(self.refused(response).await);
        }
        let body = match read(response, MAX_ANSWER).await {
            Ok(body) => body,
            Err(Unread::TooLong) => {
                return Err(self.for_good("returned an answer longer than 4 MiB"));
            }
            Err(Unread::Broken(error)) => return Err(self.broken(error)),
        };
        self.format
            .read(&body)
            .map_err(|unreadable| match unreadable {
                Unreadable::Nonsense => match complaint::of(&body) {
                    Some(said) => self.for_good(format!("returned no answer: {said}")),
                    None => self.for_good("returned an unreadable answer"),
                },
                Unreadable::Refusal(said) => match said {
                    Some(said) => self.for_good(format!("refused to answer: {said}")),
                    None => self.for_good("refused to answer"),
                },
                Unreadable::Empty(reason) => match reason {
                    Some(reason) => self.for_good(format!("returned an empty answer ({reason})")),
                    None => self.for_good("returned an empty answer"),
                },
            })
    }

    /// Describes an error status, with the provider's message about it.
    async fn refused(&self, response: Response) -> Trouble {
        let status = response.status();
        // Anthropic's 529 (overloaded) is a 5xx as well.
        let passes = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        let retry = passes.then(|| Retry {
            after: backoff::asked_for(response.headers(), SystemTime::now()),
        });
        // The status counts even if the body does not arrive.
        let body = read(response, MAX_COMPLAINT).await.unwrap_or_default();
        let mut message = format!("{} answered {}", name(self.provider), status.as_u16());
        if let Some(reason) = status.canonical_reason() {
            message.push_str(&format!(" {reason}"));
        }
        if let Some(said) = complaint::of(&body) {
            message.push_str(&format!(": {said}"));
        }
        Trouble { message, retry }
    }

    /// Describes a connection that could not be made or broke.
    fn broken(&self, error: reqwest::Error) -> Trouble {
        let (name, retry) = (name(self.provider), Some(Retry { after: None }));
        let message = match error.is_connect() {
            true => format!("{name} cannot be reached"),
            false => format!("the connection to {name} broke"),
        };
        // The cause may reveal details of this server's network: for its operator only.
        tracing::warn!(
            provider = self.provider.as_str(),
            "{message}: {}",
            causes(&error.without_url())
        );
        Trouble { message, retry }
    }

    fn for_good(&self, what: impl AsRef<str>) -> Trouble {
        Trouble {
            message: format!("{} {}", name(self.provider), what.as_ref()),
            retry: None,
        }
    }
}

/// Appends `path` to the path of `base`, keeping the query.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

/// Reads the body if it is at most `most` bytes long. Never buffers more than that and one chunk.
async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, Unread> {
    if response
        .content_length()
        .is_some_and(|length| length > most as u64)
    {
        return Err(Unread::TooLong);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://a.com", "https://a.com/chat/completions")]
    #[case("https://a.com/", "https://a.com/chat/completions")]
    #[case("https://a.com/v1", "https://a.com/v1/chat/completions")]
    #[case("https://a.com/v1//", "https://a.com/v1/chat/completions")]
    #[case("https://a.com/a%2Fb/", "https://a.com/a%2Fb/chat/completions")]
    #[case(
        "https://a.com:8443/v1/?version=1",
        "https://a.com:8443/v1/chat/completions?version=1"
    )]
    fn paths_are_appended_to_the_base(#[case] base: &str, #[case] url: &str) {
        let base = Url::parse(base).unwrap();
        assert_eq!(below(&base, "/chat/completions").as_str(), url);
    }
}
