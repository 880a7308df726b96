//! The requests and responses of the providers' APIs.

mod chat_completions;
mod messages;

use reqwest::header::{HeaderMap, HeaderValue, InvalidHeaderValue};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::models::provider::Provider;
use chat_completions::ChatCompletions;
use messages::Messages;

/// How many characters of a model's name or a finish reason are kept.
const MAX_NAME: usize = 200;

/// The request and response format of a provider's API.
pub(super) trait Format: Send + Sync {
    /// Returns the path to append to the base URL.
    fn path(&self) -> &'static str;

    /// Returns the headers for every call that contain the key.
    fn credentials(&self, key: &str) -> Result<HeaderMap, InvalidHeaderValue>;

    /// Returns the request body that sends `prompt` to `model`.
    fn request(&self, model: &str, prompt: &str) -> Value;

    /// Reads the body of a successful response.
    fn read(&self, body: &[u8]) -> Result<Answer, Unreadable>;
}

/// An answer.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// The model that answered, if the response names it.
    pub model: Option<String>,
    /// Not blank, and without U+0000.
    pub text: String,
    /// The URLs that the provider lists as citations. Not validated yet.
    pub cited: Vec<String>,
}

/// Why a body contains no answer.
#[derive(Debug, PartialEq)]
pub(super) enum Unreadable {
    /// The body does not have the API's format.
    Nonsense,
    /// The provider or its model refused to answer; with its message, if any.
    Refusal(Option<String>),
    /// There is no text; with the API's finish reason, if any.
    Empty(Option<String>),
}

/// Returns the format of the provider's API.
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

/// The parts of a response, which each format stores in its own way.
struct Parts {
    model: Option<String>,
    text: String,
    cited: Vec<String>,
    refusal: Option<String>,
    end: Option<String>,
}

impl Parts {
    /// Returns an answer if there is text, or else the reason why not.
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
                // Anthropic's reason adds nothing.
                Err(Unreadable::Refusal(end.filter(|end| end != "refusal")))
            }
            None => Err(Unreadable::Empty(end)),
        }
    }
}

/// Whether this finish reason means that the answer was held back: `content_filter` of OpenAI and
/// Mistral, `refusal` of Anthropic, `ERROR_TOXIC` of Cohere, and Google's own reasons, which its
/// compatible endpoint spells in several ways (`content_filter: SAFETY`).
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

/// Shortens a name to one line of at most [`MAX_NAME`] characters.
fn short(name: &str) -> String {
    let shown = name.chars().filter(|c| !c.is_control());
    shown.take(MAX_NAME).collect()
}

/// Creates a header value that logs do not show.
fn sensitive(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A value that is useful if it has the expected form, and must not spoil the answer if it has another.
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
