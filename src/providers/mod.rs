//! Clients of the AI providers, which answer the prompts of runs.
//!
//! Each request and response format is a `format`. The rest is shared: one HTTP call within its limits
//! (`call`), retries (`backoff`), messages about failures (`complaint`, `redact`), and the citations of
//! an answer (`citations`).
//!
//! To add a provider: add its variant to `models::provider`, its table to `config::providers`, its
//! spelling to `name`, its format to `format::of`, and a `format` if it speaks neither of the two.

mod backoff;
mod call;
mod citations;
mod complaint;
mod format;
mod links;
#[cfg(test)]
mod properties;
mod redact;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::redirect::Policy;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument;
use url::Url;

use crate::config;
use crate::metrics::Metrics;
use crate::models::provider::Provider;
use crate::telemetry::{self, Outcome};
use call::{Client, Trouble};
use redact::Redactor;

/// How many times a provider is called at most for one answer.
const TRIES: u32 = 3;

/// The configured AI providers. Cheap to clone; clones share the limits.
#[derive(Clone)]
pub struct Providers(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    /// In the order of [`Provider::ALL`].
    clients: Vec<Client>,
    /// The limit of concurrent calls to all providers together, which `total` enforces.
    concurrency: usize,
    total: Semaphore,
    redactor: Redactor,
    metrics: Metrics,
}

/// A provider's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The provider's name for the model that answered, or the configured model if the response names
    /// none.
    pub model: String,
    /// The answer: not blank, and without U+0000, which PostgreSQL cannot store.
    pub text: String,
    /// The http and https pages that the answer cites: those that the provider lists, then those in the
    /// text; in order, without duplicates, at most 200.
    pub citations: Vec<Url>,
    /// How long the successful call took.
    pub latency: Duration,
}

/// Why there is no answer, after all retries.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The model that was asked.
    pub model: String,
    /// What happened, for people: one line, without any key.
    pub message: String,
    /// How long the last call took; zero if none was made.
    pub latency: Duration,
}

impl Providers {
    /// Creates the clients of all providers, whose calls are recorded in `metrics`. Connects to no
    /// provider.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up, or a key contains characters that are not allowed in a header.
    pub fn new(config: &config::Providers, metrics: Metrics) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            // The key is for the configured address only.
            .redirect(Policy::none())
            // `ask` does the retries: three tries are exactly three calls.
            .retry(reqwest::retry::never())
            .build()
            .context("TLS cannot be set up")?;
        let clients = Provider::ALL
            .iter()
            .map(|&provider| {
                Client::new(provider, config.of(provider))
                    .with_context(|| format!("{}.api_key", table(provider)))
            })
            .collect::<anyhow::Result<_>>()?;
        let keys = Provider::ALL
            .iter()
            .filter_map(|&provider| config.of(provider).api_key.clone());
        let concurrency = config.concurrency as usize;
        Ok(Self(Arc::new(Inner {
            http,
            clients,
            concurrency,
            total: Semaphore::new(concurrency),
            redactor: Redactor::new(keys),
            metrics,
        })))
    }

    /// Sends the prompt to the provider's configured model, and returns the answer.
    ///
    /// Waits until the provider may be called under its own limit and the one for all providers
    /// together; calls it at most three times. During the pauses between tries, other calls may use its
    /// place. Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// If the provider has no key, refuses to answer, or gives no usable answer. Asking again right away
    /// would not help.
    pub async fn ask(&self, provider: Provider, prompt: &str) -> Result<Reply, Failure> {
        let client = self.client(provider);
        if !client.has_key() {
            return Err(Failure {
                model: client.model().to_owned(),
                message: format!(
                    "{} has no API key on this server: its operator can set {}.api_key",
                    name(provider),
                    table(provider)
                ),
                latency: Duration::ZERO,
            });
        }
        let mut tries = 1;
        loop {
            let (latency, outcome) = self.call(provider, prompt).await;
            let Trouble { message, retry } = match outcome {
                Ok(answer) => {
                    return Ok(Reply {
                        model: answer.model.unwrap_or_else(|| client.model().to_owned()),
                        citations: citations::collect(&answer.cited, &answer.text),
                        text: answer.text,
                        latency,
                    });
                }
                Err(trouble) => trouble,
            };
            let message = self.0.redactor.tidy(&message);
            match retry.filter(|_| tries < TRIES) {
                Some(retry) => {
                    let pause = backoff::pause(tries, retry.after);
                    tracing::info!(provider = provider.as_str(), tries, ?pause, "{message}");
                    tokio::time::sleep(pause).await;
                    tries += 1;
                }
                None => {
                    tracing::info!(provider = provider.as_str(), tries, "no answer: {message}");
                    return Err(Failure {
                        model: client.model().to_owned(),
                        message,
                        latency,
                    });
                }
            }
        }
    }

    /// Returns how many concurrent calls the provider allows: the lower of its own limit and the one for
    /// all providers together.
    pub fn concurrency(&self, provider: Provider) -> usize {
        self.client(provider).concurrency().min(self.0.concurrency)
    }

    fn client(&self, provider: Provider) -> &Client {
        &self.0.clients[provider as usize]
    }

    /// Makes one call, once the limits allow it, and returns how long it took.
    async fn call(
        &self,
        provider: Provider,
        prompt: &str,
    ) -> (Duration, Result<format::Answer, Trouble>) {
        let client = self.client(provider);
        // Always in this order: a call that waits for the second permit holds up only its own provider.
        let _own = permit(client.slots()).await;
        let _shared = permit(&self.0.total).await;
        let span = telemetry::call(provider.as_str(), client.model());
        let started = Instant::now();
        let calling = client.call(&self.0.http, prompt);
        let outcome = calling.instrument(span.clone()).await;
        let latency = started.elapsed();
        let is_failed = outcome.is_err();
        Outcome::of_call(is_failed).record(&span);
        self.0.metrics.call(provider, is_failed, latency);
        tracing::debug!(
            provider = provider.as_str(),
            model = client.model(),
            is_failed,
            duration_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            "provider called"
        );
        (latency, outcome)
    }
}

async fn permit(slots: &Semaphore) -> SemaphorePermit<'_> {
    // Fails only if the semaphore was closed, which these never are.
    slots.acquire().await.expect("the semaphore is open")
}

/// Returns the provider's own spelling of its name.
fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Openai => "OpenAI",
        Provider::Anthropic => "Anthropic",
        Provider::Google => "Google",
        Provider::Perplexity => "Perplexity",
        Provider::Mistral => "Mistral",
        Provider::Cohere => "Cohere",
    }
}

/// Returns the table of the configuration where the provider is configured.
fn table(provider: Provider) -> String {
    format!("providers.{}", provider.as_str().to_ascii_lowercase())
}
