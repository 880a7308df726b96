//! Organizations: creating, finding, changing, linking and deleting them, and who may.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole;

use crate::support::{
    Client, Database, Postgres, Sqlite, TestIssuer, TestServer, at, organization, text, workspace,
};

const BY_SLUG: &str = "query($slug: String!) { organization(by: { slug: $slug }) { id slug } }";

/// The id of the organization that has or once had this slug.
async fn by_slug(person: &Client, slug: &str) -> Value {
    let found = person.ok(BY_SLUG, json!({ "slug": slug })).await;
    found["organization"]["id"].clone()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_found_by_id_slug_and_workos_id(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let input = json!({ "name": "  Acme Größe GmbH ", "slug": " Acme " });
    let selection =
        "organization { id name slug isPersonal workosOrganizationId createdAt updatedAt
        plan { key maxOwnedWorkspaces } viewerAccess { role } }";
    let made = ada.mutate("createOrganization", input, selection).await;
    let made = &made["organization"];
    assert_eq!(made["name"], "Acme Größe GmbH");
    assert_eq!(made["slug"], "acme");
    assert_eq!(made["isPersonal"], false);
    assert_eq!(made["workosOrganizationId"], Value::Null);
    assert_eq!(made["createdAt"], made["updatedAt"]);
    assert_eq!(
        made["plan"],
        json!({ "key": "free", "maxOwnedWorkspaces": null })
    );
    assert_eq!(made["viewerAccess"]["role"], "OWNER");
    let id = text(made, "id");
    ada.mutate(
        "linkWorkosOrganization",
        json!({ "organizationId": id, "workosOrganizationId": "org_1" }),
        "__typename",
    )
    .await;

    let query = "query($by: OrganizationBy!) { organization(by: $by) { id } }";
    for by in [
        json!({ "id": id }),
        json!({ "slug": "acme" }),
        json!({ "slug": " ACME " }),
        json!({ "workosOrganizationId": "org_1" }),
    ] {
        let found = ada.ok(query, json!({ "by": by })).await;
        assert_eq!(found["organization"]["id"], id.as_str(), "{by}");
        let hidden = bob.ok(query, json!({ "by": by })).await;
        assert_eq!(hidden["organization"], Value::Null, "{by}");
    }
    for by in [
        json!({ "slug": "nowhere" }),
        json!({ "slug": "" }),
        json!({ "slug": "a\u{0}b" }),
        json!({ "workosOrganizationId": "org_2" }),
        json!({ "workosOrganizationId": "a\u{0}b" }),
        json!({ "workosOrganizationId": "" }),
    ] {
        let found = ada.ok(query, json!({ "by": by })).await;
        assert_eq!(found["organization"], Value::Null, "{by}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_an_organization_is_told_at_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let reply = ada
        .mutate_refused(
            "INVALID_INPUT",
            "createOrganization",
            json!({ "name": "x", "slug": "-" }),
        )
        .await;
    assert_eq!(reply.violations(), ["name", "slug"]);
    let reply = ada
        .mutate_refused(
            "INVALID_INPUT",
            "updateOrganization",
            json!({ "organizationId": "x", "name": null, "slug": null }),
        )
        .await;
    assert_eq!(reply.violations(), ["organizationId", "name", "slug"]);
    let reply = ada
        .mutate_refused(
            "INVALID_INPUT",
            "linkWorkosOrganization",
            json!({ "organizationId": "x", "workosOrganizationId": "a b" }),
        )
        .await;
    assert_eq!(
        reply.violations(),
        ["organizationId", "workosOrganizationId"]
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_former_slug_finds_its_organization_until_another_takes_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    let other = organization(&ada, "Other").await;
    let rename = |id: &str, slug: &str| {
        let input = json!({ "organizationId": id, "slug": slug });
        let ada = ada.clone();
        async move {
            ada.try_mutate("updateOrganization", input, "organization { slug }")
                .await
        }
    };
    assert_eq!(rename(&other, "acme").await.code(), "SLUG_TAKEN");
    assert_eq!(rename(&acme, "apex").await.code(), "");
    assert_eq!(by_slug(&ada, "acme").await, acme.as_str());
    // A slug derived from a name does not take a former slug; one that is requested does.
    let input = json!({ "name": "Acme" });
    let made = ada
        .mutate("createOrganization", input, "organization { slug }")
        .await;
    assert_eq!(made["organization"]["slug"], "acme-2");
    assert_eq!(rename(&other, "acme").await.code(), "");
    assert_eq!(by_slug(&ada, "acme").await, other.as_str());
    assert_eq!(by_slug(&ada, "apex").await, acme.as_str());
    assert_eq!(by_slug(&ada, "other").await, other.as_str());
    // An organization can take back its own former slug.
    assert_eq!(rename(&other, "other").await.code(), "");
    assert_eq!(rename(&acme, "acme").await.code(), "");
    assert_eq!(by_slug(&ada, "acme").await, acme.as_str());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_each_role_may_do(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    let all = json!([
        "ORGANIZATION_VIEW",
        "ORGANIZATION_UPDATE",
        "ORGANIZATION_DELETE",
        "ORGANIZATION_MANAGE_MEMBERS",
        "ORGANIZATION_MANAGE_BILLING",
        "WORKSPACE_CREATE"
    ]);
    let admins = json!([
        "ORGANIZATION_VIEW",
        "ORGANIZATION_MANAGE_MEMBERS",
        "WORKSPACE_CREATE"
    ]);
    let billing = json!(["ORGANIZATION_VIEW", "ORGANIZATION_MANAGE_BILLING"]);
    let access = "query($id: ID!) { organizationAccess(organizationId: $id) {
        organization { id } role isAdmin canManageBilling permissions } }";
    for (role, name, is_admin, can_manage_billing, permissions) in [
        (OrganizationRole::Owner, "OWNER", true, true, all),
        (OrganizationRole::Admin, "ADMIN", true, false, admins),
        (
            OrganizationRole::Member,
            "MEMBER",
            false,
            false,
            json!(["ORGANIZATION_VIEW"]),
        ),
        (
            OrganizationRole::BillingAdmin,
            "BILLING_ADMIN",
            false,
            true,
            billing,
        ),
    ] {
        let person = server.user(&format!("{}@example.com", name.to_lowercase()));
        let none = person.ok(access, json!({ "id": acme })).await;
        assert_eq!(none["organizationAccess"], Value::Null);
        server.join_organization(&acme, &person, role).await;
        let found = person.ok(access, json!({ "id": acme })).await;
        let found = &found["organizationAccess"];
        assert_eq!(found["organization"]["id"], acme.as_str());
        assert_eq!(found["role"], name);
        assert_eq!(found["isAdmin"], is_admin);
        assert_eq!(found["canManageBilling"], can_manage_billing);
        assert_eq!(found["permissions"], permissions);

        let owner = role == OrganizationRole::Owner;
        let code = if owner { "" } else { "FORBIDDEN" };
        let id = json!({ "organizationId": acme });
        let with = |name: &str, value: Value| {
            let mut input = id.clone();
            input[name] = value;
            input
        };
        for (mutation, input) in [
            ("updateOrganization", with("name", "Acme 2".into())),
            (
                "linkWorkosOrganization",
                with("workosOrganizationId", Value::Null),
            ),
        ] {
            let reply = person.try_mutate(mutation, input, "__typename").await;
            assert_eq!(reply.code(), code, "{name}: {mutation}");
        }
        if !owner {
            person
                .mutate_refused("FORBIDDEN", "deleteOrganization", id.clone())
                .await;
        }
        let input = json!({ "name": "Rocket", "organization": { "id": acme } });
        let reply = person
            .try_mutate("createWorkspace", input, "__typename")
            .await;
        assert_eq!(
            reply.code(),
            if is_admin { "" } else { "FORBIDDEN" },
            "{name}"
        );

        let events =
            "query($id: ID!) { organization(by: { id: $id }) { name events { totalCount } } }";
        let reply = person.send(events, json!({ "id": acme })).await;
        assert_eq!(
            reply.code(),
            if is_admin { "" } else { "FORBIDDEN" },
            "{name}"
        );
        let found = &reply.body["data"]["organization"];
        assert_eq!(found["events"].is_null(), !is_admin);
        assert_eq!(found["name"], "Acme 2", "only the field is null");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_by_joining_and_by_role(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    for (name, role) in [
        ("zoe", OrganizationRole::Member),
        ("bob", OrganizationRole::Admin),
        ("cy", OrganizationRole::Member),
    ] {
        let person = server.user(&format!("{name}@example.com"));
        server.join_organization(&acme, &person, role).await;
    }
    let query = "query($id: ID!, $role: OrganizationRole) { organization(by: { id: $id }) {
        members(role: $role) { totalCount nodes { role organization { id } user { email name } } } } }";
    let emails = async |role: Value| {
        let found = ada.ok(query, json!({ "id": acme, "role": role })).await;
        let members = &found["organization"]["members"];
        let nodes = members["nodes"].as_array().expect("members").clone();
        assert_eq!(members["totalCount"], nodes.len());
        nodes
            .iter()
            .map(|node| text(node, "user.email"))
            .collect::<Vec<_>>()
    };
    let all = [
        "ada@example.com",
        "zoe@example.com",
        "bob@example.com",
        "cy@example.com",
    ];
    assert_eq!(emails(Value::Null).await, all);
    assert_eq!(
        emails("MEMBER".into()).await,
        ["zoe@example.com", "cy@example.com"]
    );
    assert_eq!(emails("BILLING_ADMIN".into()).await, [""; 0]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_an_event_and_no_change_is_none(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    let update = |more: Value| {
        let mut input = json!({ "organizationId": acme });
        input
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        let ada = ada.clone();
        async move { ada.mutate("updateOrganization", input, "__typename").await }
    };
    update(json!({ "name": "Apex", "slug": "apex" })).await;
    update(json!({ "name": "Apex" })).await;
    update(json!({})).await;
    let link = json!({ "organizationId": acme, "workosOrganizationId": "org_1" });
    ada.mutate("linkWorkosOrganization", link.clone(), "__typename")
        .await;
    ada.mutate("linkWorkosOrganization", link, "__typename")
        .await;
    let rocket = workspace(&ada, &acme, "Rocket").await;

    let query = "query($id: ID!, $kinds: [EventKind!]) { organization(by: { id: $id }) {
        events(kinds: $kinds) { totalCount nodes { kind data actor { email } subject { id }
            workspace { id } organization { id } } } } }";
    let found = ada.ok(query, json!({ "id": acme })).await;
    let events = &found["organization"]["events"];
    let nodes = events["nodes"].as_array().expect("events");
    let kinds: Vec<_> = nodes.iter().map(|event| text(event, "kind")).collect();
    let expected = [
        "WORKSPACE_CREATED",
        "ORGANIZATION_UPDATED",
        "ORGANIZATION_UPDATED",
        "ORGANIZATION_CREATED",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(nodes[0]["workspace"]["id"], rocket.as_str());
    assert_eq!(nodes[0]["subject"]["id"], rocket.as_str());
    assert_eq!(nodes[1]["data"], json!({ "workosOrganizationId": "org_1" }));
    assert_eq!(nodes[2]["data"], json!({ "name": "Apex", "slug": "apex" }));
    assert_eq!(nodes[3]["actor"]["email"], "ada@example.com");
    assert_eq!(nodes[3]["subject"]["id"], acme.as_str());
    for (kinds, count) in [
        (json!(["ORGANIZATION_UPDATED"]), 2),
        (json!([]), 0),
        (Value::Null, 4),
    ] {
        let found = ada.ok(query, json!({ "id": acme, "kinds": kinds })).await;
        assert_eq!(
            at(&found, "organization.events.totalCount"),
            count,
            "{kinds}"
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_organization_is_gone_with_its_workspaces_and_frees_the_slugs(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    server
        .join_organization(&acme, &bob, OrganizationRole::Admin)
        .await;
    let rocket = workspace(&ada, &acme, "Rocket").await;
    let link = json!({ "organizationId": acme, "workosOrganizationId": "org_1" });
    ada.mutate("linkWorkosOrganization", link, "__typename")
        .await;

    let input = json!({ "organizationId": acme });
    // Even though that was her only workspace.
    let deleted = ada
        .mutate("deleteOrganization", input.clone(), "deletedId")
        .await;
    assert_eq!(deleted["deletedId"], acme.as_str());
    for person in [&ada, &bob] {
        let query = "query($org: ID!, $ws: ID!) {
            organization(by: { id: $org }) { id } workspace(by: { id: $ws }) { id }
            nodes(ids: [$org, $ws]) { id }
            organizations { totalCount } workspaces(status: null) { totalCount }
            navigationState { currentOrganization { id } currentWorkspace { id } } }";
        let found = person.ok(query, json!({ "org": acme, "ws": rocket })).await;
        let nothing = json!({
            "organization": null, "workspace": null, "nodes": [null, null],
            "organizations": { "totalCount": 0 }, "workspaces": { "totalCount": 0 },
            "navigationState": { "currentOrganization": null, "currentWorkspace": null },
        });
        assert_eq!(found, nothing);
        person
            .mutate_refused("NOT_FOUND", "deleteOrganization", input.clone())
            .await;
        let restore = json!({ "workspaceId": rocket });
        person
            .mutate_refused("NOT_FOUND", "restoreWorkspace", restore)
            .await;
    }
    let input = json!({ "name": "Rocket", "organization": { "create": { "name": "Acme" } } });
    let selection = "workspace { slug } organization { id slug }";
    let made = bob.mutate("createWorkspace", input, selection).await;
    assert_eq!(made["workspace"]["slug"], "rocket");
    assert_eq!(made["organization"]["slug"], "acme");
    let id = text(&made, "organization.id");
    let link = json!({ "organizationId": id, "workosOrganizationId": "org_1" });
    bob.mutate("linkWorkosOrganization", link, "__typename")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workos_id_belongs_to_one_organization(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let acme = organization(&ada, "Acme").await;
    let other = organization(&bob, "Other").await;
    let input =
        |id: &str, workos: Value| json!({ "organizationId": id, "workosOrganizationId": workos });
    let link = "linkWorkosOrganization";
    let linked = ada
        .mutate(
            link,
            input(&acme, "org_1".into()),
            "organization { workosOrganizationId }",
        )
        .await;
    assert_eq!(linked["organization"]["workosOrganizationId"], "org_1");
    bob.mutate_refused("CONFLICT", link, input(&other, "org_1".into()))
        .await;
    let reply = bob
        .mutate_refused("INVALID_INPUT", link, json!({ "organizationId": other }))
        .await;
    assert_eq!(reply.violations(), ["workosOrganizationId"]);
    ada.mutate(link, input(&acme, Value::Null), "__typename")
        .await;
    bob.mutate(link, input(&other, "org_1".into()), "__typename")
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn with_an_issuer_only_its_token_for_that_organization_links_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let issuer = TestIssuer::new();
    let server = TestServer::with(on, |config| issuer.configure(config)).await;
    let plain = server.bearer(&issuer.token("ada@example.com", json!({})));
    let of_one = server.bearer(&issuer.token("ada@example.com", json!({ "org_id": "org_1" })));
    let acme = organization(&plain, "Acme").await;
    let input = |workos: Value| json!({ "organizationId": acme, "workosOrganizationId": workos });
    let link = "linkWorkosOrganization";
    plain
        .mutate_refused("FORBIDDEN", link, input("org_1".into()))
        .await;
    of_one
        .mutate_refused("FORBIDDEN", link, input("org_2".into()))
        .await;
    of_one
        .mutate(link, input("org_1".into()), "__typename")
        .await;
    // Unlinking proves nothing to anyone, so it needs no such token.
    plain.mutate(link, input(Value::Null), "__typename").await;
    // Someone who may not see the organization is not told about tokens.
    let stranger = server.bearer(&issuer.token("bob@example.com", json!({})));
    stranger
        .mutate_refused("NOT_FOUND", link, input("org_1".into()))
        .await;
}
