//! The replies of the five providers.

use rstest::rstest;

use super::*;

fn read(body: &Value) -> Result<Answer, Unreadable> {
    ChatCompletions.read(body.to_string().as_bytes())
}

/// Returns a reply with this message and finish reason.
fn reply(message: Value, finish_reason: Value) -> Value {
    json!({ "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason }] })
}

#[test]
fn openai_annotates_what_it_cites() {
    let answer = read(&json!({
        "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
        "object": "chat.completion",
        "created": 1_741_570_283,
        "model": "gpt-4.1-mini-2025-04-14",
        "choices": [{
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Use Acme.",
                "refusal": null,
                "annotations": [
                    { "type": "url_citation", "url_citation": {
                        "start_index": 0, "end_index": 3, "title": "Acme", "url": "https://acme.example/" } },
                    { "type": "file_citation", "file_citation": { "file_id": "1" } },
                ],
            },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": { "prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29 },
        "service_tier": "default",
        "system_fingerprint": "fp_fc9f1d7035",
    }));
    let expected = Answer {
        model: Some("gpt-4.1-mini-2025-04-14".into()),
        text: "Use Acme.".into(),
        cited: vec!["https://acme.example/".into()],
    };
    assert_eq!(answer, Ok(expected));
}

#[test]
fn perplexity_lists_what_it_cites() {
    let mut body = reply(
        json!({ "role": "assistant", "content": "Use Acme [1]." }),
        json!("stop"),
    );
    body["citations"] = json!(["https://a.example/", 1, "https://b.example/"]);
    body["search_results"] = json!([{ "title": "C", "url": "https://c.example/", "date": null }]);
    let cited = |body: &Value| read(body).unwrap().cited;
    assert_eq!(cited(&body), ["https://a.example/", "https://b.example/"]);

    for none in [json!([]), Value::Null, json!("none")] {
        body["citations"] = none;
        assert_eq!(cited(&body), ["https://c.example/"]);
    }
    body["search_results"] = json!([{ "title": "No URL" }]);
    assert!(cited(&body).is_empty());
}

#[test]
fn mistral_says_it_in_chunks() {
    let body = reply(
        json!({ "role": "assistant", "tool_calls": null, "content": [
            { "type": "thinking", "thinking": [{ "type": "text", "text": "Hm." }], "closed": true },
            { "type": "text", "text": "Use " },
            { "type": "reference", "reference_ids": [1] },
            { "type": "tool_reference", "tool": "web_search", "title": "Acme", "url": "https://acme.example/" },
            { "type": "text", "text": "Acme." },
        ] }),
        json!("stop"),
    );
    let answer = read(&body).unwrap();
    assert_eq!(answer.text, "Use Acme.");
    assert_eq!(answer.cited, ["https://acme.example/"]);
}

#[rstest]
#[case::openai(json!({ "role": "assistant", "content": null, "refusal": "I can't help." }), json!("stop"), "I can't help.")]
#[case::openai_in_parts(json!({ "content": [{ "type": "refusal", "refusal": "No." }] }), json!("stop"), "No.")]
#[case::filter(json!({ "role": "assistant", "content": "" }), json!("content_filter"), "content_filter")]
#[case::google(json!({ "role": "assistant" }), json!("content_filter: SAFETY"), "content_filter: SAFETY")]
#[case::google_without_a_message(Value::Null, json!("PROHIBITED_CONTENT"), "PROHIBITED_CONTENT")]
#[case::cohere(json!({ "content": "" }), json!("ERROR_TOXIC"), "ERROR_TOXIC")]
fn refusals_without_text_are_told_apart(
    #[case] message: Value,
    #[case] finish_reason: Value,
    #[case] said: &str,
) {
    let refusal = Unreadable::Refusal(Some(said.into()));
    assert_eq!(read(&reply(message, finish_reason)), Err(refusal));
}

#[rstest]
#[case(json!({ "content": "I can't.", "refusal": "I can't." }), json!("stop"))]
#[case(json!({ "content": "I can't." }), json!("content_filter"))]
fn refusals_with_text_are_answers(#[case] message: Value, #[case] finish_reason: Value) {
    assert_eq!(
        read(&reply(message, finish_reason)).unwrap().text,
        "I can't."
    );
}

#[rstest]
#[case(json!({ "content": "" }), json!("length"), Some("length"))]
#[case(json!({ "content": " \n\t" }), json!("stop"), Some("stop"))]
#[case(json!({ "content": null, "refusal": "" }), Value::Null, None)]
#[case(json!({ "content": [] }), json!(["stop"]), None)]
#[case(json!({ "content": [{ "type": "thinking", "thinking": [] }] }), json!("a\nb"), Some("ab"))]
fn blank_answers_are_none(
    #[case] message: Value,
    #[case] finish_reason: Value,
    #[case] end: Option<&str>,
) {
    let empty = Unreadable::Empty(end.map(Into::into));
    assert_eq!(read(&reply(message, finish_reason)), Err(empty));
}

#[test]
fn what_cannot_be_stored_is_replaced() {
    let mut body = reply(json!({ "content": "a\0b" }), json!("stop"));
    body["model"] = json!(format!("m\0{}", "x".repeat(500)));
    let answer = read(&body).unwrap();
    assert_eq!(answer.text, "a\u{FFFD}b");
    assert_eq!(answer.model.unwrap(), format!("m{}", "x".repeat(199)));
}

#[test]
fn a_model_that_is_not_told_is_none() {
    for model in [Value::Null, json!(""), json!(1)] {
        let mut body = reply(json!({ "content": "a" }), json!("stop"));
        body["model"] = model;
        assert_eq!(read(&body).unwrap().model, None);
    }
}

#[rstest]
#[case("")]
#[case("<html>")]
#[case("null")]
#[case("[]")]
#[case("{}")]
#[case("{\"choices\":null}")]
#[case("{\"choices\":[]}")]
#[case("{\"choices\":[{}]}")]
#[case("{\"choices\":[{\"message\":\"text\"}]}")]
#[case("{\"choices\":[{\"message\":{\"content\":1}}]}")]
#[case("{\"choices\":[{\"message\":{\"content\":\"cut")]
fn what_is_no_completion_makes_no_sense(#[case] body: &str) {
    assert_eq!(
        ChatCompletions.read(body.as_bytes()),
        Err(Unreadable::Nonsense)
    );
}

#[test]
fn invalid_utf8_makes_no_sense() {
    let body = b"{\"choices\":[{\"message\":{\"content\":\"\xFF\"}}]}";
    assert_eq!(ChatCompletions.read(body), Err(Unreadable::Nonsense));
}
