//! The AI providers.

use async_graphql::Enum;

use crate::models;

/// An AI provider whose answers are collected.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "models::provider::Provider")]
pub enum Provider {
    /// OpenAI.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Google,
    /// Perplexity.
    Perplexity,
    /// Mistral.
    Mistral,
    /// Cohere.
    Cohere,
}
