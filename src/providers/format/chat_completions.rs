//! OpenAI's chat completions. Google, Perplexity, Mistral and Cohere implement the same API, each with
//! its own variations.
//!
//! - OpenAI: <https://platform.openai.com/docs/api-reference/chat/object>
//! - Google: <https://ai.google.dev/gemini-api/docs/openai>
//! - Perplexity: <https://docs.perplexity.ai/api-reference/chat-completions-post>
//! - Mistral: <https://docs.mistral.ai/api/endpoint/chat>
//! - Cohere: <https://docs.cohere.com/docs/compatibility-api>

use reqwest::header::{AUTHORIZATION, HeaderMap, InvalidHeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Format, Lenient, Parts, Unreadable, sensitive};

/// `POST /chat/completions`.
pub(super) struct ChatCompletions;

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    model: Lenient<String>,
    choices: Vec<Choice>,
    /// Perplexity only.
    #[serde(default)]
    citations: Lenient<Vec<Lenient<String>>>,
    /// Perplexity only: newer than `citations`, and meant to replace them.
    #[serde(default)]
    search_results: Lenient<Vec<Lenient<Page>>>,
}

#[derive(Deserialize)]
struct Choice {
    /// Google leaves it out if it held the answer back.
    message: Option<Message>,
    #[serde(default)]
    finish_reason: Lenient<String>,
}

#[derive(Deserialize, Default)]
struct Message {
    content: Option<Content>,
    #[serde(default)]
    refusal: Lenient<String>,
    /// OpenAI only.
    #[serde(default)]
    annotations: Lenient<Vec<Lenient<Annotation>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    /// Mistral only: what a model thought is separate from what it says.
    Chunks(Vec<Chunk>),
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Lenient<String>,
    #[serde(default)]
    refusal: Lenient<String>,
    /// The URL of a reference.
    #[serde(default)]
    url: Lenient<String>,
}

#[derive(Deserialize)]
struct Annotation {
    url_citation: Page,
}

#[derive(Deserialize)]
struct Page {
    url: String,
}

impl Format for ChatCompletions {
    fn path(&self) -> &'static str {
        "/chat/completions"
    }

    fn credentials(&self, key: &str) -> Result<HeaderMap, InvalidHeaderValue> {
        let bearer = sensitive(&format!("Bearer {key}"))?;
        Ok(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
    }

    fn request(&self, model: &str, prompt: &str) -> Value {
        // Nothing else: parameters that one provider accepts, another refuses.
        json!({ "model": model, "messages": [{ "role": "user", "content": prompt }] })
    }

    fn read(&self, body: &[u8]) -> Result<Answer, Unreadable> {
        let completion: Completion =
            serde_json::from_slice(body).map_err(|_| Unreadable::Nonsense)?;
        let choice = completion.choices.into_iter().next();
        let Choice {
            message,
            finish_reason,
        } = choice.ok_or(Unreadable::Nonsense)?;
        let end = finish_reason.into_option();
        if message.is_none() && end.is_none() {
            return Err(Unreadable::Nonsense);
        }
        let message = message.unwrap_or_default();
        let mut refusal = message.refusal.into_option();
        let mut cited = known(completion.citations);
        if cited.is_empty() {
            cited.extend(
                known(completion.search_results)
                    .into_iter()
                    .map(|it| it.url),
            );
        }
        let annotations = known(message.annotations).into_iter();
        cited.extend(annotations.map(|it| it.url_citation.url));
        let mut text = String::new();
        match message.content {
            None => {}
            Some(Content::Text(content)) => text = content,
            Some(Content::Chunks(chunks)) => {
                for chunk in chunks {
                    match chunk.kind.as_str() {
                        "text" => text.push_str(&chunk.text.or_default()),
                        "refusal" => refusal = refusal.or(chunk.refusal.into_option()),
                        _ => cited.extend(chunk.url.into_option()),
                    }
                }
            }
        }
        Parts {
            model: completion.model.into_option(),
            text,
            cited,
            refusal,
            end,
        }
        .into_answer()
    }
}

/// Returns the items of a list that have the expected form.
fn known<T>(list: Lenient<Vec<Lenient<T>>>) -> Vec<T> {
    let items = list.or_default().into_iter();
    items.filter_map(Lenient::into_option).collect()
}

#[cfg(test)]
mod tests;
