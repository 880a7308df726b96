//! What counts as a failed answer, and its message.

use rstest::rstest;
use serde_json::json;
use tenantry::models::provider::Provider;

use super::{ask, clients};
use crate::support::providers::key;
use crate::support::{Answer, FakeProviders};

const MAX_BODY: usize = 4 * 1024 * 1024;

#[rstest]
#[case(Provider::Openai, "OpenAI")]
#[case(Provider::Anthropic, "Anthropic")]
#[case(Provider::Google, "Google")]
#[case(Provider::Perplexity, "Perplexity")]
#[case(Provider::Mistral, "Mistral")]
#[case(Provider::Cohere, "Cohere")]
#[tokio::test]
async fn it_says_what_the_provider_says_without_the_key(
    #[case] provider: Provider,
    #[case] name: &str,
) {
    let quoted = format!(
        "Bad key {}, not\nsk-proj-abcdefghijk\0 or `{}`.",
        key(provider),
        key(Provider::Openai)
    );
    let (outcome, calls) = ask(provider, [Answer::fails(401, quoted)]).await;
    let failure = outcome.unwrap_err();
    assert_eq!(
        failure.message,
        format!(
            "{name} answered 401 Unauthorized: Bad key [redacted], not [redacted] or `[redacted]`."
        )
    );
    assert!(!failure.model.is_empty());
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn it_is_bounded() {
    let answer = Answer::fails(400, "é".repeat(10_000));
    let (outcome, _) = ask(Provider::Openai, [answer]).await;
    assert_eq!(outcome.unwrap_err().message.chars().count(), 500);
}

#[rstest]
#[case("<html><body>Who are you?</body></html>".into())]
#[case(String::new())]
#[case("x".repeat(MAX_BODY * 2))]
#[tokio::test]
async fn of_an_unknown_form_it_tells_the_status(
    #[case] body: String,
    #[values(true, false)] with_length: bool,
) {
    let mut answer = Answer::sends(body).with_status(403);
    if !with_length {
        answer = answer.without_length();
    }
    let (outcome, calls) = ask(Provider::Perplexity, [answer]).await;
    assert_eq!(
        outcome.unwrap_err().message,
        "Perplexity answered 403 Forbidden"
    );
    assert_eq!(calls, 1);
}

#[rstest]
#[case(
    Provider::Openai,
    "OpenAI refused to answer: I'm sorry, I can't help with that."
)]
#[case(Provider::Anthropic, "Anthropic refused to answer")]
#[case(Provider::Google, "Google refused to answer: content_filter: SAFETY")]
#[case(Provider::Perplexity, "Perplexity refused to answer: content_filter")]
#[case(Provider::Mistral, "Mistral refused to answer: content_filter")]
#[case(Provider::Cohere, "Cohere refused to answer: ERROR_TOXIC")]
#[tokio::test]
async fn a_refusal_without_text_is_one(#[case] provider: Provider, #[case] message: &str) {
    let (outcome, calls) = ask(provider, [Answer::Refuses]).await;
    assert_eq!(outcome.unwrap_err().message, message);
    assert_eq!(calls, 1);
}

#[rstest]
#[case(Provider::Openai, "OpenAI returned an empty answer (stop)")]
#[case(Provider::Anthropic, "Anthropic returned an empty answer (end_turn)")]
#[tokio::test]
async fn an_empty_answer_is_one(
    #[case] provider: Provider,
    #[case] message: &str,
    #[values("", " \n")] text: &str,
) {
    let (outcome, calls) = ask(provider, [Answer::says(text)]).await;
    assert_eq!(outcome.unwrap_err().message, message);
    assert_eq!(calls, 1);
}

#[rstest]
#[case("", "Google returned an unreadable answer")]
#[case("<html>", "Google returned an unreadable answer")]
#[case("{\"choices\":[]}", "Google returned an unreadable answer")]
#[case("{\"choices\":[{\"mess", "Google returned an unreadable answer")]
#[case(
    "{\"error\":{\"message\":\"No such model\"}}",
    "Google returned no answer: No such model"
)]
#[tokio::test]
async fn a_body_that_makes_no_sense_is_one_and_is_not_tried_again(
    #[case] body: &str,
    #[case] message: &str,
) {
    let (outcome, calls) = ask(Provider::Google, [Answer::sends(body)]).await;
    assert_eq!(outcome.unwrap_err().message, message);
    assert_eq!(calls, 1);
}

#[rstest]
#[tokio::test]
async fn a_body_over_4_mib_is_one(#[values(true, false)] with_length: bool) {
    let reply = json!({ "choices": [{ "message": { "content": "Yes." } }] }).to_string();
    let sends = |length: usize| {
        let answer = Answer::sends(format!("{reply}{}", " ".repeat(length - reply.len())));
        match with_length {
            true => answer,
            false => answer.without_length(),
        }
    };
    let (outcome, _) = ask(Provider::Mistral, [sends(MAX_BODY)]).await;
    assert_eq!(outcome.expect("an answer").text, "Yes.");

    let (outcome, calls) = ask(Provider::Mistral, [sends(MAX_BODY + 1)]).await;
    assert_eq!(
        outcome.unwrap_err().message,
        "Mistral returned an answer longer than 4 MiB"
    );
    assert_eq!(calls, 1);
}

#[rstest]
#[tokio::test]
async fn a_redirect_is_one_and_is_not_followed(
    #[values(301, 302, 303, 307, 308)] status: u16,
    #[values(Provider::Openai, Provider::Anthropic)] provider: Provider,
) {
    let (here, elsewhere) = (FakeProviders::start().await, FakeProviders::start().await);
    let to = elsewhere.base_url(provider);
    here.script(provider, [Answer::redirects(status, to.as_str())]);
    let failure = clients(&here).ask(provider, "Hello?").await.unwrap_err();
    let said = format!("answered with a redirect ({status}), which is not followed");
    assert!(failure.message.ends_with(&said), "{}", failure.message);
    assert_eq!(here.all_calls().len(), 1);
    assert!(elsewhere.all_calls().is_empty());
}
