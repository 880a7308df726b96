//! Collecting answers, from the request for a run to its end.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::models::provider::Provider;
use tenantry::models::run;

use super::{answers, cancel, ended, events, serve, set_domain, set_schedule, shown, started};
use crate::support::collecting::prompts;
use crate::support::providers::of;
use crate::support::socket::Socket;
use crate::support::working::Working;
use crate::support::{
    Answer, Client, Database, FakeProviders, Postgres, Sqlite, home, text, until,
};

/// A provider's answer in a run that asks each provider once.
async fn answer_of(by: &Client, run: &str, provider: Provider) -> Value {
    let mut found = answers(by, run).await.into_iter();
    let answer = found.find(|answer| answer["provider"] == provider.as_str());
    answer.unwrap_or_else(|| panic!("{} answered", provider.as_str()))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_schedule_asks_for_is_collected(#[values(Sqlite, Postgres)] on: Database) {
    let providers = FakeProviders::start().await;
    providers.otherwise(|provider, prompt| match provider {
        Provider::Perplexity => Answer::says("See the sources.")
            .citing(["https://docs.example.com/rockets", "https://other.example/"])
            .by_model("sonar-2"),
        Provider::Anthropic => Answer::says("Example.COM builds them; notexample.com does not."),
        _ => Answer::says(format!("On {prompt}: see https://elsewhere.example/page.")),
    });
    let server = serve(on, &providers, |_| {}).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    set_domain(&ada, &home.workspace, "example.com").await;
    prompts(&ada, &home.workspace, &["One?", "Two?", "Three?"]).await;
    let before = "query($id: ID!) { workspace(by: { id: $id }) { lastRunAt } }";
    let before = ada.ok(before, json!({ "id": home.workspace })).await;
    assert!(before["workspace"]["lastRunAt"].is_null());

    let working = Working::start(&server);
    let set = set_schedule(&ada, &home.workspace, Some("0 6 * * *"), "UTC").await;
    let id = text(&set, "runRequest.jobId");
    let mut socket = Socket::of(&server, "ada@example.com").await;
    let watch = "subscription($id: ID!) { run(id: $id) { status total completed } }";
    socket.subscribe("1", watch, json!({ "id": id })).await;
    let mut progress = 0;
    loop {
        let seen = socket.next("1").await["run"].take();
        let completed = seen["completed"].as_i64().expect("a number");
        assert!(completed >= progress, "{seen}");
        progress = completed;
        if seen["status"] == "SUCCEEDED" {
            break;
        }
    }
    assert_eq!(progress, 18);
    socket.completes("1").await;
    let run = ended(&server, &ada, &id).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    ada.mutate_refused("CONFLICT", "cancelRun", json!({ "runId": id }))
        .await;
    assert_eq!((&run["total"], &run["completed"]), (&json!(18), &json!(18)));
    assert_eq!((&run["failed"], &run["error"]), (&json!(0), &Value::Null));
    assert!(run["startedAt"].is_string() && run["finishedAt"].is_string());

    let found = answers(&ada, &id).await;
    assert_eq!(found.len(), 18);
    for answer in &found {
        assert!(answer["error"].is_null() && answer["prompt"]["id"].is_string());
        let mentions = ["PERPLEXITY", "ANTHROPIC"].contains(&text(answer, "provider").as_str());
        assert_eq!(answer["mentionsDomain"], mentions, "{answer}");
    }
    let by = |provider: &str| {
        found
            .iter()
            .find(|a| a["provider"] == provider)
            .expect("one")
    };
    assert_eq!(by("PERPLEXITY")["model"], "sonar-2");
    assert_eq!(
        by("PERPLEXITY")["citations"],
        json!(["https://docs.example.com/rockets", "https://other.example/"])
    );
    assert_eq!(
        by("OPENAI")["citations"],
        json!(["https://elsewhere.example/page"])
    );

    let query = "query($id: ID!) { workspace(by: { id: $id }) { lastRunAt domainVisibility { answers \
                 mentions rate byProvider { provider answers mentions } byDay { answers } } } }";
    let seen = ada.ok(query, json!({ "id": home.workspace })).await;
    let seen = &seen["workspace"];
    assert_eq!(seen["lastRunAt"], run["finishedAt"]);
    let visibility = &seen["domainVisibility"];
    assert_eq!(visibility["answers"], 18);
    assert_eq!(visibility["mentions"], 6);
    assert_eq!(
        visibility["byProvider"][1],
        json!({ "provider": "ANTHROPIC", "answers": 3, "mentions": 3 })
    );
    let kinds = events(&ada, &home.workspace).await;
    assert_eq!(kinds, ["RUN_FINISHED", "RUN_QUEUED", "SCHEDULE_SET"]);
    working.stop().await;
}

/// Each of the six providers misbehaves in its own way.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_outlives_whatever_providers_do(#[values(Sqlite, Postgres)] on: Database) {
    let providers = FakeProviders::start().await;
    let elsewhere = FakeProviders::start().await;
    let server = serve(on, &providers, |config| {
        of(&mut config.providers, Provider::Perplexity).timeout_seconds = 1;
    })
    .await;
    let busy = || Answer::fails(500, "overloaded");
    providers.script(
        Provider::Openai,
        [
            Answer::fails(429, "slow down").with("retry-after", "0"),
            Answer::says("At last."),
        ],
    );
    providers.script(
        Provider::Anthropic,
        [busy(), busy(), Answer::says("Third time.")],
    );
    providers.script(Provider::Google, [Answer::sends("<html>no</html>")]);
    providers.script(Provider::Perplexity, [Answer::Hangs]);
    providers.script(Provider::Mistral, [Answer::sends(vec![b'x'; 10 << 20])]);
    let away = elsewhere.base_url(Provider::Cohere);
    providers.script(Provider::Cohere, [Answer::redirects(307, away.as_str())]);

    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let working = Working::start(&server);
    let id = started(&ada, &home.workspace).await;
    let run = ended(&server, &ada, &id).await;
    assert_eq!(run["status"], "PARTIAL", "{run}");
    assert_eq!((&run["completed"], &run["failed"]), (&json!(2), &json!(4)));
    assert_eq!(
        answer_of(&ada, &id, Provider::Openai).await["text"],
        "At last."
    );
    assert_eq!(
        answer_of(&ada, &id, Provider::Anthropic).await["text"],
        "Third time."
    );
    for provider in [
        Provider::Google,
        Provider::Perplexity,
        Provider::Mistral,
        Provider::Cohere,
    ] {
        let answer = answer_of(&ada, &id, provider).await;
        assert!(
            answer["text"].is_null() && answer["error"].is_string(),
            "{answer}"
        );
        assert_eq!(providers.calls(provider).len(), 1, "{answer}");
    }
    assert!(elsewhere.all_calls().is_empty());
    let query = "query($id: ID!) { workspace(by: { id: $id }) { domainVisibility { answers } } }";
    let seen = ada.ok(query, json!({ "id": home.workspace })).await;
    assert_eq!(seen["workspace"]["domainVisibility"]["answers"], 2);

    let id = started(&ada, &home.workspace).await;
    assert_eq!(ended(&server, &ada, &id).await["status"], "SUCCEEDED");
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_a_key_fails_by_itself(#[values(Sqlite, Postgres)] on: Database) {
    let providers = FakeProviders::start().await;
    let server = serve(on, &providers, |config| {
        of(&mut config.providers, Provider::Google).api_key = None;
    })
    .await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let working = Working::start(&server);
    let id = started(&ada, &home.workspace).await;
    let run = ended(&server, &ada, &id).await;
    assert_eq!(run["status"], "PARTIAL");
    assert_eq!((&run["completed"], &run["failed"]), (&json!(5), &json!(1)));
    let error = text(&answer_of(&ada, &id, Provider::Google).await, "error");
    assert!(error.contains("key"), "{error}");

    let only = json!({ "workspaceId": home.workspace, "providers": ["GOOGLE"] });
    ada.mutate("setEnabledProviders", only, "workspace { id }")
        .await;
    let id = started(&ada, &home.workspace).await;
    let run = ended(&server, &ada, &id).await;
    assert_eq!(run["status"], "FAILED");
    assert!(text(&run, "error").contains(&error), "{run}");
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_collects_no_more(#[values(Sqlite, Postgres)] on: Database) {
    let providers = FakeProviders::start().await;
    let server = serve(on, &providers, |config| {
        config.limits.run_lease_seconds = 1;
        config.providers.concurrency = 2;
    })
    .await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?", "Two?"]).await;
    providers.hold();
    let working = Working::start(&server);
    let id = started(&ada, &home.workspace).await;
    providers.arrived(2).await;
    assert_eq!(shown(&ada, &id).await["status"], "RUNNING");
    cancel(&ada, &id).await;
    // The calls under way are abandoned.
    providers.cancelled(2).await;
    providers.open();
    let next = started(&ada, &home.workspace).await;
    assert_ne!(next, id);
    assert_eq!(ended(&server, &ada, &next).await["completed"], 12);
    let run = shown(&ada, &id).await;
    assert_eq!(
        (&run["status"], &run["completed"]),
        (&json!("CANCELLED"), &json!(0))
    );
    assert!(answers(&ada, &id).await.is_empty());
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_keeps_what_is_under_way_and_gives_the_rest_back(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    let server = serve(on, &providers, |config| config.providers.concurrency = 3).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let many: Vec<_> = (0..30).map(|n| format!("Question {n}?")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    prompts(&ada, &home.workspace, &many).await;
    providers.hold();
    let working = Working::start(&server);
    let id = started(&ada, &home.workspace).await;
    providers.arrived(3).await;
    let stopping = tokio::spawn(working.stop());
    providers.open();
    stopping.await.expect("it stops");
    let run = shown(&ada, &id).await;
    assert_eq!(run["status"], "RUNNING");
    let kept = run["completed"].as_u64().expect("a number");
    assert!((3..180).contains(&kept), "{run}");
    let asked = providers.all_calls().len() as u64;
    assert_eq!(asked, kept);

    // Long before the lease would have expired.
    let working = Working::start(&server);
    assert_eq!(ended(&server, &ada, &id).await["completed"], 180);
    assert_eq!(providers.all_calls().len(), 180);
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_provider_gets_more_calls_at_a_time_than_it_takes(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    let server = serve(on, &providers, |config| {
        config.providers.concurrency = 5;
        of(&mut config.providers, Provider::Openai).concurrency = 1;
    })
    .await;
    let ada = server.user("ada@example.com");
    let working = Working::start(&server);
    let mut runs = Vec::new();
    for name in ["First", "Second", "Third"] {
        server.clock().advance(chrono::TimeDelta::hours(1));
        let home = home(&ada, name).await;
        prompts(&ada, &home.workspace, &["One?", "Two?", "Three?"]).await;
        runs.push(started(&ada, &home.workspace).await);
    }
    for run in &runs {
        assert_eq!(ended(&server, &ada, run).await["status"], "SUCCEEDED");
    }
    assert_eq!(providers.most_at_once(Provider::Openai), 1);
    assert!(providers.most_at_once_in_all() <= 5);
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_deleted_meanwhile_is_asked_as_it_was(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    let server = serve(on, &providers, |_| {}).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let made = prompts(&ada, &home.workspace, &["One?", "Two?"]).await;
    let id = started(&ada, &home.workspace).await;
    ada.mutate("deletePrompt", json!({ "promptId": made[0] }), "deletedId")
        .await;
    let changed = json!({ "promptId": made[1], "text": "Another?" });
    ada.mutate("updatePrompt", changed, "prompt { id }").await;
    let working = Working::start(&server);
    let run = ended(&server, &ada, &id).await;
    assert_eq!(
        (&run["status"], &run["completed"]),
        (&json!("SUCCEEDED"), &json!(12))
    );
    for answer in answers(&ada, &id).await {
        match text(&answer, "promptText").as_str() {
            "One?" => assert!(answer["prompt"].is_null()),
            "Two?" => assert_eq!(answer["prompt"]["id"], json!(made[1])),
            other => panic!("{other}"),
        }
    }
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_kept_for_as_long_as_is_configured(#[values(Sqlite, Postgres)] on: Database) {
    let providers = FakeProviders::start().await;
    let server = serve(on, &providers, |config| config.limits.run_days = Some(10)).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let working = Working::start(&server);
    let old = started(&ada, &home.workspace).await;
    ended(&server, &ada, &old).await;
    server.clock().advance(chrono::TimeDelta::days(9));
    let young = started(&ada, &home.workspace).await;
    ended(&server, &ada, &young).await;
    server.clock().advance(chrono::TimeDelta::days(2));
    server.app().wake_worker();
    until("it is forgotten", async || {
        shown(&ada, &old).await.is_null()
    })
    .await;
    assert_eq!(answers(&ada, &young).await.len(), 6);
    let query = "query($id: ID!) { workspace(by: { id: $id }) { domainVisibility { answers } } }";
    let seen = ada.ok(query, json!({ "id": home.workspace })).await;
    assert_eq!(seen["workspace"]["domainVisibility"]["answers"], 12);
    working.stop().await;

    // In batches: four of its six answers, then the other two and the run.
    let forget = async || {
        let (app, after) = (server.app(), server.app().now().plus_days(1));
        let forgotten = app
            .db
            .transaction(async |tx| run::forget(tx, after, 4).await);
        let forgotten = forgotten.await.expect("it works");
        forgotten.map(|it| it.is_gone)
    };
    assert_eq!(forget().await, Some(false));
    assert_eq!(answers(&ada, &young).await.len(), 2);
    assert_eq!(forget().await, Some(true));
    assert!(shown(&ada, &young).await.is_null());
    assert_eq!(forget().await, None);
}
