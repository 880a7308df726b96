//! The responses of a provider, in its own format.

use serde_json::{Value, json};
use tenantry::models::provider::Provider;

/// A provider's response, or what it does instead.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An answer.
    Says {
        text: String,
        citations: Vec<String>,
        model: Option<String>,
    },
    /// No text, but a refusal in the provider's own format.
    Refuses,
    /// An error with this message, in the provider's own format.
    Fails {
        status: u16,
        message: String,
        headers: Vec<(String, String)>,
    },
    /// This body, whatever it is.
    Sends {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        /// Whether there is a Content-Length; otherwise the body ends with the connection.
        with_length: bool,
    },
    /// No response, ever.
    Hangs,
    /// The head and a part of the body, and then nothing more.
    HangsMidway,
    /// Closes the connection without a response.
    Closes,
    /// Closes the connection in the middle of the body.
    ClosesMidway,
}

/// The bytes sent over the wire.
pub(super) enum Rendered {
    /// These bytes, and then the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes, and then nothing more.
    Stall(Vec<u8>),
    /// The end of the connection.
    Close,
}

impl Answer {
    /// Returns an answer with this text.
    pub fn says(text: impl Into<String>) -> Self {
        Self::Says {
            text: text.into(),
            citations: Vec::new(),
            model: None,
        }
    }

    /// Adds citations of these pages, if the provider's format has any: Google's and Cohere's have none.
    pub fn citing<'a>(mut self, pages: impl IntoIterator<Item = &'a str>) -> Self {
        if let Self::Says { citations, .. } = &mut self {
            citations.extend(pages.into_iter().map(str::to_owned));
        }
        self
    }

    /// Makes the answer come from another model than the requested one.
    pub fn by_model(mut self, name: &str) -> Self {
        if let Self::Says { model, .. } = &mut self {
            *model = Some(name.to_owned());
        }
        self
    }

    /// Returns an error with this message, in the provider's own format.
    pub fn fails(status: u16, message: impl Into<String>) -> Self {
        Self::Fails {
            status,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// Returns a success with this body.
    pub fn sends(body: impl Into<Vec<u8>>) -> Self {
        Self::Sends {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            with_length: true,
        }
    }

    /// Returns a redirect to this URL.
    pub fn redirects(status: u16, to: &str) -> Self {
        Self::Sends {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            with_length: true,
        }
        .with("location", to)
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Fails { headers, .. } | Self::Sends { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Changes the status.
    pub fn with_status(mut self, code: u16) -> Self {
        if let Self::Fails { status, .. } | Self::Sends { status, .. } = &mut self {
            *status = code;
        }
        self
    }

    /// Leaves out the Content-Length.
    pub fn without_length(mut self) -> Self {
        if let Self::Sends { with_length, .. } = &mut self {
            *with_length = false;
        }
        self
    }

    /// Returns what to send over the wire. `None` if the provider hangs.
    pub(super) fn render(self, provider: Provider, model: &str, prompt: &str) -> Option<Rendered> {
        let whole = |body: &Value| http(200, &[], body.to_string().as_bytes(), true);
        let begun = || {
            let mut bytes = whole(&says(provider, model, prompt, "A beginning", &[]));
            bytes.truncate(bytes.len() - 20);
            bytes
        };
        Some(match self {
            Self::Says {
                text,
                citations,
                model: other,
            } => {
                let model = other.as_deref().unwrap_or(model);
                Rendered::Bytes(whole(&says(provider, model, prompt, &text, &citations)))
            }
            Self::Refuses => Rendered::Bytes(whole(&refuses(provider, model, prompt))),
            Self::Fails {
                status,
                message,
                headers,
            } => {
                let body = fails(provider, status, &message).to_string();
                Rendered::Bytes(http(status, &headers, body.as_bytes(), true))
            }
            Self::Sends {
                status,
                headers,
                body,
                with_length,
            } => Rendered::Bytes(http(status, &headers, &body, with_length)),
            Self::Hangs => return None,
            Self::HangsMidway => Rendered::Stall(begun()),
            Self::Closes => Rendered::Close,
            Self::ClosesMidway => Rendered::Bytes(begun()),
        })
    }
}

fn http(status: u16, headers: &[(String, String)], body: &[u8], with_length: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n");
    head += "content-type: application/json\r\n";
    if with_length {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    [head.as_bytes(), body].concat()
}

fn says(provider: Provider, model: &str, prompt: &str, text: &str, citations: &[String]) -> Value {
    if provider == Provider::Anthropic {
        let cited: Vec<_> = citations
            .iter()
            .map(|url| {
                json!({ "type": "web_search_result_location", "url": url, "title": "A page",
                    "encrypted_index": "Eo8B", "cited_text": "…" })
            })
            .collect();
        let block = json!({ "type": "text", "text": text, "citations": cited });
        return message(model, prompt, json!([block]), "end_turn");
    }
    let mut said = json!({ "role": "assistant", "content": text });
    match provider {
        Provider::Openai => {
            said["refusal"] = Value::Null;
            let annotation = |url: &String| {
                json!({ "type": "url_citation", "url_citation": {
                    "url": url, "title": "A page", "start_index": 0, "end_index": 1 } })
            };
            said["annotations"] = citations.iter().map(annotation).collect();
        }
        Provider::Mistral if !citations.is_empty() => {
            let mut chunks = vec![json!({ "type": "text", "text": text })];
            chunks.extend(citations.iter().map(|url| {
                json!({ "type": "tool_reference", "tool": "web_search", "title": "A page", "url": url })
            }));
            said["content"] = Value::Array(chunks);
        }
        _ => {}
    }
    let mut body = completion(provider, model, prompt, said, "stop");
    if provider == Provider::Perplexity {
        body["citations"] = json!(citations);
        let result =
            |url: &String| json!({ "title": "A page", "url": url, "date": null, "snippet": "…" });
        body["search_results"] = citations.iter().map(result).collect();
    }
    body
}

fn refuses(provider: Provider, model: &str, prompt: &str) -> Value {
    let silent = json!({ "role": "assistant", "content": "" });
    match provider {
        Provider::Anthropic => message(model, prompt, json!([]), "refusal"),
        Provider::Openai => {
            let said = json!({ "role": "assistant", "content": null, "annotations": [],
                "refusal": "I'm sorry, I can't help with that." });
            completion(provider, model, prompt, said, "stop")
        }
        Provider::Google => {
            let said = json!({ "role": "assistant" });
            completion(provider, model, prompt, said, "content_filter: SAFETY")
        }
        Provider::Cohere => completion(provider, model, prompt, silent, "ERROR_TOXIC"),
        Provider::Perplexity | Provider::Mistral => {
            completion(provider, model, prompt, silent, "content_filter")
        }
    }
}

fn fails(provider: Provider, status: u16, message: &str) -> Value {
    match provider {
        Provider::Anthropic => {
            json!({ "type": "error", "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
            "error": { "type": "api_error", "message": message } })
        }
        Provider::Google => json!([{ "error": { "code": status, "message": message,
            "status": "INVALID_ARGUMENT", "details": [] } }]),
        Provider::Mistral => json!({ "object": "error", "message": message,
            "type": "invalid_request_error", "param": null, "code": "1800" }),
        Provider::Cohere => json!({ "id": "8f14e45f", "message": message }),
        Provider::Openai | Provider::Perplexity => json!({ "error": {
            "message": message, "type": "error", "param": null, "code": null } }),
    }
}

fn completion(
    provider: Provider,
    model: &str,
    prompt: &str,
    message: Value,
    finish_reason: &str,
) -> Value {
    let tokens = prompt.len() / 4;
    json!({
        "id": format!("{}-1", provider.as_str().to_lowercase()),
        "object": "chat.completion",
        "created": 1_764_000_000,
        "model": model,
        "choices": [
            { "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason }
        ],
        "usage": {
            "prompt_tokens": tokens, "completion_tokens": 20, "total_tokens": tokens + 20
        },
    })
}

fn message(model: &str, prompt: &str, content: Value, stop_reason: &str) -> Value {
    json!({
        "id": "msg_013Zva2CMHLNnjNjJJKqJ2EF",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": { "input_tokens": prompt.len() / 4, "output_tokens": 20 },
    })
}
