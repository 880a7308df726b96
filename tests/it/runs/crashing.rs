//! Instances that are killed in the middle of a run.

use std::collections::HashSet;
use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::models::provider::Provider;

use super::instance;
use crate::support::process::{Program, Serving};
use crate::support::wait::until_within;
use crate::support::{Database, FakeProviders, Postgres, Sqlite, text};

/// Prompts in the run: 504 answers with six providers.
const PROMPTS: usize = 84;
/// Calls of the first instance that are answered before it is killed.
const ANSWERED: usize = 150;

/// The prompts that have a stored answer, each with its provider.
async fn stored(serving: &Serving, token: &str, run: &str) -> HashSet<(String, String)> {
    let http = reqwest::Client::new();
    let (mut found, mut after) = (HashSet::new(), Value::Null);
    loop {
        let query = format!(
            "{{ node(id: \"{run}\") {{ ... on Run {{ answers(first: 100, after: {after}) {{ nodes {{ provider \
             promptText }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"
        );
        let mut reply = serving.ask(&http, token, &query).await;
        let page = reply["data"]["node"]["answers"].take();
        for answer in page["nodes"].as_array().expect("a list") {
            let answer = (text(answer, "provider"), text(answer, "promptText"));
            assert!(found.insert(answer), "each is stored once");
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn status(serving: &Serving, token: &str, run: &str) -> Value {
    let query = format!("{{ node(id: \"{run}\") {{ ... on Run {{ status completed failed }} }} }}");
    let http = reqwest::Client::new();
    serving.ask(&http, token, &query).await["data"]["node"].take()
}

/// On PostgreSQL another instance continues the run; on SQLite, the same one after a restart.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_its_worker_and_no_stored_answer_is_asked_for_again(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    let program = Program::new(on).await;
    let first = instance(&program, &providers, Stdio::null());
    let (_, token) = first.lines[3].split_once("#token=").expect("a link");
    let token = token.to_owned();
    let http = reqwest::Client::new();
    let made = first
        .ask(
            &http,
            &token,
            "mutation { createWorkspace(input: { name: \"Rocket\" }) { workspace { id } } }",
        )
        .await;
    let workspace = text(&made, "data.createWorkspace.workspace.id");
    let texts: Vec<_> = (0..PROMPTS)
        .map(|n| format!("{{ text: \"Question {n}?\" }}"))
        .collect();
    let make = format!(
        "mutation {{ createPrompts(input: {{ workspaceId: \"{workspace}\", prompts: [{}] }}) {{ prompts {{ id }} }} }}",
        texts.join(", ")
    );
    first.ask(&http, &token, &make).await;
    providers.hold();
    let start = format!(
        "mutation {{ startRun(input: {{ workspaceId: \"{workspace}\" }}) {{ runRequest {{ jobId }} }} }}"
    );
    let asked = first.ask(&http, &token, &start).await;
    let run = text(&asked, "data.startRun.runRequest.jobId");
    providers.release(ANSWERED);
    // Each further call starts only after one of these answers has been stored.
    providers.arrived(ANSWERED + 1).await;

    let other = matches!(on, Postgres).then(|| instance(&program, &providers, Stdio::null()));
    first.kill();
    let second = other.unwrap_or_else(|| instance(&program, &providers, Stdio::null()));
    let kept = stored(&second, &token, &run).await;
    assert!(kept.len() > ANSWERED / 2, "{}", kept.len());
    let before = providers.all_calls().len();
    providers.open();

    let a_minute = Duration::from_secs(60);
    until_within(a_minute, "it is taken up, and ends", async || {
        status(&second, &token, &run).await["status"] != "RUNNING"
    })
    .await;
    let total = PROMPTS * Provider::ALL.len();
    assert_eq!(
        status(&second, &token, &run).await,
        json!({ "status": "SUCCEEDED", "completed": total, "failed": 0 })
    );
    assert_eq!(stored(&second, &token, &run).await.len(), total);
    for call in &providers.all_calls()[before..] {
        let again = (call.provider.as_str().to_owned(), call.prompt().to_owned());
        assert!(!kept.contains(&again), "{again:?}");
    }
}
