//! `[providers.…]`: the AI providers.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Secret, text};
use crate::models;

/// The AI providers. One without an API key counts as not configured, and is never called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Providers {
    /// Concurrent calls to all providers together, per instance, 1 to 10,000. Default: 16.
    pub concurrency: u32,

    /// OpenAI.
    pub openai: Provider,
    /// Anthropic.
    pub anthropic: Provider,
    /// Google Gemini, through its OpenAI-compatible endpoint.
    pub google: Provider,
    /// Perplexity.
    pub perplexity: Provider,
    /// Mistral.
    pub mistral: Provider,
    /// Cohere, through its OpenAI-compatible endpoint.
    pub cohere: Provider,
}

/// One AI provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provider {
    /// The API key: visible ASCII. Default: none, and the provider is not called.
    pub api_key: Option<Secret>,

    /// The base URL, to which `/chat/completions` (for Anthropic, `/v1/messages`) is appended; http or
    /// https, with or without a trailing slash. Default: the provider's own.
    #[serde(deserialize_with = "text::one")]
    pub base_url: Url,

    /// The provider's name of the model to ask. Default: see `tenantry.example.toml`.
    pub model: String,

    /// How long a call may take, in seconds, 1 to 3,600. Default: 60.
    pub timeout_seconds: u64,

    /// Concurrent calls, per instance, 1 to 1,000; also bounded by the limit for all providers together.
    /// Default: 4.
    pub concurrency: u32,
}

impl Provider {
    /// # Panics
    ///
    /// If `base_url` is not a URL.
    fn new(base_url: &str, model: &str) -> Self {
        Self {
            api_key: None,
            // Cannot fail: only called below, with constants that every test loads.
            base_url: Url::parse(base_url).expect("the default is a URL"),
            model: model.into(),
            timeout_seconds: 60,
            concurrency: 4,
        }
    }
}

impl Providers {
    /// Returns the configuration of a provider.
    pub fn of(&self, provider: models::provider::Provider) -> &Provider {
        use models::provider::Provider;
        match provider {
            Provider::Openai => &self.openai,
            Provider::Anthropic => &self.anthropic,
            Provider::Google => &self.google,
            Provider::Perplexity => &self.perplexity,
            Provider::Mistral => &self.mistral,
            Provider::Cohere => &self.cohere,
        }
    }

    /// Returns each provider with the name of its table.
    pub(super) fn named(&self) -> [(&'static str, &Provider); 6] {
        [
            ("openai", &self.openai),
            ("anthropic", &self.anthropic),
            ("google", &self.google),
            ("perplexity", &self.perplexity),
            ("mistral", &self.mistral),
            ("cohere", &self.cohere),
        ]
    }
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            concurrency: 16,
            openai: Provider::new("https://api.openai.com/v1", "gpt-4.1-mini"),
            anthropic: Provider::new("https://api.anthropic.com", "claude-haiku-4-5"),
            google: Provider::new(
                "https://generativelanguage.googleapis.com/v1beta/openai",
                "gemini-2.5-flash",
            ),
            perplexity: Provider::new("https://api.perplexity.ai", "sonar"),
            mistral: Provider::new("https://api.mistral.ai/v1", "mistral-small-latest"),
            cohere: Provider::new(
                "https://api.cohere.ai/compatibility/v1",
                "command-a-03-2025",
            ),
        }
    }
}
