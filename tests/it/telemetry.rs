//! Traces: what a collector is sent, what it is not, and that nothing waits for it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::models::provider::Provider;
use tenantry::seed::DEVELOPER_EMAIL;
use tokio::net::TcpListener;

use crate::support::collector::{Collector, Span};
use crate::support::process::{Program, Serving};
use crate::support::providers::key;
use crate::support::{Answer, Database, FakeProviders, Postgres, Socket, Sqlite, port, text};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The program, sending traces to `collector` and writing its log to `log`.
fn traced(program: &Program, collector: &str, log: &Path) -> Command {
    let mut command = program.command(&[]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .stderr(File::create(log).expect("a file in a folder of ours"));
    command
}

/// A signed-in client that can continue a trace.
struct Caller<'a> {
    serving: &'a Serving,
    http: reqwest::Client,
    token: String,
}

impl<'a> Caller<'a> {
    fn new(serving: &'a Serving) -> Self {
        let (_, token) = serving.lines[3].split_once("#token=").expect("a link");
        Self {
            serving,
            http: reqwest::Client::new(),
            token: token.to_owned(),
        }
    }

    async fn send(&self, path: &str, body: Value, traceparent: Option<&str>) -> String {
        let mut request = self
            .http
            .post(format!("{}{path}", self.serving.url))
            .bearer_auth(&self.token)
            .json(&body);
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        let response = request.send().await.expect("the server answers");
        response.text().await.expect("text")
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let reply = self.send("/graphql", body, None).await;
        serde_json::from_str(&reply).expect("JSON")
    }
}

/// The only span of that name.
fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().unwrap_or_else(|| panic!("{name}: {spans:#?}"));
    assert!(found.next().is_none(), "{name} is there twice: {spans:#?}");
    span
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_what_was_done_and_no_secret(#[values(Sqlite, Postgres)] on: Database) {
    let (collector, providers) = (Collector::start().await, FakeProviders::start().await);
    providers.script(
        Provider::Cohere,
        [Answer::fails(401, key(Provider::Cohere))],
    );
    let program = Program::new(on).await;
    let log = program.folder.path().join("log");
    let mut command = traced(&program, &collector.url, &log);
    command
        .env("OTEL_SERVICE_NAME", "workspaces")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=for%20the%20collector");
    for provider in [Provider::Openai, Provider::Cohere] {
        let prefix = format!("TENANTRY_PROVIDERS__{}", provider.as_str());
        command
            .env(format!("{prefix}__API_KEY"), key(provider))
            .env(
                format!("{prefix}__BASE_URL"),
                providers.base_url(provider).as_str(),
            );
    }
    let mut serving = Serving::start(&mut command);
    let caller = Caller::new(&serving);

    let query =
        "query Who($slug: String!) { viewer { id } slugAvailability(slug: $slug) { isAvailable } }";
    let body = json!({ "query": query, "variables": { "slug": "hunter2-slug" } });
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    caller.send("/graphql", body, Some(&traceparent)).await;
    let body = json!({ "query": "subscription Follow { run(id: \"hunter2-id\") { id } }" });
    caller.send("/graphql/stream", body, None).await;

    let url = format!("{}/graphql/ws", serving.url);
    let headers = [("sec-websocket-protocol", "graphql-transport-ws")];
    let socket = Socket::try_connect(&url, &headers).await;
    let mut socket = socket.expect("the socket opens");
    socket.sign_in(&caller.token).await;
    let query = "{ workspaces { totalCount } }";
    socket.subscribe("1", query, json!({})).await;
    socket.next("1").await;
    drop(socket);

    let refused = caller
        .ask(
            "mutation Fail($input: CreateWorkspaceInput!) { createWorkspace(input: $input) { workspace { id } } }",
            json!({ "input": { "name": "", "slug": "hunter2-name" } }),
        )
        .await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "INVALID_INPUT");
    let made = caller
        .ask(
            "mutation { createApiToken(input: { name: \"hunter2-literal\" }) { secret } }",
            json!({}),
        )
        .await;
    let api_token = text(&made, "data.createApiToken.secret");

    let made = caller
        .ask(
            "mutation { createWorkspace(input: { name: \"Rocket\" }) { workspace { id } } }",
            json!({}),
        )
        .await;
    let id = text(&made, "data.createWorkspace.workspace.id");
    let input = json!({ "workspaceId": id, "providers": ["OPENAI", "COHERE"] });
    let query = "mutation($input: SetEnabledProvidersInput!) { setEnabledProviders(input: $input) { __typename } }";
    caller.ask(query, json!({ "input": input })).await;
    let input = json!({ "workspaceId": id, "prompts": [{ "text": "hunter2-prompt?" }] });
    let query =
        "mutation($input: CreatePromptsInput!) { createPrompts(input: $input) { prompts { id } } }";
    caller.ask(query, json!({ "input": input })).await;
    let query =
        "mutation($id: ID!) { startRun(input: { workspaceId: $id }) { runRequest { jobId } } }";
    let asked = caller.ask(query, json!({ "id": id })).await;
    let run = text(&asked, "data.startRun.runRequest.jobId");
    collector.heard("run").await;
    let begun = Instant::now();
    let token = caller.token.clone();
    serving.signal("TERM");
    assert_eq!(serving.stopped().await, Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "it stops in time"
    );

    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.service == "workspaces"));
    assert!(spans.iter().all(|span| span.events == 0), "{spans:#?}");

    // A trace that began elsewhere is continued.
    let who = one(&spans, "query viewer");
    assert_eq!(who.trace, TRACE);
    assert_eq!(who.says("graphql.operation.name"), "Who");
    assert_eq!(who.says("tenantry.outcome"), "ok");
    assert_eq!(who.says("tenantry.statements"), "1");
    let request = spans.iter().find(|span| span.id == who.parent);
    let request = request.expect("the operation is below its request");
    assert_eq!((&*request.trace, &*request.parent), (TRACE, PARENT));
    assert_eq!(request.name, "POST /graphql");
    assert_eq!(request.says("http.route"), "/graphql");
    assert_eq!(request.says("http.response.status_code"), "200");
    assert_eq!(request.says("tenantry.request_id").len(), 32);

    let asked = one(&spans, "query workspaces");
    let handshake = one(&spans, "GET /graphql/ws");
    assert_eq!(handshake.says("http.response.status_code"), "101");
    assert_eq!(
        (&asked.trace, &asked.parent),
        (&handshake.trace, &handshake.id)
    );
    let followed = one(&spans, "subscription run");
    let stream = one(&spans, "POST /graphql/stream");
    assert_eq!(
        (&followed.trace, &followed.parent),
        (&stream.trace, &stream.id)
    );
    assert_ne!(followed.trace, TRACE);

    let mut mutations = spans.iter();
    let refused = mutations.find(|span| span.says("graphql.operation.name") == "Fail");
    let refused = refused.expect("the mutation that was refused");
    assert_eq!(refused.name, "mutation createWorkspace");
    assert_eq!(refused.says("tenantry.outcome"), "INVALID_INPUT");
    assert!(!refused.is_error, "it is the client's mistake");
    let made = one(&spans, "mutation createApiToken");
    let statements = made.says("tenantry.statements").parse::<u64>();
    // At least one to begin, one to write and one to commit.
    assert!(statements.expect("a number") >= 3);

    let worked = one(&spans, "run");
    assert_eq!(worked.says("tenantry.run_id"), run);
    assert_eq!(worked.says("tenantry.outcome"), "ended");
    assert_eq!(worked.parent, "");
    let (well, badly) = (one(&spans, "call OPENAI"), one(&spans, "call COHERE"));
    for call in [well, badly] {
        assert_eq!((&call.trace, &call.parent), (&worked.trace, &worked.id));
    }
    assert_eq!(well.says("tenantry.outcome"), "ok");
    assert_eq!(badly.says("tenantry.outcome"), "failed");
    assert!(badly.is_error && !well.is_error);

    let requests = collector.requests();
    for (headers, body) in &requests {
        assert_eq!(headers["x-key"], "for the collector");
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let body = String::from_utf8_lossy(body);
        for secret in [
            &*token,
            &*api_token,
            "hunter2",
            "for the collector",
            &*key(Provider::Openai),
            &*key(Provider::Cohere),
            "isAvailable",
            "An answer to",
            DEVELOPER_EMAIL,
        ] {
            assert!(!body.contains(secret), "{secret} is in {body}");
        }
    }
    let log = std::fs::read_to_string(&log).expect("text");
    assert!(log.contains(TRACE), "the log names the trace: {log}");
    assert!(!log.contains("tenantry.outcome"), "{log}");
    assert!(!log.contains("were lost"), "{log}");
}

/// How a collector may fail.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Nothing listens.
    Gone,
    /// It accepts connections and never answers.
    Silent,
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_collector(#[values(Trouble::Gone, Trouble::Silent)] trouble: Trouble) {
    let address = SocketAddr::from(([127, 0, 0, 1], port().expect("a free port")));
    let url = format!("http://{address}");
    let _listener = match trouble {
        Trouble::Gone => None,
        Trouble::Silent => Some(TcpListener::bind(address).await.expect("a free port")),
    };
    let program = Program::new(Sqlite).await;
    let log = program.folder.path().join("log");
    let mut command = traced(&program, &url, &log);
    // Batches are due while requests still arrive.
    let mut serving = Serving::start(command.env("OTEL_BSP_SCHEDULE_DELAY", "20"));
    let caller = Caller::new(&serving);
    let mut slowest = Duration::ZERO;
    // More spans than the queue holds, at two per request.
    for _ in 0..1200 {
        let begun = Instant::now();
        let reply = caller.ask("{ __typename }", json!({})).await;
        assert_eq!(reply["data"]["__typename"], "Query");
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");

    let begun = Instant::now();
    serving.signal("TERM");
    assert_eq!(serving.stopped().await, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(8), "it stops in time");
    let log = std::fs::read_to_string(&log).expect("text");
    let lost = log.lines().filter(|line| line.contains("were lost"));
    assert!((1..=3).contains(&lost.count()), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn few_traces_are_kept_where_few_are_wanted() {
    let collector = Collector::start().await;
    let program = Program::new(Sqlite).await;
    let log = program.folder.path().join("log");
    let mut command = traced(&program, &collector.url, &log);
    let mut serving = Serving::start(command.env("TENANTRY_TELEMETRY__SAMPLE_ONE_IN", "1000000"));
    let caller = Caller::new(&serving);
    let body = json!({ "query": "{ __typename }" });
    for _ in 0..10 {
        caller.send("/graphql", body.clone(), None).await;
    }
    // Whoever began a trace has decided whether to sample it.
    let unwanted = format!("00-{}-{PARENT}-00", TRACE.replace('4', "5"));
    caller.send("/graphql", body.clone(), Some(&unwanted)).await;
    let wanted = format!("00-{TRACE}-{PARENT}-01");
    caller.send("/graphql", body, Some(&wanted)).await;
    serving.signal("TERM");
    assert_eq!(serving.stopped().await, Some(0));
    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "{spans:#?}");
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
}
