//! Finding a provider's message about an error.

use serde_json::Value;

/// How many messages are kept if there are several.
const MOST: usize = 3;

/// Returns the provider's own message in the body of an error response; `None` if the body has none of
/// the known forms, such as a proxy's error page. It may be of any length and quote anything.
///
/// - OpenAI, Anthropic, Perplexity: `{"error": {"message": "…"}}`
/// - Google: the same, or a list with it
/// - Mistral: `{"message": "…"}`, `{"message": {"detail": […]}}`, `{"detail": [{"msg": "…"}]}`
/// - Cohere: `{"message": "…"}`
pub(super) fn of(body: &[u8]) -> Option<String> {
    message(&serde_json::from_slice(body).ok()?).filter(|message| !message.trim().is_empty())
}

fn message(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            let messages: Vec<_> = items.iter().filter_map(message).take(MOST).collect();
            (!messages.is_empty()).then(|| messages.join("; "))
        }
        Value::Object(object) => ["error", "message", "detail", "msg"]
            .iter()
            .filter_map(|&name| object.get(name))
            .find_map(|value| match value {
                Value::String(text) => Some(text.clone()),
                inside => message(inside),
            }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::openai(
        r#"{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
        "Rate limit reached"
    )]
    #[case::anthropic(
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
        "Overloaded"
    )]
    #[case::google(
        r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[]}}]"#,
        "API key not valid."
    )]
    #[case::mistral(
        r#"{"object":"error","message":"Service tier capacity exceeded","type":"invalid_request_error","param":null,"code":"3505"}"#,
        "Service tier capacity exceeded"
    )]
    #[case::mistral_validation(
        r#"{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"},{"msg":"Too short"}]}"#,
        "Field required; Too short"
    )]
    #[case::mistral_validation_inside(
        r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","msg":"Extra inputs"}]},"type":"invalid_request_error"}"#,
        "Extra inputs"
    )]
    #[case::mistral_gateway(r#"{"detail":"Unauthorized"}"#, "Unauthorized")]
    #[case::cohere(r#"{"id":"1","message":"invalid api token"}"#, "invalid api token")]
    #[case::plain(r#"{"error":"not found"}"#, "not found")]
    fn messages_are_found(#[case] body: &str, #[case] said: &str) {
        assert_eq!(of(body.as_bytes()).as_deref(), Some(said));
    }

    #[rstest]
    #[case("")]
    #[case("<html><title>401 Authorization Required</title></html>")]
    #[case("\"text\"")]
    #[case("{}")]
    #[case("[]")]
    #[case("{\"error\":{\"code\":1}}")]
    #[case("{\"error\":null}")]
    #[case("{\"message\":\" \"}")]
    fn unknown_forms_say_nothing(#[case] body: &str) {
        assert_eq!(of(body.as_bytes()), None);
    }

    #[test]
    fn deep_nesting_is_no_trouble() {
        assert_eq!(of("[".repeat(100_000).as_bytes()), None);
        assert_eq!(of("{\"error\":".repeat(100_000).as_bytes()), None);
    }
}
