//! Schedules and runs: requesting answers, collecting them, and what happens when that goes wrong.

mod asking;
mod cancelling;
mod collecting;
mod crashing;
mod domains;
mod scheduling;
mod secrets;
mod storing;

use std::process::Stdio;

use serde_json::{Value, json};
use tenantry::config::Config;
use tenantry::db::Topic;

use crate::support::process::{Program, Serving};
use crate::support::wait::PATIENCE;
use crate::support::{Client, Database, FakeProviders, TestServer, text};

/// A server that uses the fake providers.
async fn serve(
    on: Database,
    providers: &FakeProviders,
    change: impl FnOnce(&mut Config),
) -> TestServer {
    TestServer::with(on, |config| {
        providers.configure(config);
        change(config);
    })
    .await
}

async fn set_domain(by: &Client, workspace: &str, domain: &str) {
    let input = json!({ "workspaceId": workspace, "domain": domain });
    by.mutate("updateWorkspace", input, "workspace { id }")
        .await;
}

/// The outcome of a request for a run.
async fn start(by: &Client, workspace: &str) -> Value {
    let selection = "runRequest { status jobId code retryAfterSeconds error run { id status trigger \
                     total completed failed queuedAt startedAt finishedAt error } }";
    let input = json!({ "workspaceId": workspace });
    by.mutate("startRun", input, selection).await["runRequest"].take()
}

/// The id of a run that was requested and queued.
async fn started(by: &Client, workspace: &str) -> String {
    let request = start(by, workspace).await;
    assert_eq!(request["status"], "QUEUED", "{request}");
    text(&request, "jobId")
}

async fn cancel(by: &Client, run: &str) -> Value {
    let selection = "run { id status finishedAt }";
    by.mutate("cancelRun", json!({ "runId": run }), selection)
        .await["run"]
        .take()
}

async fn set_schedule(by: &Client, workspace: &str, cron: Option<&str>, zone: &str) -> Value {
    let selection = "workspace { schedule { cron timeZone nextRunAt } } runRequest { status jobId \
                     code retryAfterSeconds error run { id trigger } }";
    let input = json!({ "workspaceId": workspace, "cron": cron, "timeZone": zone });
    by.mutate("setSchedule", input, selection).await
}

/// The run as the API shows it.
async fn shown(by: &Client, run: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Run { id status trigger error total completed \
                 failed queuedAt startedAt finishedAt } } }";
    by.ok(query, json!({ "id": run })).await["node"].take()
}

/// The answers of a run, newest first; at most 100.
async fn answers(by: &Client, run: &str) -> Vec<Value> {
    let query = "query($id: ID!) { node(id: $id) { ... on Run { answers(first: 100) { totalCount nodes { \
                 id provider model promptText text error citations mentionsDomain latencyMs createdAt \
                 prompt { id } } } } } }";
    let mut found = by.ok(query, json!({ "id": run })).await;
    let nodes = found["node"]["answers"]["nodes"].take();
    nodes.as_array().expect("a list").clone()
}

/// The kinds of the workspace's events about runs and schedules, newest first.
async fn events(by: &Client, workspace: &str) -> Vec<String> {
    let query = "query($id: ID!) { workspace(by: { id: $id }) { events(first: 50, kinds: [SCHEDULE_SET, \
                 RUN_QUEUED, RUN_FINISHED, RUN_CANCELLED]) { nodes { kind } } } }";
    let found = by.ok(query, json!({ "id": workspace })).await;
    let nodes = found["workspace"]["events"]["nodes"].as_array();
    let nodes = nodes.expect("a list").iter();
    nodes.map(|event| text(event, "kind")).collect()
}

/// Waits until the run has ended, and returns it.
async fn ended(server: &TestServer, by: &Client, run: &str) -> Value {
    let topic = Topic::Run(run.parse().expect("a run's id"));
    let mut changes = server.app().db.listen(topic);
    let ending = async {
        loop {
            let run = shown(by, run).await;
            if run["finishedAt"].is_string() {
                return run;
            }
            changes.changed().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, ending);
    in_time.await.expect("it ends in time")
}

/// The program with the fake providers, a lease of two seconds, and its log written to `log`.
fn instance(program: &Program, providers: &FakeProviders, log: Stdio) -> Serving {
    let mut command = program.command(&[]);
    command
        .env("TENANTRY_LIMITS__RUN_LEASE_SECONDS", "2")
        .env("RUST_LOG", "trace");
    providers.configure_program(&mut command);
    Serving::start(command.stderr(log))
}
