//! `[providers.…]`: the AI providers.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Secret, text};
use crate::models;

/// The AI providers. One without an API key is not configured, and is never called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Providers {
    /// Calls at the same time to all of them together, from one instance, 1 to 10,000. Default: 16.
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
    /// The key that calls are paid with: visible ASCII. Default: none, and the provider is not
    /// called.
    pub api_key: Option<Secret>,

    /// What `/chat/completions` (for Anthropic, `/v1/messages`) is appended to; http or https, a
    /// slash at the end makes no difference. Default: the provider's own.
    #[serde(deserialize_with = "text::one")]
    pub base_url: Url,

    /// The model that is asked, by the provider's name for it. Default: see
    /// `tenantry.example.toml`.
    pub model: String,

    /// When a call is given up, in seconds, 1 to 3,600. Default: 60.
    pub timeout_seconds: u64,

    /// Calls at the same time, from one instance, 1 to 1,000; also bounded by what all providers
    /// may have together. Default: 4.
    pub concurrency: u32,
}

impl Provider {
    /// # Panics
    ///
    /// `base_url` is no URL.
    fn new(base_url: &str, model: &str) -> Self {
        Self {
            api_key: None,
            // Cannot fail: called below only, with constants that every test loads.
            base_url: Url::parse(base_url).expect("the default is a URL"),
            model: model.into(),
            timeout_seconds: 60,
            concurrency: 4,
        }
    }
}

impl Providers {
    /// What is configured of a provider.
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

    /// Each provider with the name of its table.
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
