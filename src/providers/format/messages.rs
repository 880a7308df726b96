//! Anthropic's Messages API.
//!
//! - Request and response: <https://platform.claude.com/docs/en/api/messages>
//! - Citations: <https://platform.claude.com/docs/en/build-with-claude/citations>
//! - Refusals: <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Format, Lenient, Parts, Unreadable, sensitive};

/// The version of the API, named in every request.
const VERSION: &str = "2023-06-01";

/// The maximum length of an answer, required in every request. All of Anthropic's models support it.
const MAX_TOKENS: u32 = 4_096;

/// `POST /v1/messages`.
pub(super) struct Messages;

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    model: Lenient<String>,
    content: Vec<Block>,
    #[serde(default)]
    stop_reason: Lenient<String>,
}

/// A content block. Only `text` blocks are the answer: the others are what the model thought or looked
/// up.
#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Lenient<String>,
    #[serde(default)]
    citations: Lenient<Vec<Lenient<Citation>>>,
}

/// A citation of a web page. Citations of documents have no URL.
#[derive(Deserialize)]
struct Citation {
    url: String,
}

impl Format for Messages {
    fn path(&self) -> &'static str {
        "/v1/messages"
    }

    fn credentials(&self, key: &str) -> Result<HeaderMap, InvalidHeaderValue> {
        Ok(HeaderMap::from_iter([
            (HeaderName::from_static("x-api-key"), sensitive(key)?),
            (
                HeaderName::from_static("anthropic-version"),
                HeaderValue::from_static(VERSION),
            ),
        ]))
    }

    fn request(&self, model: &str, prompt: &str) -> Value {
        json!({
            "model": model,
            "max_tokens": MAX_TOKENS,
            "messages": [{ "role": "user", "content": prompt }],
        })
    }

    fn read(&self, body: &[u8]) -> Result<Answer, Unreadable> {
        let message: Message = serde_json::from_slice(body).map_err(|_| Unreadable::Nonsense)?;
        let (mut text, mut cited) = (String::new(), Vec::new());
        for block in message.content {
            if block.kind == "text" {
                // A text is split into blocks where its citations begin and end.
                text.push_str(&block.text.or_default());
                let citations = block.citations.or_default().into_iter();
                cited.extend(citations.filter_map(|it| it.into_option().map(|it| it.url)));
            }
        }
        Parts {
            model: message.model.into_option(),
            text,
            cited,
            refusal: None,
            end: message.stop_reason.into_option(),
        }
        .into_answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<Answer, Unreadable> {
        Messages.read(body.to_string().as_bytes())
    }

    #[test]
    fn the_texts_are_the_answer() {
        let answer = read(&json!({
            "id": "msg_013Zva2CMHLNnjNjJJKqJ2EF",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": [
                { "type": "thinking", "thinking": "https://thought.example", "signature": "EqQB" },
                { "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": { "query": "crm" } },
                { "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
                    { "type": "web_search_result", "url": "https://found.example", "title": "Found" }
                ] },
                { "type": "text", "text": "Use " },
                { "type": "text", "text": "Acme", "citations": [
                    { "type": "web_search_result_location", "url": "https://acme.example/crm", "title": "Acme", "encrypted_index": "E", "cited_text": "…" },
                    { "type": "char_location", "document_index": 0, "start_char_index": 0, "end_char_index": 1, "cited_text": "…" },
                ] },
                { "type": "text", "text": ".", "citations": null },
            ],
            "stop_reason": "end_turn",
            "stop_sequence": null,
            "usage": { "input_tokens": 10, "output_tokens": 20 },
        }));
        let expected = Answer {
            model: Some("claude-haiku-4-5-20251001".into()),
            text: "Use Acme.".into(),
            cited: vec!["https://acme.example/crm".into()],
        };
        assert_eq!(answer, Ok(expected));
    }

    #[test]
    fn without_text_there_is_none() {
        let silent = |content: Value, stop_reason: Value| {
            read(&json!({ "content": content, "stop_reason": stop_reason })).unwrap_err()
        };
        assert_eq!(
            silent(json!([]), json!("refusal")),
            Unreadable::Refusal(None)
        );
        assert_eq!(
            silent(
                json!([{ "type": "text", "text": " \n" }]),
                json!("max_tokens")
            ),
            Unreadable::Empty(Some("max_tokens".into()))
        );
        assert_eq!(silent(json!([]), Value::Null), Unreadable::Empty(None));
    }

    #[test]
    fn a_refusal_with_text_is_an_answer() {
        let content = json!([{ "type": "text", "text": "I'd rather not." }]);
        let answer = read(&json!({ "content": content, "stop_reason": "refusal" })).unwrap();
        assert_eq!(answer.text, "I'd rather not.");
        assert_eq!(answer.model, None);
    }

    #[test]
    fn what_is_no_message_makes_no_sense() {
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "{\"content\":\"text\"}",
            "{\"content\":[1]}",
        ] {
            assert_eq!(
                Messages.read(body.as_bytes()),
                Err(Unreadable::Nonsense),
                "{body}"
            );
        }
    }
}
