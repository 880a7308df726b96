//! Documents requested by their hash: those that clients send, and those that an operator trusts.

use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use url::Url;

use crate::support::process::Program;
use crate::support::{Database, Events, Postgres, Reply, Socket, Sqlite, TestServer, home};

const QUERY: &str = "query Me { viewer { email } }";
const RESPONSE: &str = "application/graphql-response+json";

fn sha256(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// The extension that requests a document by its hash.
fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

/// Posts the body as Ada.
async fn post(server: &TestServer, body: Value) -> Reply {
    let request = server.post(&body).header("accept", RESPONSE);
    Reply::to(request.bearer_auth(server.token("ada@example.com"))).await
}

async fn get(server: &TestServer, parameters: &[(&str, &str)]) -> Reply {
    let url = Url::parse_with_params(&format!("{}/graphql", server.url()), parameters);
    let request = server.http().get(url.expect("a URL"));
    let request = request.bearer_auth(server.token("ada@example.com"));
    Reply::to(request.header("accept", RESPONSE)).await
}

fn assert_ada(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::OK, "{:#}", reply.body);
    assert_eq!(reply.body["data"]["viewer"]["email"], "ada@example.com");
}

fn assert_refused(reply: &Reply, code: &str) {
    assert_eq!(reply.code(), code, "{:#}", reply.body);
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{:#}", reply.body);
    assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
}

fn assert_unknown(reply: &Reply) {
    assert_refused(reply, "PERSISTED_QUERY_NOT_FOUND");
    let message = &reply.body["errors"][0]["message"];
    assert_eq!(message, "PersistedQueryNotFound");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_came_with_its_hash_is_known_by_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let hash = sha256(QUERY);
    let by_hash = json!({ "extensions": persisted(&hash) });
    let extensions = persisted(&hash).to_string();
    assert_unknown(&post(&server, by_hash.clone()).await);
    assert_unknown(&get(&server, &[("extensions", &extensions)]).await);

    // A document sent without its hash is not remembered.
    assert_ada(&post(&server, json!({ "query": QUERY })).await);
    assert_unknown(&post(&server, by_hash.clone()).await);

    let both = json!({ "query": QUERY, "extensions": persisted(&hash) });
    assert_ada(&post(&server, both).await);
    assert_ada(&post(&server, by_hash).await);
    let upper = json!({ "query": "", "extensions": persisted(&hash.to_uppercase()) });
    assert_ada(&post(&server, upper).await);
    let id = format!("sha256:{hash}");
    assert_ada(&post(&server, json!({ "documentId": id })).await);
    assert_ada(&get(&server, &[("extensions", &extensions)]).await);
    let named = [("documentId", id.as_str()), ("operationName", "Me")];
    assert_ada(&get(&server, &named).await);

    // Clients that accept only `application/json` get the status 200 they know.
    let unknown = json!({ "extensions": persisted(&sha256("{ viewer { id } }")) });
    let reply = Reply::to(server.post(&unknown)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_what_may_be_run_is_remembered_and_by_its_own_hash(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let deep = format!("{{ {}id{} }}", "a { ".repeat(20), " }".repeat(20));
    for (document, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        (deep.as_str(), "QUERY_TOO_COMPLEX"),
    ] {
        let extensions = persisted(&sha256(document));
        let both = json!({ "query": document, "extensions": extensions });
        assert_refused(&post(&server, both).await, code);
        assert_unknown(&post(&server, json!({ "extensions": extensions })).await);
    }

    let other = sha256("{ viewer { id } }");
    let wrong = json!({ "query": QUERY, "extensions": persisted(&other) });
    assert_refused(&post(&server, wrong).await, "INVALID_INPUT");
    assert_unknown(&post(&server, json!({ "extensions": persisted(&other) })).await);
    let wrong = json!({ "query": QUERY, "documentId": format!("sha256:{other}") });
    assert_refused(&post(&server, wrong).await, "INVALID_INPUT");

    let own = sha256(QUERY);
    for malformed in [
        json!({ "extensions": persisted("abc") }),
        json!({ "extensions": { "persistedQuery": 1 } }),
        json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": own } } }),
        json!({ "extensions": { "persistedQuery": { "version": 1 } } }),
        json!({ "documentId": own }),
        json!({ "documentId": 7 }),
        json!({ "documentId": format!("sha256:{own}"), "extensions": persisted(&other) }),
        json!({ "extensions": {} }),
    ] {
        let reply = post(&server, malformed.clone()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{malformed}");
    }

    // A remembered mutation is still a mutation.
    let mutation = "mutation { createOrganization(input: { name: \"Acme\" }) { __typename } }";
    let extensions = persisted(&sha256(mutation));
    let both = json!({ "query": mutation, "extensions": extensions });
    assert_eq!(post(&server, both).await.status, StatusCode::OK);
    let reply = get(&server, &[("extensions", &extensions.to_string())]).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_can_be_asked_for_by_hash(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let home = home(&server.user("ada@example.com"), "Rocket").await;
    let token = server.token("ada@example.com");
    let query = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) { kind } }";
    let variables = json!({ "id": home.workspace });
    let by_hash = json!({ "extensions": persisted(&sha256(query)), "variables": variables });

    let mut socket = Socket::signed_in(&server, &token).await;
    let message = json!({ "type": "subscribe", "id": "1", "payload": by_hash });
    socket.send(message.clone()).await;
    assert_eq!(socket.error("1").await, "PERSISTED_QUERY_NOT_FOUND");
    let mut both = message.clone();
    both["id"] = "2".into();
    both["payload"]["query"] = query.into();
    socket.send(both).await;
    socket.settle().await;
    socket.send(json!({ "type": "complete", "id": "2" })).await;

    // The document may not be remembered yet, so the stream asks until it is.
    let url = format!("{}/graphql/stream", server.url());
    loop {
        let request = server.http().post(&url).bearer_auth(&token);
        let mut events = Events::read(request.json(&by_hash)).await;
        let rename = json!({ "workspaceId": home.workspace, "name": "Comet" });
        let ada = server.user("ada@example.com");
        ada.mutate("updateWorkspace", rename, "__typename").await;
        let result = events.result().await;
        if result["errors"].is_null() {
            assert_eq!(
                result["data"]["workspaceEvents"]["kind"],
                "WORKSPACE_UPDATED"
            );
            break;
        }
        let code = &result["errors"][0]["extensions"]["code"];
        assert_eq!(code, "PERSISTED_QUERY_NOT_FOUND");
    }
}

fn trust(folder: &Path, document: &str) -> String {
    let hash = sha256(document);
    fs::write(folder.join(format!("{hash}.graphql")), document).expect("a file");
    hash
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_documents_are_trusted_no_others_are_answered(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let folder = TempDir::new().expect("a folder");
    let hash = trust(folder.path(), QUERY);
    fs::write(folder.path().join("README.md"), "Not a document.").expect("a file");
    let server = TestServer::with(on, |config| {
        config.graphql.trusted_documents = Some(folder.path().to_owned());
    })
    .await;
    let id = format!("sha256:{hash}");
    assert_ada(&post(&server, json!({ "documentId": id })).await);
    assert_ada(&post(&server, json!({ "extensions": persisted(&hash) })).await);
    assert_ada(&get(&server, &[("documentId", &id)]).await);
    // A trusted document may also come as text.
    assert_ada(&post(&server, json!({ "query": QUERY })).await);

    let other = "{ viewer { id } }";
    for refused in [
        json!({ "query": other }),
        json!({ "query": "{ __schema { queryType { name } } }" }),
        json!({ "query": "{ __typename }" }),
        json!({ "query": other, "extensions": persisted(&sha256(other)) }),
    ] {
        assert_refused(&post(&server, refused).await, "PERSISTED_QUERY_NOT_FOUND");
    }
    assert_unknown(&post(&server, json!({ "extensions": persisted(&sha256(other)) })).await);
    let disguised = json!({ "query": other, "documentId": id });
    assert_refused(&post(&server, disguised).await, "INVALID_INPUT");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_start_with_a_trusted_document_of_a_wrong_name() {
    let program = Program::new(Sqlite).await;
    let folder = program.folder.path().join("documents");
    let start = || {
        let mut command = program.command(&[]);
        command.env("TENANTRY_GRAPHQL__TRUSTED_DOCUMENTS", &folder);
        let output = command.output().expect("the program can be run");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(start().contains("graphql.trusted_documents: cannot read"));

    fs::create_dir(&folder).expect("a folder");
    let wrong = folder.join("me.graphql");
    fs::write(&wrong, QUERY).expect("a file");
    let error = start();
    assert!(error.contains("me.graphql must be named"), "{error}");
    assert!(error.contains(&sha256(QUERY)), "{error}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_valid_before_is_held_against_other_variables(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let query = "query Page($first: Int, $order: WorkspaceOrder) {
        workspaces(first: $first, orderBy: $order) { nodes { id } }
    }";
    let ask = |variables| post(&server, json!({ "query": query, "variables": variables }));
    for _ in 0..3 {
        let reply = ask(json!({ "first": 2 })).await;
        assert_eq!(reply.status, StatusCode::OK, "{:#}", reply.body);
    }
    for wrong in [
        json!({ "first": "2" }),
        json!({ "first": 1, "order": { "field": "COLOUR" } }),
    ] {
        let reply = ask(wrong).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{:#}", reply.body);
        assert_eq!(reply.body.get("data"), None, "{:#}", reply.body);
    }
    let reply = ask(json!({ "first": 1, "order": { "field": "NAME" } })).await;
    assert_eq!(reply.status, StatusCode::OK, "{:#}", reply.body);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_schema_is_is_answered_alike_each_time(
    #[values(Sqlite, Postgres)] on: Database,
    #[values(None, Some(1_000))] cost_per_minute: Option<u32>,
) {
    let server = TestServer::with(on, |config| {
        config.limits.cost_per_minute = cost_per_minute;
    })
    .await;
    let query = "query A { __schema { queryType { name } } } query B { __typename }";
    let ask = |name| post(&server, json!({ "query": query, "operationName": name }));
    for _ in 0..3 {
        let (a, b) = (ask("A").await, ask("B").await);
        assert_eq!(
            a.body["data"],
            json!({ "__schema": { "queryType": { "name": "Query" } } })
        );
        assert_eq!(b.body["data"], json!({ "__typename": "Query" }));
        let is_told = b.body["extensions"]["cost"].is_object();
        assert_eq!(is_told, cost_per_minute.is_some(), "{:#}", b.body);
        assert_eq!(
            b.headers["content-type"],
            "application/graphql-response+json; charset=utf-8"
        );
    }
}
