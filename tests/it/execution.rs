//! Executing documents as the GraphQL specification says.
//!
//! <https://spec.graphql.org/draft/#sec-Execution>

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Database, Postgres, Sqlite, TestServer, organization, text};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn keys_come_in_the_order_of_the_selection(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let token = server.token("ada@example.com");
    organization(&server.bearer(&token), "Acme").await;
    // Slow fields come before immediate ones.
    let query = "{ z: organizations { totalCount nodes { members { totalCount } slug a: events { totalCount } name } }
        __typename a: viewer { name id email } m: slugAvailability(slug: \"acme\") { suggestion isAvailable } }";
    let request = server.post(&json!({ "query": query }));
    let body = request.bearer_auth(&token).send().await.expect("an answer");
    let body = body.text().await.expect("text");
    let keys = [
        "z",
        "totalCount",
        "nodes",
        "members",
        "slug",
        "a",
        "name",
        "__typename",
        "a",
        "name",
        "id",
        "email",
        "m",
        "suggestion",
        "isAvailable",
    ];
    let mut from = 0;
    for key in keys {
        let key = format!("\"{key}\":");
        let found = body[from..].find(&key);
        from += found.unwrap_or_else(|| panic!("{key} is not in its place: {body}"));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_fails_nulls_its_nearest_nullable_parent(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    organization(&ada, "Acme").await;
    // `members` is not nullable, and neither is anything above it except `organization`.
    let query = "{ organization(by: { slug: \"acme\" }) { name members(first: 0) { totalCount } }
        viewer { email } }";
    let reply = ada.refused("INVALID_INPUT", query, json!({})).await;
    let data = json!({ "organization": null, "viewer": { "email": "ada@example.com" } });
    assert_eq!(reply.body["data"], data);
    let errors = reply.body["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["path"], json!(["organization", "members"]));
    assert_eq!(reply.status, StatusCode::OK);

    // A nullable field becomes `null` by itself.
    let query = "{ organization(by: { slug: \"acme\" }) { name events(first: 0) { totalCount } } }";
    let reply = ada.refused("INVALID_INPUT", query, json!({})).await;
    let data = json!({ "organization": { "name": "Acme", "events": null } });
    assert_eq!(reply.body["data"], data);
    assert_eq!(
        reply.body["errors"][0]["path"],
        json!(["organization", "events"])
    );

    // With nothing nullable above it, `data` is null, which is not the same as no `data`.
    let query = "{ organizations { nodes { members(first: 0) { totalCount } } } }";
    let reply = ada.refused("INVALID_INPUT", query, json!({})).await;
    assert_eq!(reply.body.get("data"), Some(&Value::Null));
    assert_eq!(reply.body["errors"].as_array().map(Vec::len), Some(1));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_error_tells_all_of_its_path(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    organization(&ada, "Acme").await;
    let failing = "members(first: 0) { totalCount }";
    let make = "createOrganization(input: { name: \"Other\" })";
    for (query, path) in [
        (
            format!("{{ organizations {{ nodes {{ {failing} }} }} }}"),
            json!(["organizations", "nodes", 0, "members"]),
        ),
        (
            format!("{{ organizations {{ edges {{ node {{ a: {failing} }} }} }} }}"),
            json!(["organizations", "edges", 0, "node", "a"]),
        ),
        (
            format!("{{ navigationState {{ organizations {{ {failing} }} }} }}"),
            json!(["navigationState", "organizations", 0, "members"]),
        ),
        (
            format!("mutation {{ {make} {{ organization {{ {failing} }} }} }}"),
            json!(["createOrganization", "organization", "members"]),
        ),
    ] {
        let reply = ada.refused("INVALID_INPUT", &query, json!({})).await;
        assert_eq!(reply.body["errors"][0]["path"], path, "{query}");
        assert_eq!(reply.body["data"], Value::Null, "{query}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_selected_of_a_field_in_several_places_is_answered_together(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    let query = "query($no: Boolean!) { organizations { nodes {
            ...Named
            members { nodes { role } }
            name @include(if: $no)
            ... @skip(if: $no) { __typename }
            ... on Node { id }
            ... on Organization { viewerAccess { isAdmin } }
            viewerAccess { role }
        } } }
        fragment Named on Organization { slug members { totalCount nodes { user { email } } } }";
    let answer = ada.ok(query, json!({ "no": false })).await;
    let members = json!({
        "totalCount": 1,
        "nodes": [{ "user": { "email": "ada@example.com" }, "role": "OWNER" }],
    });
    let expected = json!([{
        "slug": "acme",
        "members": members,
        "__typename": "Organization",
        "id": acme,
        "viewerAccess": { "isAdmin": true, "role": "OWNER" },
    }]);
    assert_eq!(answer["organizations"]["nodes"], expected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_left_out_is_not_null(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let input = json!({ "name": "Rocket", "description": "Fast", "domain": "example.com" });
    let made = ada
        .mutate("createWorkspace", input, "workspace { id }")
        .await;
    let id = text(&made, "workspace.id");
    let update = "mutation($id: ID!, $name: String, $description: String, $domain: String) {
        updateWorkspace(input: { workspaceId: $id, name: $name, description: $description, domain: $domain }) {
            workspace { name description domain }
        } }";
    let kept = ada.ok(update, json!({ "id": id })).await;
    let kept = &kept["updateWorkspace"]["workspace"];
    assert_eq!(
        kept,
        &json!({ "name": "Rocket", "description": "Fast", "domain": "example.com" })
    );
    let cleared = ada
        .ok(update, json!({ "id": id, "description": null }))
        .await;
    let cleared = &cleared["updateWorkspace"]["workspace"];
    assert_eq!(cleared["description"], Value::Null);
    assert_eq!(cleared["domain"], "example.com");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_that_is_selected_twice_is_not_done_twice(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let make = r#"createWorkspace(input: { name: "Rocket" }) { workspace { id } }"#;
    for document in [
        format!("mutation {{ {make} {make} }}"),
        format!("mutation {{ {make} ... on Mutation {{ {make} }} }}"),
        format!("mutation {{ ...A ...A }} fragment A on Mutation {{ {make} }}"),
    ] {
        let refused = ada.send(&document, json!({})).await;
        assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED", "{document}");
    }
    let count = ada.ok("{ workspaces { totalCount } }", json!({})).await;
    assert_eq!(count["workspaces"]["totalCount"], 0);
    let aliased = format!("mutation {{ a: {make} b: {make} }}");
    ada.ok(&aliased, json!({})).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_of_an_operation_whose_values_do_not_fit(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let make = "mutation($first: Int, $name: String!) {
        a: createOrganization(input: { name: $name }) { organization { id } }
        b: createOrganization(input: { name: \"Bolt\" }) { organization { members(first: $first) { totalCount } } }
    }";
    let invalid = "GRAPHQL_VALIDATION_FAILED";
    let too_large = json!({ "name": "Acme", "first": 2_147_483_648_u32 });
    ada.refused(invalid, make, too_large.clone()).await;
    for (query, variables) in [
        (
            make.replace("Int,", "String,"),
            json!({ "name": "Acme", "first": "1" }),
        ),
        (
            make.replace("$first)", "3000000000)"),
            json!({ "name": "Acme" }),
        ),
        (make.replace("\"Bolt\"", "BOLT"), json!({ "name": "Acme" })),
        (
            make.replace("\"Bolt\"", "\"Bolt\", nmae: 1"),
            json!({ "name": "Acme" }),
        ),
        (
            make.replace("\"Bolt\"", "\"Bolt\", name: \"Rocket\""),
            json!({ "name": "Acme" }),
        ),
        (make.into(), json!({ "name": ["Acme"] })),
        (make.into(), json!({ "name": null })),
    ] {
        ada.refused(invalid, &query, variables).await;
    }
    let count = "{ organizations { totalCount } }";
    assert_eq!(
        ada.ok(count, json!({})).await["organizations"]["totalCount"],
        0
    );
    // Nor if the operation has run before.
    ada.ok(make, json!({ "name": "Acme", "first": 1 })).await;
    ada.refused(invalid, make, too_large).await;
    assert_eq!(
        ada.ok(count, json!({})).await["organizations"]["totalCount"],
        2
    );
}

/// An argument with a default may be left out, but not be null.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_null_is_refused_where_that_is_not_taken(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let make = "mutation($visibility: WorkspaceVisibility, $id: ID) {
        a: createOrganization(input: { name: \"Acme\" }) { organization { id } }
        b: createWorkspace(input: { name: \"Rocket\", visibility: $visibility }) { workspace { id } }
        c: createWorkspace(input: { name: \"Bolt\", organization: { id: $id } }) @skip(if: true) { workspace { id } }
    }";
    ada.ok(make, json!({ "id": "org_00000000000000000000000000" }))
        .await;
    for variables in [
        json!({ "visibility": null, "id": "x" }),
        json!({ "id": null }),
    ] {
        ada.refused("GRAPHQL_VALIDATION_FAILED", make, variables)
            .await;
    }
    let count = ada.ok("{ workspaces { totalCount } }", json!({})).await;
    assert_eq!(count["workspaces"]["totalCount"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_string_may_write_a_character_by_its_code_point(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    for (written, name) in [
        (r"\u{1F680} \uD83E\uDD80 \u{e9}\u00E9", "🚀 🦀 éé"),
        (r"a\u{22}b\u{5C}n\\u{41}", r#"a"b\n\u{41}"#),
    ] {
        let make = format!(
            "mutation {{ createOrganization(input: {{ name: \"{written}\" }}) {{ organization {{ name }} }} }}"
        );
        let made = ada.ok(&make, json!({})).await;
        assert_eq!(made["createOrganization"]["organization"]["name"], name);
    }
    for none in [r"\uD83D", r"\u{D83D}", r"\u{110000}", r"\u{}"] {
        let query = format!("{{ slugAvailability(slug: \"{none}\") {{ isAvailable }} }}");
        ada.refused("GRAPHQL_PARSE_FAILED", &query, json!({})).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_document_tells_where_it_is(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    for (code, query, line, column) in [
        ("GRAPHQL_PARSE_FAILED", "{ viewer {\n  id", 2, 5),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "query A { __typename } query A { __typename }",
            1,
            24,
        ),
        ("GRAPHQL_VALIDATION_FAILED", "{ viewer { nmae } }", 1, 12),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "{\n workspaces(first: \"1\") { totalCount } }",
            2,
            20,
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "query(\n$id: ID!) { node(id: $id) { id } }",
            2,
            1,
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "query($id: String!) { node(id: $id) { id } }",
            1,
            32,
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "mutation {\n createOrganization(input: { name: \"Acme\", name: \"Bolt\" }) { organization { id } } }",
            2,
            44,
        ),
    ] {
        let reply = ada.refused(code, query, json!({})).await;
        let error = &reply.body["errors"][0];
        let place = json!([{ "line": line, "column": column }]);
        assert_eq!(error["locations"][0], place[0], "{query}: {error}");
        assert!(!text(error, "message").contains('\n'), "{error}");
    }
}
