//! What is retried, when, and how often.

use std::time::{Duration, Instant, SystemTime};

use rstest::rstest;
use tenantry::models::provider::Provider;

use super::{ask, clients, clients_with};
use crate::support::{Answer, FakeProviders};

fn fails_for_now(status: u16) -> Answer {
    Answer::fails(status, "Not now.").with("retry-after", "0")
}

#[rstest]
#[case(429)]
#[case(500)]
#[case(502)]
#[case(503)]
#[case(504)]
#[case(529)]
#[tokio::test]
async fn what_may_pass_is_tried_three_times_in_all(
    #[case] status: u16,
    #[values(Provider::Openai, Provider::Anthropic)] provider: Provider,
) {
    let twice = [
        fails_for_now(status),
        fails_for_now(status),
        Answer::says("Yes."),
    ];
    let (outcome, calls) = ask(provider, twice).await;
    assert_eq!(outcome.expect("an answer").text, "Yes.");
    assert_eq!(calls, 3);

    let thrice = vec![fails_for_now(status); 3];
    let (outcome, calls) = ask(provider, thrice).await;
    let message = outcome.unwrap_err().message;
    assert!(
        message.contains(&format!(" answered {status}")),
        "{message}"
    );
    assert!(message.ends_with(": Not now."), "{message}");
    assert_eq!(calls, 3);
}

#[rstest]
#[case(400)]
#[case(401)]
#[case(403)]
#[case(404)]
#[case(408)]
#[case(409)]
#[case(422)]
#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again(#[case] status: u16) {
    let (outcome, calls) = ask(Provider::Google, [fails_for_now(status)]).await;
    let message = outcome.unwrap_err().message;
    assert!(
        message.starts_with(&format!("Google answered {status} ")),
        "{message}"
    );
    assert_eq!(calls, 1);
}

#[rstest]
#[case(Answer::Closes)]
#[case(Answer::ClosesMidway)]
#[tokio::test]
async fn broken_connections_are_tried_again(#[case] breaks: Answer) {
    let answers = [breaks.clone(), breaks.clone(), Answer::says("Yes.")];
    let (outcome, calls) = ask(Provider::Cohere, answers).await;
    assert_eq!(outcome.expect("an answer").text, "Yes.");
    assert_eq!(calls, 3);

    let (outcome, calls) = ask(Provider::Cohere, vec![breaks; 3]).await;
    let message = outcome.unwrap_err().message;
    assert_eq!(message, "the connection to Cohere broke");
    assert_eq!(calls, 3);
}

#[tokio::test]
async fn a_provider_that_is_not_there_cannot_be_reached() {
    let fake = FakeProviders::start().await;
    let clients = clients(&fake);
    drop(fake);
    let failure = clients.ask(Provider::Openai, "Hello?").await.unwrap_err();
    assert_eq!(failure.message, "OpenAI cannot be reached");
}

#[rstest]
#[case::hangs(Answer::Hangs)]
#[case::hangs_in_the_body(Answer::HangsMidway)]
#[tokio::test]
async fn time_outs_are_not_tried_again(#[case] answer: Answer) {
    let fake = FakeProviders::start().await;
    fake.script(Provider::Openai, [answer]);
    let clients = clients_with(&fake, |config| config.openai.timeout_seconds = 1);
    let failure = clients.ask(Provider::Openai, "Hello?").await.unwrap_err();
    assert_eq!(failure.message, "OpenAI did not answer within 1 s");
    assert!(failure.latency >= Duration::from_secs(1));
    fake.cancelled(1).await;
    assert_eq!(fake.calls(Provider::Openai).len(), 1);
}

#[rstest]
#[case::nothing(None, 375)]
#[case::seconds(Some("1".to_owned()), 1_000)]
// A date has no fractions of a second, so it is 1 to 2 s from now.
#[case::date(Some(httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2))), 900)]
#[tokio::test]
async fn there_is_a_pause_between_tries(#[case] retry_after: Option<String>, #[case] least: u64) {
    let mut answer = Answer::fails(503, "Overloaded");
    if let Some(retry_after) = retry_after {
        answer = answer.with("retry-after", &retry_after);
    }
    let started = Instant::now();
    let (outcome, calls) = ask(Provider::Perplexity, [answer]).await;
    let latency = outcome.expect("an answer").latency;
    let took = started.elapsed();
    assert_eq!(calls, 2);
    assert!(took >= Duration::from_millis(least), "{took:?}");
    // The latency is that of the successful call only.
    assert!(
        latency + Duration::from_millis(least) <= took,
        "{latency:?}"
    );
}
