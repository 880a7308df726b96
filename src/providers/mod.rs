//! Clients of the AI providers: what a run puts its prompts to.
//!
//! What a provider's API takes and answers is a `format`; all that they have in common is once:
//! one HTTP call within its bounds (`call`), trying again (`backoff`), what is said of a failure
//! (`complaint`, `redact`), and what an answer cites (`citations`).
//!
//! To add a provider: its variant in `models::provider`, its table in `config::providers`, its line
//! in [`Providers::new`] and in `name`, and a `format` if it speaks neither of the two.

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

/// How often a provider is called for one answer.
const TRIES: u32 = 3;

/// The AI providers, as they are configured. Cheap to clone; clones share the limits.
#[derive(Clone)]
pub struct Providers(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    /// In the order of [`Provider::ALL`].
    clients: Vec<Client>,
    /// The calls that may be made at the same time to all together, and those of them that are free.
    concurrency: usize,
    total: Semaphore,
    redactor: Redactor,
    metrics: Metrics,
}

/// What a provider answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The provider's name for the model that answered; the configured one where it does not tell.
    pub model: String,
    /// The answer: not blank, and without U+0000, which PostgreSQL cannot store.
    pub text: String,
    /// The pages that it cites, by http and https: those that the provider names, then those in
    /// the text; in order, once each, at most 200.
    pub citations: Vec<Url>,
    /// How long the call took that was answered.
    pub latency: Duration,
}

/// Why there is no answer, for good.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The model that was asked.
    pub model: String,
    /// What happened, for a person: one line, and no key in it.
    pub message: String,
    /// How long the last call took; nothing where none was made.
    pub latency: Duration,
}

impl Providers {
    /// Clients of all providers, whose calls `metrics` measures. Calls nobody.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up, or a key cannot be sent.
    pub fn new(config: &config::Providers, metrics: Metrics) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            // The key is for the configured address alone.
            .redirect(Policy::none())
            // Three tries mean three calls.
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

    /// Puts the prompt to the provider, and to the model that is configured for it.
    ///
    /// Waits until the provider may be called, by its own limit and by that of all together; calls
    /// it three times at most, with a pause between, in which others may. Dropping the future
    /// cancels the call.
    ///
    /// # Errors
    ///
    /// The provider has no key, refuses to answer, or does not answer in a way that makes sense.
    /// Asking again at once would not help.
    pub async fn ask(&self, provider: Provider, prompt: &str) -> Result<Reply, Failure> {
        let client = self.client(provider);
        if !client.has_key() {
            return Err(Failure {
                model: client.model().to_owned(),
                message: format!(
                    "{} has no API key on this server: its operator sets {}.api_key",
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

    /// How many calls the provider takes at a time: its own limit, or that of all together where
    /// it is lower.
    pub fn concurrency(&self, provider: Provider) -> usize {
        self.client(provider).concurrency().min(self.0.concurrency)
    }

    fn client(&self, provider: Provider) -> &Client {
        &self.0.clients[provider as usize]
    }

    /// One call, when it may be made, and how long it took.
    async fn call(
        &self,
        provider: Provider,
        prompt: &str,
    ) -> (Duration, Result<format::Answer, Trouble>) {
        let client = self.client(provider);
        // In this order everywhere: whoever waits for the second holds up only their own provider.
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
    // It fails only on a semaphore that was closed, which these never are.
    slots.acquire().await.expect("the semaphore is open")
}

/// The provider's own spelling of its name.
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

/// Where the provider is configured.
fn table(provider: Provider) -> String {
    format!("providers.{}", provider.as_str().to_ascii_lowercase())
}
