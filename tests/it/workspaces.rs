//! Creating and changing workspaces.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};

use crate::support::{
    Client, Database, Postgres, Sqlite, TestServer, organization, text, workspace,
};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_first_workspace_comes_with_a_personal_organization(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let selection = "isFirstWorkspace workspace { slug viewerRole organization { id } }
        organization { id name slug isPersonal viewerAccess { role } }";
    let made = ada
        .mutate(
            "createWorkspace",
            json!({ "name": "Rocket Labs" }),
            selection,
        )
        .await;
    assert_eq!(made["isFirstWorkspace"], true);
    assert_eq!(made["workspace"]["slug"], "rocket-labs");
    assert_eq!(made["workspace"]["viewerRole"], "OWNER");
    assert_eq!(made["organization"]["name"], "Ada's organization");
    assert_eq!(made["organization"]["isPersonal"], true);
    assert_eq!(made["organization"]["viewerAccess"]["role"], "OWNER");
    assert_eq!(
        text(&made, "workspace.organization.id"),
        text(&made, "organization.id")
    );

    let second = ada
        .mutate(
            "createWorkspace",
            json!({ "name": "Rocket Labs" }),
            selection,
        )
        .await;
    assert_eq!(second["isFirstWorkspace"], false);
    assert_eq!(second["workspace"]["slug"], "rocket-labs-2");
    assert_eq!(
        text(&second, "organization.id"),
        text(&made, "organization.id")
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_goes_where_it_is_told(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    let selection = "workspace { id viewerPermissions createdBy { email } } organization { id name isPersonal }";
    let make = async |person: &Client, more: Value| {
        let mut input = json!({ "name": "Rocket" });
        if !more.is_null() {
            input["organization"] = more;
        }
        person.mutate("createWorkspace", input, selection).await
    };
    let given = make(&ada, json!({ "id": acme })).await;
    assert_eq!(given["organization"]["id"], acme.as_str());
    assert_eq!(given["workspace"]["createdBy"]["email"], "ada@example.com");
    let new = make(&ada, json!({ "create": {} })).await;
    assert_eq!(new["organization"]["name"], "Rocket");
    assert_eq!(new["organization"]["isPersonal"], false);
    let named = make(&ada, json!({ "create": { "name": "Named" } })).await;
    assert_eq!(named["organization"]["name"], "Named");
    // The last one created is selected, and so is its organization.
    let current = make(&ada, Value::Null).await;
    assert_eq!(current["organization"]["id"], named["organization"]["id"]);
    let select = json!({ "workspaceId": given["workspace"]["id"] });
    ada.mutate("selectWorkspace", select, "__typename").await;
    let current = make(&ada, Value::Null).await;
    assert_eq!(current["organization"]["id"], acme.as_str());

    // Someone who may not create workspaces in their current organization gets a personal one, once.
    server
        .join_organization(&acme, &bob, OrganizationRole::Member)
        .await;
    let own = make(&bob, Value::Null).await;
    assert_eq!(own["organization"]["name"], "Bob's organization");
    assert_eq!(own["organization"]["isPersonal"], true);
    server
        .join_workspace(
            &acme,
            &text(&given, "workspace.id"),
            &bob,
            WorkspaceRole::Member,
        )
        .await;
    let select = json!({ "workspaceId": given["workspace"]["id"] });
    bob.mutate("selectWorkspace", select, "__typename").await;
    let again = make(&bob, Value::Null).await;
    assert_eq!(again["organization"]["id"], own["organization"]["id"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_slug_is_unique_well_formed_and_not_reserved(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let make = async |name: &str, slug: Value| {
        let input = json!({ "name": name, "slug": slug });
        ada.try_mutate("createWorkspace", input, "workspace { slug }")
            .await
    };
    let slug = async |name: &str, slug: Value| {
        let reply = make(name, slug).await;
        text(&reply.body, "data.createWorkspace.workspace.slug")
    };
    assert_eq!(slug("One", " My-Slug ".into()).await, "my-slug");
    assert_eq!(make("Two", "my-slug".into()).await.code(), "SLUG_TAKEN");
    assert_eq!(slug("My Slug", Value::Null).await, "my-slug-2");
    assert_eq!(slug("Größe & Ærø", Value::Null).await, "grosse-aero");
    assert_eq!(slug("Admin", Value::Null).await, "admin-2");
    let cut = slug(&"word ".repeat(16), Value::Null).await;
    assert!(cut.len() <= 50 && cut.ends_with("-word"), "{cut}");
    assert_eq!(slug("…!", Value::Null).await, "workspace");
    assert_eq!(slug("??", Value::Null).await, "workspace-2");
    for bad in [
        "",
        "a",
        "-a",
        "a-",
        "a--b",
        "a_b",
        "a b",
        "a.b",
        "é-e",
        "a\u{0}b",
        &"x".repeat(51),
        "admin",
        "NEW",
        "graphql",
        "www",
        "null",
        "undefined",
        "me",
    ] {
        let reply = make("Rocket", bad.into()).await;
        assert_eq!(reply.code(), "INVALID_INPUT", "{bad:?}");
        assert_eq!(reply.violations(), ["slug"], "{bad:?}");
    }

    let availability = "query($slug: String!, $kind: SlugKind! = WORKSPACE) {
        slugAvailability(slug: $slug, kind: $kind) { isAvailable suggestion } }";
    for (slug, kind, available, suggestion) in [
        ("free", "WORKSPACE", true, "free"),
        (" FREE ", "WORKSPACE", true, "free"),
        ("my-slug", "WORKSPACE", false, "my-slug-3"),
        ("my-slug", "ORGANIZATION", true, "my-slug"),
        ("admin", "WORKSPACE", false, "admin-3"),
        ("Not A Slug!", "WORKSPACE", false, "not-a-slug"),
        ("", "ORGANIZATION", false, "organization"),
    ] {
        let found = ada
            .ok(availability, json!({ "slug": slug, "kind": kind }))
            .await;
        let expected = json!({ "isAvailable": available, "suggestion": suggestion });
        assert_eq!(found["slugAvailability"], expected, "{slug}");
    }
}

/// An object that is nested that many levels deep.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inside, _| json!({ "a": inside }))
}

/// An object that takes that many bytes.
fn sized(bytes: usize) -> Value {
    json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_workspace_is_told_at_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let input = json!({
        "name": "x", "slug": "-", "description": "x".repeat(2_001), "domain": "localhost",
        "organization": { "create": { "name": "" } }, "settings": [],
    });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "createWorkspace", input)
        .await;
    let all = [
        "name",
        "slug",
        "description",
        "domain",
        "organization.create.name",
        "settings",
    ];
    assert_eq!(reply.violations(), all);

    let id = workspace(&ada, &organization(&ada, "Acme").await, "Rocket").await;
    let input = json!({
        "workspaceId": "x", "name": null, "slug": null, "visibility": null, "settings": null,
        "onboarding": null, "description": "a\u{0}", "domain": "10.0.0.1",
    });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "updateWorkspace", input)
        .await;
    let mut found = reply.violations();
    found.sort_unstable();
    let all = [
        "description",
        "domain",
        "name",
        "onboarding",
        "settings",
        "slug",
        "visibility",
        "workspaceId",
    ];
    assert_eq!(found, all);

    for (field, bad) in [
        ("name", json!("x".repeat(81))),
        ("name", json!("two\nlines")),
        ("name", json!("nul \u{0}")),
        ("name", json!("\u{200b}\u{200b}")),
        ("description", json!("bell \u{7}")),
        ("domain", json!("nodot")),
        ("domain", json!("")),
        ("domain", json!(format!("{}.com", "x".repeat(64)))),
        ("settings", json!("text")),
        ("settings", json!({ "a": "\u{0}" })),
        ("settings", json!({ "\u{0}": 1 })),
        ("settings", nested(17)),
        ("settings", sized(64 * 1024 + 1)),
        ("onboarding", json!(7)),
        ("onboarding", nested(17)),
    ] {
        let input = json!({ "workspaceId": id, field: bad });
        let reply = ada
            .mutate_refused("INVALID_INPUT", "updateWorkspace", input)
            .await;
        assert_eq!(reply.violations(), [field], "{field}: {bad}");
    }
    for (field, good) in [
        ("name", json!("é".repeat(80))),
        ("description", json!("é\n\t".repeat(666))),
        ("domain", json!("https://www.Bücher.example:8080/path?x")),
        ("settings", nested(16)),
        ("onboarding", sized(64 * 1024)),
    ] {
        let input = json!({ "workspaceId": id, field: good });
        ada.mutate("updateWorkspace", input, "__typename").await;
    }
    let query = "query($id: ID!) { workspace(by: { id: $id }) { domain } }";
    let found = ada.ok(query, json!({ "id": id })).await;
    assert_eq!(found["workspace"]["domain"], "xn--bcher-kva.example");
    // A patch that removes much may be larger than the result may be.
    let mut keys: serde_json::Map<_, _> = (0..6_000)
        .map(|n| (format!("k{n:07}"), Value::Null))
        .collect();
    keys.insert("a".into(), json!("x"));
    let input = json!({ "workspaceId": id, "settings": keys });
    ada.mutate("updateWorkspace", input, "__typename").await;
    // Nor may merging make it larger than allowed.
    let input = json!({ "workspaceId": id, "onboarding": { "b": 1 } });
    let reply = ada
        .mutate_refused("INVALID_INPUT", "updateWorkspace", input)
        .await;
    assert_eq!(reply.violations(), ["onboarding"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_and_nothing_else(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let fields =
        "name slug description domain visibility settings onboarding onboardingCompletedAt";
    let input = json!({
        "name": "Rocket", "description": "Fast", "domain": "example.com",
        "settings": { "keep": 1, "go": 2, "deep": { "keep": [1], "go": 2 } },
    });
    let made = ada
        .mutate(
            "createWorkspace",
            input,
            &format!("workspace {{ id {fields} }}"),
        )
        .await;
    let mut expected = made["workspace"].clone();
    assert_eq!(expected["visibility"], "PRIVATE");
    assert_eq!(expected["onboarding"], json!({}));
    let id = expected
        .as_object_mut()
        .and_then(|fields| fields.remove("id"));
    let id = id.expect("an id");
    for (field, value, after) in [
        ("name", json!(" Apex "), json!("Apex")),
        ("slug", json!("apex"), json!("apex")),
        ("visibility", json!("ORGANIZATION"), json!("ORGANIZATION")),
        ("description", Value::Null, Value::Null),
        ("description", json!(" New\r\nlines "), json!("New\nlines")),
        ("domain", Value::Null, Value::Null),
        (
            "domain",
            json!("http://WWW.Example.ORG/"),
            json!("example.org"),
        ),
        (
            "settings",
            json!({ "go": null, "new": { "x": null }, "deep": { "go": null, "keep": [null] } }),
            json!({ "keep": 1, "new": {}, "deep": { "keep": [null] } }),
        ),
        ("onboarding", json!({ "step": 2 }), json!({ "step": 2 })),
        ("onboarding", json!({}), json!({ "step": 2 })),
        (
            "onboardingCompletedAt",
            json!("2026-01-01T01:00:00.5+01:00"),
            json!("2026-01-01T00:00:00.500Z"),
        ),
        ("onboardingCompletedAt", Value::Null, Value::Null),
    ] {
        let input = json!({ "workspaceId": id, field: value });
        let updated = ada
            .mutate(
                "updateWorkspace",
                input,
                &format!("workspace {{ {fields} }}"),
            )
            .await;
        expected[field] = after;
        // An instant can be written in more than one way.
        if let (Some(a), Some(b)) = (
            updated["workspace"]["onboardingCompletedAt"].as_str(),
            expected["onboardingCompletedAt"].as_str(),
        ) {
            let parse = chrono::DateTime::parse_from_rfc3339;
            assert_eq!(parse(a), parse(b));
            assert!(a.ends_with('Z'));
            expected["onboardingCompletedAt"] = a.into();
        }
        assert_eq!(updated["workspace"], expected, "{field}");
        let query = format!("query($id: ID!) {{ workspace(by: {{ id: $id }}) {{ {fields} }} }}");
        let found = ada.ok(&query, json!({ "id": id })).await;
        assert_eq!(found["workspace"], expected, "{field}");
    }
}
