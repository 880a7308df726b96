//! The clients of the AI providers, against local fakes.

mod bounds;
mod failures;
mod tries;

use rstest::rstest;
use tenantry::config::{self, Config};
use tenantry::metrics::Metrics;
use tenantry::models::provider::Provider;
use tenantry::providers::{Failure, Providers, Reply};

use crate::support::providers::{key, of};
use crate::support::{Answer, FakeProviders};

/// Clients that call the fake providers.
fn clients(fake: &FakeProviders) -> Providers {
    clients_with(fake, |_| {})
}

/// Like [`clients`], with a configuration that the test changes first.
fn clients_with(fake: &FakeProviders, change: impl FnOnce(&mut config::Providers)) -> Providers {
    let mut config = Config::default();
    fake.configure(&mut config);
    change(&mut config.providers);
    Providers::new(&config.providers, Metrics::default()).expect("clients")
}

/// Sends a prompt to a provider that gives these answers, and returns the outcome and the number of
/// calls.
async fn ask(
    provider: Provider,
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<Reply, Failure>, usize) {
    let fake = FakeProviders::start().await;
    fake.script(provider, answers);
    let outcome = clients(&fake).ask(provider, "Which CRM?").await;
    (outcome, fake.calls(provider).len())
}

fn strings(reply: &Reply) -> Vec<&str> {
    reply.citations.iter().map(|url| url.as_str()).collect()
}

#[rstest]
#[case(Provider::Openai, "/openai/chat/completions")]
#[case(Provider::Anthropic, "/anthropic/v1/messages")]
#[case(Provider::Google, "/google/chat/completions")]
#[case(Provider::Perplexity, "/perplexity/chat/completions")]
#[case(Provider::Mistral, "/mistral/chat/completions")]
#[case(Provider::Cohere, "/cohere/chat/completions")]
#[tokio::test]
async fn each_provider_is_asked_in_its_own_format(#[case] provider: Provider, #[case] path: &str) {
    let fake = FakeProviders::start().await;
    let clients = clients_with(&fake, |config| {
        let config = of(config, provider);
        config.model = "a-model".into();
        let slash = format!("{}/", config.base_url);
        config.base_url = slash.parse().expect("a URL");
    });
    let reply = clients.ask(provider, "Which \"CRM\"\nis best?").await;
    let reply = reply.expect("an answer");
    assert_eq!(reply.text, "An answer to: Which \"CRM\"\nis best?");
    assert_eq!(reply.model, "a-model");
    assert!(reply.citations.is_empty());

    let calls = fake.all_calls();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!(call.path, path);
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.body["model"], "a-model");
    assert_eq!(call.body["messages"].as_array().expect("a list").len(), 1);
    assert_eq!(call.body["messages"][0]["role"], "user");
    assert_eq!(call.prompt(), "Which \"CRM\"\nis best?");
    if provider == Provider::Anthropic {
        assert_eq!(call.header("x-api-key"), Some(key(provider).as_str()));
        assert_eq!(call.header("anthropic-version"), Some("2023-06-01"));
        assert!(call.body["max_tokens"].as_u64().expect("a number") > 0);
        assert_eq!(call.header("authorization"), None);
    } else {
        let bearer = format!("Bearer {}", key(provider));
        assert_eq!(call.header("authorization"), Some(bearer.as_str()));
    }
}

#[rstest]
#[case(Provider::Openai)]
#[case(Provider::Anthropic)]
#[case(Provider::Perplexity)]
#[case(Provider::Mistral)]
#[tokio::test]
async fn the_citations_of_the_provider_come_before_those_in_the_text(#[case] provider: Provider) {
    let text = "See [a](https://a.example/x), https://c.example, and https://b.example/.";
    let answer = Answer::says(text)
        .citing([
            "https://b.example",
            "ftp://d.example",
            "https://B.example/",
            "no URL",
        ])
        .by_model("a-model-2026-01-01");
    let (outcome, _) = ask(provider, [answer]).await;
    let reply = outcome.expect("an answer");
    assert_eq!(reply.text, text);
    assert_eq!(reply.model, "a-model-2026-01-01");
    assert_eq!(
        strings(&reply),
        [
            "https://b.example/",
            "https://a.example/x",
            "https://c.example/"
        ]
    );
}

#[tokio::test]
async fn a_provider_without_a_key_is_not_called() {
    let fake = FakeProviders::start().await;
    let clients = clients_with(&fake, |config| config.mistral.api_key = None);
    let failure = clients.ask(Provider::Mistral, "Hello?").await.unwrap_err();
    assert_eq!(
        failure.message,
        "Mistral has no API key on this server: its operator can set providers.mistral.api_key"
    );
    assert_eq!(failure.model, "mistral-small-latest");
    assert!(failure.latency.is_zero());
    assert!(fake.all_calls().is_empty());
}
