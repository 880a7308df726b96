//! What the providers' APIs take and answer.

mod chat_completions;
mod messages;

use reqwest::header::{HeaderMap, HeaderValue, InvalidHeaderValue};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::models::provider::Provider;
use chat_completions::ChatCompletions;
use messages::Messages;

/// The characters that the name of a model, or the reason why an answer ended, are kept of.
const MAX_NAME: usize = 200;

/// What one provider's API takes and answers.
pub(super) trait Format: Send + Sync {
    /// What is appended to the base URL.
    fn path(&self) -> &'static str;

    /// The headers that go with every call, with the key in them.
    fn credentials(&self, key: &str) -> Result<HeaderMap, InvalidHeaderValue>;

    /// The body that puts `prompt` to `model`.
    fn request(&self, model: &str, prompt: &str) -> Value;

    /// Reads the body that came with success.
    fn read(&self, body: &[u8]) -> Result<Answer, Unreadable>;
}

/// What was answered.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// The model that answered, where that is told.
    pub model: Option<String>,
    /// Not blank, and without U+0000.
    pub text: String,
    /// What the provider itself says that the answer cites: URLs, if it keeps its word.
    pub cited: Vec<String>,
}

/// Why a body holds no answer.
#[derive(Debug, PartialEq)]
pub(super) enum Unreadable {
    /// It is none of the API's.
    Nonsense,
    /// The provider or its model would not answer; what it said instead.
    Refusal(Option<String>),
    /// There is no text; why it ended, in the API's own word.
    Empty(Option<String>),
}

/// The format that the provider speaks.
pub(super) fn of(provider: Provider) -> &'static dyn Format {
    match provider {
        Provider::Anthropic => &Messages,
        Provider::Openai
        | Provider::Google
        | Provider::Perplexity
        | Provider::Mistral
        | Provider::Cohere => &ChatCompletions,
    }
}

/// The parts of a reply that every format has in a way of its own.
struct Parts {
    model: Option<String>,
    text: String,
    cited: Vec<String>,
    refusal: Option<String>,
    end: Option<String>,
}

impl Parts {
    /// An answer, if there is text; else why not.
    fn into_answer(self) -> Result<Answer, Unreadable> {
        let present = |text: &String| !text.trim().is_empty();
        if present(&self.text) {
            return Ok(Answer {
                model: self.model.filter(present).map(|model| short(&model)),
                text: self.text.replace('\0', "\u{FFFD}"),
                cited: self.cited,
            });
        }
        let end = self.end.filter(present).map(|end| short(&end));
        match self.refusal.filter(present) {
            Some(refusal) => Err(Unreadable::Refusal(Some(refusal))),
            None if end.as_deref().is_some_and(is_refusal) => {
                // Anthropic's word says nothing more.
                Err(Unreadable::Refusal(end.filter(|end| end != "refusal")))
            }
            None => Err(Unreadable::Empty(end)),
        }
    }
}

/// Whether an answer that ended for this reason was held back: OpenAI's and Mistral's
/// `content_filter`, Anthropic's `refusal`, Cohere's `ERROR_TOXIC`, and Google's own, which come
/// through its compatible endpoint in several spellings (`content_filter: SAFETY`).
fn is_refusal(end: &str) -> bool {
    let end = end.to_ascii_lowercase();
    [
        "content_filter",
        "refusal",
        "toxic",
        "safety",
        "prohibited_content",
        "blocklist",
        "recitation",
        "spii",
    ]
    .iter()
    .any(|reason| end.contains(reason))
}

/// A name that fits on a line.
fn short(name: &str) -> String {
    let shown = name.chars().filter(|c| !c.is_control());
    shown.take(MAX_NAME).collect()
}

/// A header's value that no log shows.
fn sensitive(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What is of use where it is there, and does not spoil an answer where it is something else.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Is(T),
    Not(IgnoredAny),
}

impl<T> Lenient<T> {
    fn into_option(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Not(_) => None,
        }
    }
}

impl<T: Default> Lenient<T> {
    fn or_default(self) -> T {
        self.into_option().unwrap_or_default()
    }
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self::Not(IgnoredAny)
    }
}
