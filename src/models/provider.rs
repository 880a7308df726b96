//! The AI providers whose answers are collected.

use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// An AI provider whose answers are collected.
    #[derive(PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    pub enum Provider {
        /// OpenAI.
        Openai = "OPENAI",
        /// Anthropic.
        Anthropic = "ANTHROPIC",
        /// Google Gemini.
        Google = "GOOGLE",
        /// Perplexity.
        Perplexity = "PERPLEXITY",
        /// Mistral.
        Mistral = "MISTRAL",
        /// Cohere.
        Cohere = "COHERE",
    }
}
