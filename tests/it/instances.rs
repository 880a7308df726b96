//! Instances that share the work: some serve requests, and others run the background work.

use std::io::ErrorKind;
use std::process::Stdio;

use rstest::rstest;
use tenantry::models::provider::Provider;
use tokio::net::TcpStream;

use crate::support::metrics::scrape;
use crate::support::process::{Program, Serving};
use crate::support::{Database, FakeProviders, Postgres, Sqlite, port, text, until};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_one_that_only_serves_another_does(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let program = Program::new(on).await;
    let start = |only: &str, providers: &FakeProviders| {
        let mut command = program.command(&["serve", only]);
        providers.configure_program(&mut command);
        command.stderr(Stdio::null());
        command
    };
    let (never, asked) = (FakeProviders::start().await, FakeProviders::start().await);
    // If the serving instance claimed the run, it would keep it.
    never.hold();
    let serving = Serving::start(&mut start("--no-worker", &never));
    let (http, token) = (reqwest::Client::new(), program.token("ada@example.com"));
    let ask = async |query: &str| serving.ask(&http, &token, query).await;
    let query = "mutation { createWorkspace(input: { name: \"Rocket\" }) { workspace { id } } }";
    let workspace = text(&ask(query).await, "data.createWorkspace.workspace.id");
    let input = format!("workspaceId: \"{workspace}\", prompts: [{{ text: \"Who?\" }}]");
    ask(&format!(
        "mutation {{ createPrompts(input: {{ {input} }}) {{ __typename }} }}"
    ))
    .await;
    let input = format!("workspaceId: \"{workspace}\"");
    let query =
        format!("mutation {{ startRun(input: {{ {input} }}) {{ runRequest {{ jobId }} }} }}");
    let run = text(&ask(&query).await, "data.startRun.runRequest.jobId");
    let query = format!("{{ node(id: \"{run}\") {{ ... on Run {{ status }} }} }}");
    let status = async || text(&ask(&query).await, "data.node.status");
    assert_eq!(status().await, "QUEUED");

    // The request itself wakes the worker of the server that it reached, if it has one: without waiting
    // for another process to start.
    let _working = Serving::working(&mut start("--worker-only", &asked));
    until("the run is collected", async || {
        assert!(never.all_calls().is_empty(), "the server works");
        status().await == "SUCCEEDED"
    })
    .await;
    assert_eq!(asked.all_calls().len(), Provider::ALL.len());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_only_works_answers_nobody_but_those_who_ask_for_metrics(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let program = Program::new(on).await;
    let (port, metrics) = (port().expect("a port"), port().expect("another one"));
    let metrics = format!("127.0.0.1:{metrics}");
    let mut command = program.command(&["serve", "--worker-only"]);
    command
        .env("PORT", port.to_string())
        .env("TENANTRY_METRICS__LISTEN", &metrics);
    let mut working = Serving::working(command.stderr(Stdio::null()));
    assert_eq!(working.lines[0], "Tenantry is running its worker only");
    let database = match &program.database {
        Some(_) => "PostgreSQL",
        None => "SQLite",
    };
    assert!(working.lines[1].contains(database), "{:?}", working.lines);

    let reached = TcpStream::connect(("127.0.0.1", port)).await;
    let refused = reached.map(drop).map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::ConnectionRefused));
    let told = scrape(&reqwest::Client::new(), &format!("http://{metrics}")).await;
    assert!(told.contains("tenantry_runs"), "{told}");
    working.signal("TERM");
    assert_eq!(working.stopped().await, Some(0));
    assert_eq!(working.rest(), "", "it prints no more than those lines");
}

/// Even right after the line was printed.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_that_it_runs_can_stop_it(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(true, false)] serves: bool,
) {
    let program = Program::new(on).await;
    let mut running = match serves {
        true => program.serve(),
        false => {
            let mut command = program.command(&["serve", "--worker-only"]);
            Serving::working(command.stderr(Stdio::null()))
        }
    };
    running.signal("TERM");
    assert_eq!(running.stopped().await, Some(0));
}
