//! How many calls are made at the same time, and what happens when they are dropped.

use futures_util::future::join_all;
use tenantry::models::provider::Provider;

use super::{clients, clients_with};
use crate::support::{Answer, FakeProviders};

#[tokio::test]
async fn a_provider_gets_no_more_calls_at_a_time_than_its_limit() {
    let fake = FakeProviders::start().await;
    let clients = clients_with(&fake, |config| config.openai.concurrency = 3);
    assert_eq!(clients.concurrency(Provider::Openai), 3);
    assert_eq!(clients.concurrency(Provider::Cohere), 4);
    fake.hold();
    // Clones share the limit.
    let asking = join_all((0..10).map(|n| {
        let clients = clients.clone();
        async move { clients.ask(Provider::Openai, &n.to_string()).await }
    }));
    let opening = async {
        fake.arrived(3).await;
        // Other providers have their own limits.
        let other = async { clients.ask(Provider::Cohere, "other").await };
        let releasing = async {
            fake.arrived(4).await;
            fake.open();
        };
        tokio::join!(other, releasing).0.expect("an answer");
    };
    let (replies, ()) = tokio::join!(asking, opening);
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!(fake.most_at_once(Provider::Openai), 3);
    assert_eq!(fake.calls(Provider::Openai).len(), 10);
}

#[tokio::test]
async fn all_providers_get_no_more_calls_at_a_time_than_the_total() {
    let fake = FakeProviders::start().await;
    let clients = clients_with(&fake, |config| config.concurrency = 2);
    assert_eq!(clients.concurrency(Provider::Openai), 2);
    fake.hold();
    let asking = join_all(
        Provider::ALL
            .iter()
            .map(|&provider| clients.ask(provider, "Hello?")),
    );
    let opening = async {
        fake.arrived(2).await;
        fake.open();
    };
    let (replies, ()) = tokio::join!(asking, opening);
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!(fake.most_at_once_in_all(), 2);
    assert_eq!(fake.all_calls().len(), 6);
}

#[tokio::test]
async fn others_are_called_while_one_waits_to_be_tried_again() {
    let fake = FakeProviders::start().await;
    let clients = clients_with(&fake, |config| {
        config.concurrency = 1;
        config.openai.concurrency = 1;
    });
    let busy = Answer::fails(429, "Busy").with("retry-after", "2");
    fake.script(Provider::Openai, [busy]);
    let first = clients.ask(Provider::Openai, "first");
    let second = async {
        fake.arrived(1).await;
        clients.ask(Provider::Openai, "second").await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.expect("an answer").text, "An answer to: first");
    assert_eq!(second.expect("an answer").text, "An answer to: second");
    let calls = fake.calls(Provider::Openai);
    let prompts: Vec<_> = calls.iter().map(|call| call.prompt()).collect();
    assert_eq!(prompts, ["first", "second", "first"]);
}

#[tokio::test]
async fn dropping_the_future_cancels_the_call_and_frees_its_place() {
    let fake = FakeProviders::start().await;
    let clients = clients_with(&fake, |config| config.openai.concurrency = 1);
    fake.script(Provider::Openai, [Answer::Hangs]);
    tokio::select! {
        _ = clients.ask(Provider::Openai, "first") => panic!("it hangs"),
        () = fake.arrived(1) => {}
    }
    fake.cancelled(1).await;
    let reply = clients.ask(Provider::Openai, "second").await;
    assert_eq!(reply.expect("an answer").text, "An answer to: second");
}

#[tokio::test]
async fn calls_can_be_let_through_one_by_one() {
    let fake = FakeProviders::start().await;
    let clients = clients(&fake);
    fake.hold();
    fake.otherwise(|_, prompt| Answer::says(prompt.to_uppercase()));
    fake.release(1);
    let reply = clients.ask(Provider::Google, "a").await;
    assert_eq!(reply.expect("an answer").text, "A");
    tokio::select! {
        _ = clients.ask(Provider::Google, "b") => panic!("it is held"),
        () = fake.arrived(2) => {}
    }
    fake.cancelled(1).await;
}
