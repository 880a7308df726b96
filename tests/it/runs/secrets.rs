//! The providers' keys are seen only by the providers.

use std::fs::{self, File};

use rstest::rstest;
use tenantry::models::provider::Provider;

use super::instance;
use crate::support::process::Program;
use crate::support::providers::key;
use crate::support::{Answer, Database, FakeProviders, Postgres, Sqlite, text, until};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_in_a_log_an_answer_or_an_event(#[values(Sqlite, Postgres)] on: Database) {
    let providers = FakeProviders::start().await;
    providers.otherwise(|provider, _| match provider {
        Provider::Cohere => Answer::Closes,
        provider => Answer::fails(401, format!("Incorrect API key: {}.", key(provider))),
    });
    let program = Program::new(on).await;
    let path = program.folder.path().join("log");
    let log = File::create(&path).expect("a file in a folder of ours");
    let serving = instance(&program, &providers, log.into());
    let (_, token) = serving.lines[3].split_once("#token=").expect("a link");
    let http = reqwest::Client::new();
    let ask = async |query: &str| serving.ask(&http, token, query).await;
    let made =
        ask("mutation { createWorkspace(input: { name: \"Rocket\" }) { workspace { id } } }").await;
    let id = text(&made, "data.createWorkspace.workspace.id");
    ask(&format!(
        "mutation {{ createPrompts(input: {{ workspaceId: \"{id}\", prompts: [{{ text: \"One?\" }}] }}) {{ \
         prompts {{ id }} }} }}"
    ))
    .await;
    ask(&format!(
        "mutation {{ startRun(input: {{ workspaceId: \"{id}\" }}) {{ runRequest {{ status }} }} }}"
    ))
    .await;
    let query = format!(
        "{{ workspace(by: {{ id: \"{id}\" }}) {{ runs(first: 1) {{ nodes {{ status error answers(first: 10) {{ \
         nodes {{ provider error }} }} }} }} events(first: 20) {{ nodes {{ kind data }} }} }} }}"
    );
    until("the run fails", async || {
        let found = ask(&query).await;
        found["data"]["workspace"]["runs"]["nodes"][0]["status"] == "FAILED"
    })
    .await;
    let shown = ask(&query).await.to_string();
    drop(serving);
    let log = fs::read_to_string(&path).expect("text");
    assert!(
        shown.contains("Incorrect API key") && shown.contains("401"),
        "{shown}"
    );
    assert!(log.contains("run ended"), "{log}");
    for provider in Provider::ALL {
        let key = key(*provider);
        assert!(!shown.contains(&key), "{shown}");
        assert!(!log.contains(&key), "{key} is in the log");
    }
}
