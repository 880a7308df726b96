//! Metrics: what Prometheus is told, who may read it, and that clients cannot make it grow.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;
use tenantry::models::provider::Provider;
use tenantry::models::run::RunStatus;

use crate::support::metrics::{scrape, value};
use crate::support::working::Working;
use crate::support::{
    Database, Events, Postgres, Socket, Sqlite, TestServer, home, organization, until, workspace,
};

/// The text of the metrics.
async fn told(server: &TestServer) -> String {
    scrape(server.http(), server.url()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted(#[values(Sqlite, Postgres)] on: Database) {
    let server = &TestServer::start(on).await;
    home(&server.user("ada@example.com"), "Rocket").await;
    server
        .anonymous()
        .refused("UNAUTHENTICATED", "{ me: viewer { id } }", json!({}))
        .await;
    server
        .anonymous()
        .ok(
            "{ ...F } fragment F on Query { __schema { queryType { name } } }",
            json!({}),
        )
        .await;
    server.anonymous().send("{", json!({})).await;
    server.anonymous().send("{ nothing }", json!({})).await;

    let text = told(server).await;
    let operations = |labels| value(&text, "tenantry_graphql_operations_total", labels);
    let refused = [("field", "viewer"), ("outcome", "UNAUTHENTICATED")];
    assert_eq!(operations(&refused), Some(1.0), "{text}");
    let introspected = [
        ("kind", "query"),
        ("field", "introspection"),
        ("outcome", "ok"),
    ];
    assert_eq!(operations(&introspected), Some(1.0), "{text}");
    let unread = [("kind", "refused"), ("outcome", "GRAPHQL_PARSE_FAILED")];
    assert_eq!(operations(&unread), Some(1.0), "{text}");
    let made = [
        ("kind", "mutation"),
        ("field", "createWorkspace"),
        ("outcome", "ok"),
    ];
    assert!(operations(&made) >= Some(1.0), "{text}");
    let name = "tenantry_graphql_operation_duration_seconds_count";
    for (field, outcome) in [("viewer", "failed"), ("introspection", "ok")] {
        let timed = [("kind", "query"), ("field", field), ("outcome", outcome)];
        assert!(value(&text, name, &timed) >= Some(1.0), "{text}");
    }

    let requests = [("route", "/graphql"), ("status", "2xx")];
    assert!(value(&text, "tenantry_http_requests_total", &requests) >= Some(4.0));
    // The scrape itself.
    assert_eq!(
        value(&text, "tenantry_http_requests_in_flight", &[]),
        Some(1.0)
    );
    let open = value(
        &text,
        "tenantry_database_pool_connections",
        &[("pool", "read")],
    );
    assert!(open >= Some(1.0), "{text}");
    assert!(value(&text, "tenantry_database_statements_total", &[]) >= Some(1.0));
    for state in ["waiting", "under_way"] {
        assert_eq!(
            value(&text, "tenantry_runs", &[("state", state)]),
            Some(0.0)
        );
    }
    assert!(value(&text, "tenantry_process_start_time_seconds", &[]) > Some(0.0));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_what_waits_and_what_went_is_counted(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = &TestServer::with(on, |config| {
        config.limits.organizations_per_hour = 2;
        config.limits.run_days = Some(1);
    })
    .await;
    let ada = &server.user("ada@example.com");
    let kept = organization(ada, "Kept").await;
    workspace(ada, &kept, "Kept").await;
    let acme = organization(ada, "Acme").await;
    ada.mutate_refused(
        "RATE_LIMITED",
        "createOrganization",
        json!({ "name": "Zeta" }),
    )
    .await;
    let invite = json!({ "organizationId": kept, "email": "eve@example.com" });
    ada.mutate("inviteOrganizationMember", invite, "__typename")
        .await;
    let text = told(server).await;
    let refused = [("limit", "organizations")];
    let name = "tenantry_rate_limit_refusals_total";
    assert_eq!(value(&text, name, &refused), Some(1.0), "{text}");
    let mails = |text: &str, state| value(text, "tenantry_outbox_mails", &[("state", state)]);
    assert_eq!(mails(&text, "due"), Some(1.0), "{text}");
    assert_eq!(mails(&text, "put_off"), Some(0.0), "{text}");

    let rocket = workspace(ada, &kept, "Rocket").await;
    let run = server.a_run(rocket.parse().expect("an id"), RunStatus::Succeeded);
    server.insert_runs(&[run]).await;
    let upload = "mutation { generateWorkspaceIconUploadUrl { storageId } }";
    ada.ok(upload, json!({})).await;
    let working = Working::start(server);
    let gone = async |kind| {
        until(kind, async || {
            let text = told(server).await;
            let count = value(&text, "tenantry_purged_total", &[("kind", kind)]);
            assert!(count <= Some(1.0), "{count:?} of {kind}");
            count == Some(1.0)
        })
        .await;
    };
    server.clock().advance(TimeDelta::days(2));
    gone("run").await;
    gone("file").await;
    let input = json!({ "organizationId": acme });
    ada.mutate("deleteOrganization", input, "__typename").await;
    gone("organization").await;
    let input = json!({ "workspaceId": rocket });
    ada.mutate("deleteWorkspace", input, "__typename").await;
    server.clock().advance(TimeDelta::days(31));
    gone("workspace").await;
    working.stop().await;
    let text = told(server).await;
    assert_eq!(mails(&text, "due"), Some(0.0), "{text}");
}

/// `increase()` does not see the first increase of a series that starts above zero.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_happened_yet_is_counted_as_nothing(#[values(Sqlite, Postgres)] on: Database) {
    let server = &TestServer::start(on).await;
    let text = told(server).await;
    for (name, label, values) in [
        (
            "http_connections_refused_total",
            "bound",
            &["all", "address"][..],
        ),
        ("mails_total", "outcome", &["sent", "failed", "given_up"]),
        (
            "rate_limit_refusals_total",
            "limit",
            &["joins", "start_run"],
        ),
        ("purged_total", "kind", &["workspace", "file"]),
    ] {
        for known in values {
            let name = format!("tenantry_{name}");
            let count = value(&text, &name, &[(label, known)]);
            assert_eq!(count, Some(0.0), "{name} {known}");
        }
    }
    let labels = [("provider", "OPENAI"), ("outcome", "failed")];
    let count = value(&text, "tenantry_answers_total", &labels);
    assert_eq!(count, Some(0.0), "{text}");
}

/// Checks Prometheus's text format 0.0.4: <https://prometheus.io/docs/instrumenting/exposition_formats/>
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_series_is_described_by_its_name_and_told_of_in_the_documents(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = &TestServer::start(on).await;
    // A real call would take a run, but its series need only a name.
    server
        .app()
        .metrics
        .call(Provider::Openai, false, Duration::from_secs(1));
    server.anonymous().ok("{ __typename }", json!({})).await;
    let text = told(server).await;
    let documents = include_str!("../../docs/deploy.md");
    let mut kinds = HashMap::new();
    for line in text.lines() {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", ..] => {}
            ["#", "TYPE", name, kind] => {
                assert!(kinds.insert(name, kind).is_none(), "{name} comes twice");
                assert!(documents.contains(name), "deploy.md says nothing of {name}");
            }
            ["#", ..] => panic!("the format has no {line}"),
            _ => {
                let name = line.split(['{', ' ']).next().expect("a name");
                let parts = ["_bucket", "_sum", "_count"];
                let whole = parts.iter().find_map(|part| name.strip_suffix(part));
                let is_described = match kinds.get(name) {
                    Some(&"counter") => name.ends_with("_total"),
                    Some(&kind) => kind == "gauge",
                    None => whole.and_then(|name| kinds.get(name)) == Some(&"histogram"),
                };
                assert!(is_described, "{line} is not described");
            }
        }
    }
    assert_eq!(kinds.get("tenantry_http_requests_total"), Some(&"counter"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_counted_however_it_ends(#[values(Sqlite, Postgres)] on: Database) {
    let server = &TestServer::start(on).await;
    let home = home(&server.user("ada@example.com"), "Rocket").await;
    let token = server.token("ada@example.com");
    let run = server.a_run(home.workspace.parse().expect("an id"), RunStatus::Running);
    server.insert_runs(std::slice::from_ref(&run)).await;
    let follow = "subscription($id: ID!) { run(id: $id) { status } }";
    let id = json!({ "id": run.id });
    let counted = async |count| {
        until("the subscription is counted", async || {
            let text = told(server).await;
            let labels = [("kind", "subscription"), ("outcome", "ok")];
            value(&text, "tenantry_graphql_operations_total", &labels) == Some(count)
        })
        .await;
    };
    // Each has begun once it has reported the run's present state.
    let mut socket = Socket::signed_in(server, &token).await;
    socket.subscribe("1", follow, id.clone()).await;
    socket.next("1").await;
    socket.send(json!({ "type": "complete", "id": "1" })).await;
    counted(1.0).await;
    socket.subscribe("2", follow, id.clone()).await;
    socket.next("2").await;
    drop(socket);
    counted(2.0).await;
    let mut stream = Events::of(server, &token, follow, id).await;
    stream.event().await.expect("how the run is now");
    drop(stream);
    counted(3.0).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_streams_are_counted_while_they_are_open(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = &TestServer::start(on).await;
    let home = home(&server.user("ada@example.com"), "Rocket").await;
    let token = server.token("ada@example.com");
    let mut socket = Socket::signed_in(server, &token).await;
    socket.settle().await;
    let id = &home.workspace;
    let follow = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) { id } }";
    let stream = Events::of(server, &token, follow, json!({ "id": id })).await;
    let open = async |transport| {
        let text = told(server).await;
        let labels = [("transport", transport)];
        value(&text, "tenantry_subscription_connections", &labels)
    };
    assert_eq!(open("websocket").await, Some(1.0));
    assert_eq!(open("sse").await, Some(1.0));

    drop((socket, stream));
    for transport in ["websocket", "sse"] {
        until(transport, async || open(transport).await == Some(0.0)).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_client_makes_up_is_remembered(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let nobody = server.anonymous();
    for i in 0..50 {
        let made_up = format!("hostile{i}");
        for query in [
            format!("query {made_up} {{ {made_up} }}"),
            format!("query {made_up} {{ {made_up}: viewer {{ id }} }}"),
            format!("mutation {made_up} {{ {made_up}: {made_up} {{ id }} }}"),
            format!("query {{ ...{made_up} }} fragment {made_up} on Query {{ {made_up} }}"),
            format!("query {made_up} {{ __{made_up} }}"),
        ] {
            nobody.send(&query, json!({ "variables": made_up })).await;
        }
        let url = format!("{}/{made_up}?{made_up}={made_up}", server.url());
        let request = server.http().get(url).header("x-request-id", &made_up);
        request.send().await.expect("the server answers");
    }
    let text = told(&server).await;
    assert!(!text.contains("hostile"), "{text}");
    let unknown = [("route", "other"), ("status", "4xx")];
    assert_eq!(
        value(&text, "tenantry_http_requests_total", &unknown),
        Some(50.0)
    );
    assert!(text.lines().count() < 250, "{text}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_a_listener_of_their_own_where_one_is_configured(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| {
        config.metrics.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    })
    .await;
    let own = format!("http://{}", server.metrics().expect("a listener"));
    scrape(server.http(), &own).await;
    let get = async |url: String| {
        let response = server.http().get(url).send().await;
        response.expect("an answer").status()
    };
    assert_eq!(
        get(format!("{}/metrics", server.url())).await,
        StatusCode::NOT_FOUND
    );
    assert_eq!(get(format!("{own}/graphql")).await, StatusCode::NOT_FOUND);
    assert_eq!(get(format!("{own}/healthz")).await, StatusCode::NOT_FOUND);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn strangers_on_the_network_are_told_no_metrics(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| {
        config.http.host = [0, 0, 0, 0].into();
        config.auth.development = Some(true);
    })
    .await;
    let response = server
        .http()
        .get(format!("{}/metrics", server.url()))
        .send()
        .await;
    assert_eq!(response.expect("an answer").status(), StatusCode::NOT_FOUND);
    assert_eq!(server.metrics(), None);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_open_metrics_gets_it_by_its_name(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let request = server.http().get(format!("{}/metrics", server.url()));
    let response = request.header("accept", accept).send().await;
    let response = response.expect("the server answers");
    let media = response.headers()["content-type"].to_str().expect("text");
    assert!(media.starts_with("application/openmetrics-text"), "{media}");
    let text = response.text().await.expect("text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let described = "# TYPE tenantry_mails counter\n";
    assert!(text.contains(described), "{text}");
}
