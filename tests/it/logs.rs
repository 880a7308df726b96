//! What the log says about requests and jobs, and how to find it there.

use std::fs::File;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::icons::{png, put};
use crate::support::issuer::{ISSUER, TestIssuer};
use crate::support::metrics::{scrape, value};
use crate::support::postgres::OwnCluster;
use crate::support::process::{Program, Serving};
use crate::support::raw::Raw;
use crate::support::{Database, Events, Postgres, Socket, Sqlite, text, until};

/// Starts the program with its log in a file.
fn logging(program: &Program, format: &str, log: &Path) -> Serving {
    let mut command = program.command(&[]);
    command
        .env("TENANTRY_LOG__FORMAT", format)
        .stderr(File::create(log).expect("a file in a folder of ours"));
    Serving::start(&mut command)
}

/// The only line about the request or operation with that id and name.
fn line<'a>(lines: &'a [Value], id: &str, operation: &str) -> &'a Value {
    let mut found = lines.iter().filter(|line| {
        let ids = [&line["fields"]["request_id"], &line["span"]["request_id"]];
        ids.contains(&&json!(id)) && line["fields"]["operation"] == operation
    });
    let one = found.next();
    let one = one.unwrap_or_else(|| panic!("no {operation} in {lines:#?}"));
    assert!(found.next().is_none(), "{operation} is there twice");
    &one["fields"]
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_found_by_its_request_with_who_and_what_and_how_long(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let program = Program::new(on).await;
    let log = program.folder.path().join("log");
    let mut serving = logging(&program, "json", &log);
    let (_, token) = serving.lines[3].split_once("#token=").expect("a link");
    let (token, http) = (token.to_owned(), reqwest::Client::new());
    let post = |path: &str, id: &str, query: &str| {
        http.post(format!("{}{path}", serving.url))
            .bearer_auth(&token)
            .header("x-request-id", id)
            .json(&json!({ "query": query }))
    };
    let asked = post("/graphql", "asked", "query Who { viewer { id } }").send();
    let asked: Value = asked.await.expect("an answer").json().await.expect("JSON");
    let viewer = &asked["data"]["viewer"]["id"];
    let query = "mutation Fail { createWorkspace(input: { name: \"\" }) { workspace { id } } }";
    let refused = post("/graphql", "refused", query).send().await;
    refused.expect("an answer");
    let query = "query Streamed { viewer { id } }";
    let mut events = Events::read(post("/graphql/stream", "streamed", query)).await;
    while events.event().await.is_some() {}

    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("x-request-id", "socket"),
    ];
    let url = format!("{}/graphql/ws", serving.url);
    let socket = Socket::try_connect(&url, &headers).await;
    let mut socket = socket.expect("the socket opens");
    socket.sign_in(&token).await;
    let query = "subscription Followed { run(id: \"x\") { id } }";
    socket.subscribe("1", query, json!({})).await;
    assert_eq!(socket.error("1").await, "INVALID_INPUT");
    drop(socket);
    serving.signal("TERM");
    assert_eq!(serving.stopped().await, Some(0));

    let log = std::fs::read_to_string(&log).expect("text");
    let lines = log.lines().map(serde_json::from_str);
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().expect("JSON, line by line");
    let asked = line(&lines, "asked", "Who");
    assert_eq!(asked["errors"], Value::Null);
    let refused = line(&lines, "refused", "Fail");
    assert_eq!(refused["errors"], "INVALID_INPUT");
    let mut streamed = lines.clone();
    streamed.retain(|line| line["fields"]["message"] == "operation");
    assert!(
        streamed
            .iter()
            .all(|line| line["span"]["request_id"].is_string())
    );
    let streamed = line(&streamed, "streamed", "Streamed");
    assert_eq!(streamed["kind"], "query");
    let followed = line(&lines, "socket", "Followed");
    assert_eq!(followed["kind"], "subscription");
    assert_eq!(followed["errors"], "INVALID_INPUT");
    for line in [asked, refused, streamed, followed] {
        assert_eq!(&line["viewer"], viewer, "{line}");
        assert!(line["duration_ms"].is_u64(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_with_their_code_and_probes_not_at_all() {
    let program = Program::new(Sqlite).await;
    let log = program.folder.path().join("log");
    let mut serving = logging(&program, "json", &log);
    let http = reqwest::Client::new();
    for path in ["/healthz", "/readyz", "/metrics"] {
        let probed = http.get(format!("{}{path}", serving.url)).send().await;
        assert_eq!(probed.expect("an answer").status(), 200);
    }
    serving.ask(&http, "tnt_no", "{ viewer { id } }").await;
    let post = |body: &'static str| {
        let post = http.post(format!("{}/graphql", serving.url)).body(body);
        post.header("content-type", "application/json").send()
    };
    post("{}").await.expect("an answer");
    post(r#"{ "query": "{" }"#).await.expect("an answer");
    let put = http.put(format!("{}/uploads/x", serving.url)).send().await;
    assert_eq!(put.expect("an answer").status(), 400);
    serving.signal("TERM");
    assert_eq!(serving.stopped().await, Some(0));

    let log = std::fs::read_to_string(&log).expect("text");
    let lines = log.lines().map(serde_json::from_str);
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().expect("JSON, line by line");
    let fields: Vec<_> = lines.iter().map(|line| &line["fields"]).collect();
    let requests = fields.iter().filter(|it| it["path"].is_string());
    let told: Vec<_> = requests
        .map(|it| (text(it, "path"), text(it, "errors")))
        .collect();
    let told: Vec<_> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let expected = [
        ("/graphql", "UNAUTHENTICATED"),
        ("/graphql", "GRAPHQL_VALIDATION_FAILED"),
        ("/graphql", "GRAPHQL_PARSE_FAILED"),
        ("/uploads/x", "INVALID_INPUT"),
    ];
    assert_eq!(told, expected);
    let said = fields.iter().filter_map(|it| it["message"].as_str());
    let said: Vec<_> = said.filter(|it| it.starts_with("stop")).collect();
    assert_eq!(said, ["stopping on request", "stopped"]);
}

/// Six jobs query it every second or so.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_told_of_once_and_so_is_that_it_is_back() {
    let Some(cluster) = OwnCluster::start() else {
        return;
    };
    let program = Program::new(Sqlite).await;
    let log = program.folder.path().join("log");
    let mut command = program.command(&[]);
    command
        .env("DATABASE_URL", cluster.url())
        .env("RUST_LOG", "tenantry::worker=info")
        .stderr(File::create(&log).expect("a file in a folder of ours"));
    let _serving = Serving::start(&mut command);
    let count = |word: &str| {
        let log = std::fs::read_to_string(&log).expect("text");
        log.lines().filter(|line| line.contains(word)).count()
    };
    cluster.stop("fast");
    let address = cluster.url().split(['@', '/']).nth(3).expect("an address");
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.expect("the port is free");
    // At least one try from each job.
    for _ in 0..12 {
        listener.accept().await.expect("somebody tries");
    }
    drop(listener);
    assert_eq!((count("is unavailable"), count("")), (1, 1));
    cluster.resume();
    until("the log tells of it", async || count("is back") > 0).await;
    assert_eq!(count("is back"), 1);
}

/// The log and the reply name what is needed but not available.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_named(#[values(Sqlite, Postgres)] on: Database) {
    let program = Program::new(on).await;
    let log = program.folder.path().join("log");
    let issuer = TestIssuer::new();
    let mut command = program.command(&[]);
    command
        .env("TENANTRY_AUTH__DEVELOPMENT", "true")
        .env("TENANTRY_AUTH__ISSUERS__0__ISSUER", ISSUER)
        .env("TENANTRY_AUTH__ISSUERS__0__AUDIENCE", "tenantry")
        // Nothing listens there.
        .env(
            "TENANTRY_AUTH__ISSUERS__0__JWKS_URL",
            "http://127.0.0.1:1/jwks",
        )
        .stderr(File::create(&log).expect("a file in a folder of ours"));
    let serving = Serving::start(&mut command);
    let http = reqwest::Client::new();
    let token = issuer.token("ada@example.com", json!({}));
    let refused = serving.ask(&http, &token, "{ viewer { id } }").await;
    let error = &refused["errors"][0];
    assert_eq!(error["extensions"]["code"], "UNAVAILABLE");
    let message = "The identity provider cannot be reached; try again.";
    assert_eq!(error["message"], message);

    let (_, token) = serving.lines[3].split_once("#token=").expect("a link");
    let query = "mutation { generateWorkspaceIconUploadUrl { uploadUrl } }";
    let made = serving.ask(&http, token, query).await;
    let url = text(&made, "data.generateWorkspaceIconUploadUrl.uploadUrl");
    // No folder can be created where there is a file.
    let icons = program.folder.path().join("data/files/icons");
    std::fs::write(&icons, "").expect("a file");
    let (status, _) = put(&http, &url, png(), None).await;
    assert_eq!(status, reqwest::StatusCode::SERVICE_UNAVAILABLE);

    let log = std::fs::read_to_string(&log).expect("text");
    let has = |words: &[&str]| {
        let mut lines = log.lines();
        assert!(
            lines.any(|line| words.iter().all(|word| line.contains(word))),
            "{words:?} is not in {log}"
        );
    };
    has(&["WARN", "identity provider", ISSUER, "request_id"]);
    has(&["ERROR", "an upload could not be stored"]);
    assert!(!log.contains("the database"), "{log}");
    // No error is printed in its Rust debug form.
    assert!(
        !log.contains("NoIssuer") && !log.contains("Refused("),
        "{log}"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log_line_or_an_event(#[values(Sqlite, Postgres)] on: Database) {
    let home = Program::new(on).await;
    let log = home.folder.path().join("log");
    let mut server = home.serve_logging(&log);
    let http = reqwest::Client::new();
    let token = home.token("ada@example.com");
    let ask = async |token: &str, query: &str| server.ask(&http, token, query).await;

    let made = ask(
        &token,
        r#"mutation { createApiToken(input: { name: "CI" }) { secret } }"#,
    )
    .await;
    let secret = made["data"]["createApiToken"]["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let query = r#"mutation { createWorkspace(input: { name: "Rocket" }) {
        workspace { id joinInfo { inviteCode } } } }"#;
    let made = ask(&secret, query).await;
    let made = &made["data"]["createWorkspace"]["workspace"];
    let (id, first) = (
        &made["id"],
        made["joinInfo"]["inviteCode"].as_str().expect("a code"),
    );
    let query = format!(
        "mutation {{ rotateJoinCode(input: {{ workspaceId: {id} }}) {{ joinInfo {{ inviteCode }} }}
            addWorkspaceMember(input: {{ workspaceId: {id}, email: \"eve@example.com\" }}) {{
                invitation {{ id }} }} }}"
    );
    let made = ask(&secret, &query).await;
    let second = made["data"]["rotateJoinCode"]["joinInfo"]["inviteCode"]
        .as_str()
        .expect("a code");
    let joining = |code: &str| {
        format!(
            r#"mutation {{ joinWorkspaceByCode(input: {{ code: "{code}" }}) {{ __typename }} }}"#
        )
    };
    let bob = home.token("bob@example.com");
    for code in [first, second] {
        ask(&bob, &joining(code)).await;
    }
    ask("tnt_notatokenofanybody", "{ viewer { id } }").await;
    ask(&format!("{token}x"), "{ viewer { id } }").await;
    let events = ask(
        &secret,
        "{ organizations { nodes { events { nodes { data } } } } }",
    )
    .await;
    let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
    let socket = Socket::try_connect(&format!("{}/graphql/ws", server.url), &protocol).await;
    let mut socket = socket.expect("the socket opens");
    socket.sign_in(&secret).await;
    socket.subscribe("1", &joining(second), json!({})).await;
    socket.next("1").await;

    server.signal("TERM");
    assert_eq!(server.stopped().await, Some(0));
    let said = std::fs::read_to_string(&log).expect("the log") + &events.to_string();
    assert!(
        said.contains("/graphql"),
        "there is something to look through"
    );
    let bare = |code: &str| code.replace('-', "");
    let secrets = [
        secret,
        token,
        bob,
        first.to_owned(),
        second.to_owned(),
        bare(first),
        bare(second),
        "tnt_notatokenofanybody".to_owned(),
    ];
    for secret in secrets {
        assert!(!said.contains(&secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_for_people_is_text() {
    let program = Program::new(Sqlite).await;
    let log = program.folder.path().join("log");
    let mut serving = logging(&program, "text", &log);
    let http = reqwest::Client::new();
    serving
        .ask(&http, "tnt_no", "query Who { viewer { id } }")
        .await;
    serving.signal("TERM");
    assert_eq!(serving.stopped().await, Some(0));
    let log = std::fs::read_to_string(&log).expect("text");
    let line = log.lines().find(|line| line.contains("path=\"/graphql\""));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.contains("status=401") && line.contains("duration_ms="),
        "{line}"
    );
    assert!(line.contains("request_id="), "{line}");
    assert!(!line.contains("trace_id"), "nothing is traced: {line}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_line_tells_the_beginning_of_a_name_that_is_long(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let program = Program::new(on).await;
    let log = program.folder.path().join("log");
    let mut serving = logging(&program, "json", &log);
    let http = reqwest::Client::new();
    let name = "N".repeat(10_000);
    let body = json!({ "query": format!("query {name} {{ __typename }}") });
    let url = format!("{}/graphql", serving.url);
    http.post(url).json(&body).send().await.expect("an answer");
    let url = format!("{}/{name}", serving.url);
    http.get(url).send().await.expect("an answer");
    serving.signal("TERM");
    assert_eq!(serving.stopped().await, Some(0));
    let log = std::fs::read_to_string(&log).expect("the log");
    assert!(log.contains(&name[..200]), "{log}");
    assert!(!log.contains(&name[..201]), "{log}");
}

/// Also of a mutation, which goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_request_whose_client_is_gone_is_told() {
    let program = Program::new(Sqlite).await;
    let log = program.folder.path().join("log");
    let mut command = program.command(&["serve", "--no-worker"]);
    command
        .env("TENANTRY_LOG__FORMAT", "json")
        .stderr(File::create(&log).expect("a file in a folder of ours"));
    let serving = Serving::start(&mut command);
    let (_, token) = serving.lines[3].split_once("#token=").expect("a link");
    let bearer = format!("Bearer {token}");
    let http = reqwest::Client::new();
    serving.ask(&http, token, "{ viewer { id } }").await;
    let file = program.folder.path().join("data/tenantry.db");
    let mut writer = SqliteConnection::establish(&file.display().to_string()).expect("a database");
    writer.batch_execute("BEGIN IMMEDIATE").expect("it is free");

    let query =
        "mutation Late { createWorkspace(input: { name: \"Rocket\" }) { workspace { id } } }";
    let body = json!({ "query": query }).to_string();
    let mut gone = Raw::to(&serving.url).await;
    let headers = [("authorization", bearer.as_str()), ("x-request-id", "gone")];
    gone.post("/graphql", body.len(), &headers).await;
    gone.send(&body).await;
    let lines = || {
        let log = std::fs::read_to_string(&log).expect("text");
        let lines = log.lines().map(serde_json::from_str).map_while(Result::ok);
        let lines: Vec<Value> = lines.collect();
        let of_request = lines.into_iter().filter(|line| {
            line["span"]["request_id"] == "gone" || line["fields"]["request_id"] == "gone"
        });
        of_request
            .map(|line| line["fields"].clone())
            .collect::<Vec<_>>()
    };
    until("it waits to write", async || {
        let metrics = scrape(&http, &serving.url).await;
        let name = "tenantry_database_pool_available_connections";
        value(&metrics, name, &[("pool", "write")]) == Some(0.0)
    })
    .await;
    drop(gone);
    until("its line is there", async || lines().len() == 1).await;
    assert_eq!(lines()[0]["message"], "the client is gone");
    assert_eq!(lines()[0]["path"], "/graphql");

    writer.batch_execute("COMMIT").expect("nothing was done");
    until("the mutation is done", async || lines().len() == 2).await;
    let done = &lines()[1];
    assert_eq!(done["operation"], "Late");
    assert_eq!(done["is_read"], false);
    assert_eq!(done["errors"], Value::Null);
    let metrics = scrape(&http, &serving.url).await;
    let labels = [("field", "createWorkspace"), ("outcome", "ok")];
    let count = value(&metrics, "tenantry_graphql_operations_total", &labels);
    assert_eq!(count, Some(1.0), "{metrics}");
}
