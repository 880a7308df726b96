//! Lists: pages in both directions, searching, ordering, and lists within lists.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};

use crate::support::{
    Client, Database, Postgres, Sqlite, TestServer, at, organization, text, workspace,
};

const LIST: &str =
    "query($org: ID, $search: String, $status: WorkspaceStatus = ACTIVE, $orderBy: WorkspaceOrder,
    $first: Int, $after: String, $last: Int, $before: String, $offset: Int) {
    workspaces(organizationId: $org, search: $search, status: $status, orderBy: $orderBy,
        first: $first, after: $after, last: $last, before: $before, offset: $offset) {
        totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { name } }
        nodes { name }
    } }";

/// A page of the workspaces, asserting that its edges and nodes agree.
async fn page(person: &Client, arguments: Value) -> Value {
    let mut found = person.ok(LIST, arguments).await;
    let page = found["workspaces"].take();
    let edges = page["edges"].as_array().expect("edges");
    let nodes: Vec<_> = edges.iter().map(|edge| edge["node"].clone()).collect();
    assert_eq!(page["nodes"], Value::Array(nodes));
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(page["pageInfo"]["startCursor"], cursor(edges.first()));
    assert_eq!(page["pageInfo"]["endCursor"], cursor(edges.last()));
    page
}

fn names(page: &Value) -> Vec<String> {
    let nodes = page["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| text(node, "name")).collect()
}

async fn refused(person: &Client, arguments: Value) -> Vec<String> {
    let reply = person.refused("INVALID_INPUT", LIST, arguments).await;
    reply.violations().into_iter().map(str::to_owned).collect()
}

async fn with_workspaces(server: &TestServer, names: &[&str]) -> (Client, String) {
    let ada = server.user("ada@example.com");
    let acme = organization(&ada, "Acme").await;
    for name in names {
        workspace(&ada, &acme, name).await;
    }
    (ada, acme)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn searching_ignores_case_in_every_script_and_takes_signs_as_they_are(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let all = [
        "Straße 7",
        "ПРИВЕТ мир",
        "100% pure",
        "snake_case",
        "back\\slash",
        "Plain",
    ];
    let (ada, _) = with_workspaces(&server, &all).await;
    for (search, found) in [
        ("STRASSE", vec!["Straße 7"]),
        ("привет", vec!["ПРИВЕТ мир"]),
        ("%", vec!["100% pure"]),
        ("_", vec!["snake_case"]),
        ("\\", vec!["back\\slash"]),
        ("0%_", vec![]),
        // The slug is searched as well.
        ("snake-case", vec!["snake_case"]),
        ("plain", vec!["Plain"]),
        ("nothing like it", vec![]),
        ("'; DROP TABLE workspaces; --", vec![]),
    ] {
        let page = page(&ada, json!({ "search": search })).await;
        assert_eq!(names(&page), found, "{search}");
        assert_eq!(page["totalCount"], found.len(), "{search}");
    }
    for search in ["", "  "] {
        let page = page(&ada, json!({ "search": search })).await;
        assert_eq!(page["totalCount"], all.len());
    }
    assert_eq!(
        refused(&ada, json!({ "search": "x".repeat(101) })).await,
        ["search"]
    );
    assert_eq!(
        refused(&ada, json!({ "search": "a\u{0}" })).await,
        ["search"]
    );
    // The same within an organization.
    let query = "query($search: String) { organizations { nodes {
        workspaces(search: $search) { totalCount nodes { name } } } } }";
    let found = ada.ok(query, json!({ "search": "STRASSE" })).await;
    let found = at(&found, "organizations.nodes.0.workspaces");
    assert_eq!(
        found,
        &json!({ "totalCount": 1, "nodes": [{ "name": "Straße 7" }] })
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_order_ignores_case_and_runs_both_ways(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, acme) = with_workspaces(&server, &["beta", "Alpha", "GAMMA", "Zeta", "état"]).await;
    let found = page(&ada, json!({ "search": "beta" })).await;
    assert_eq!(names(&found), ["beta"]);
    let query = "query($id: ID!) { organization(by: { id: $id }) { workspaces(search: \"beta\") { nodes { id } } } }";
    let beta = ada.ok(query, json!({ "id": acme })).await;
    let beta = text(&beta, "organization.workspaces.nodes.0.id");
    let touch = json!({ "workspaceId": beta, "description": "touched" });
    ada.mutate("updateWorkspace", touch, "__typename").await;

    for (field, order) in [
        ("NAME", ["Alpha", "beta", "état", "GAMMA", "Zeta"]),
        ("CREATED_AT", ["beta", "Alpha", "GAMMA", "Zeta", "état"]),
        ("UPDATED_AT", ["Alpha", "GAMMA", "Zeta", "état", "beta"]),
    ] {
        let mut order = order.map(str::to_owned).to_vec();
        for direction in ["ASC", "DESC"] {
            let by = json!({ "field": field, "direction": direction });
            let found = page(&ada, json!({ "orderBy": by })).await;
            assert_eq!(names(&found), order, "{field} {direction}");
            // Page by page, from either end.
            for (size, cursor, from, end) in [
                ("first", "after", "endCursor", "hasNextPage"),
                ("last", "before", "startCursor", "hasPreviousPage"),
            ] {
                let mut walked = Vec::new();
                let mut arguments = json!({ "orderBy": by, size: 2 });
                loop {
                    let found = page(&ada, arguments.clone()).await;
                    if size == "first" {
                        walked.extend(names(&found));
                    } else {
                        walked.splice(0..0, names(&found));
                    }
                    if found["pageInfo"][end] == false {
                        break;
                    }
                    arguments[cursor] = found["pageInfo"][from].clone();
                }
                assert_eq!(walked, order, "{field} {direction} {size}");
            }
            order.reverse();
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pages_tell_what_lies_on_both_sides(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    // All have the same name, so that only the ids tell them apart.
    let (ada, _) = with_workspaces(&server, &["Same"; 9]).await;
    let everything = page(&ada, json!({ "first": 100 })).await;
    let cursors: Vec<String> = (0..9)
        .map(|n| text(&everything, &format!("edges.{n}.cursor")))
        .collect();
    let sees = async |arguments: Value| {
        let found = page(&ada, arguments).await;
        assert_eq!(found["totalCount"], 9);
        let rows: Vec<usize> = found["edges"]
            .as_array()
            .expect("edges")
            .iter()
            .map(|edge| {
                cursors
                    .iter()
                    .position(|cursor| edge["cursor"] == **cursor)
                    .expect("a row")
            })
            .collect();
        let info = &found["pageInfo"];
        (
            rows,
            info["hasPreviousPage"] == true,
            info["hasNextPage"] == true,
        )
    };
    let (first, last) = (&cursors[0], &cursors[8]);
    for (arguments, rows, previous, next) in [
        (json!({}), 0..9, false, false),
        (json!({ "first": 9 }), 0..9, false, false),
        (json!({ "first": 4 }), 0..4, false, true),
        (json!({ "first": 4, "after": cursors[3] }), 4..8, true, true),
        (
            json!({ "first": 4, "after": cursors[4] }),
            5..9,
            true,
            false,
        ),
        (json!({ "first": 4, "after": last }), 0..0, true, false),
        (json!({ "last": 4 }), 5..9, true, false),
        (json!({ "last": 4, "before": cursors[5] }), 1..5, true, true),
        (
            json!({ "last": 4, "before": cursors[4] }),
            0..4,
            false,
            true,
        ),
        (json!({ "last": 4, "before": first }), 0..0, false, true),
        (
            json!({ "after": cursors[2], "before": cursors[6] }),
            3..6,
            true,
            true,
        ),
        (
            json!({ "first": 2, "after": cursors[2], "before": cursors[6] }),
            3..5,
            true,
            true,
        ),
        (
            json!({ "last": 2, "after": cursors[2], "before": cursors[6] }),
            4..6,
            true,
            true,
        ),
        (json!({ "first": 3, "offset": 0 }), 0..3, false, true),
        (json!({ "first": 3, "offset": 3 }), 3..6, true, true),
        (json!({ "first": 3, "offset": 6 }), 6..9, true, false),
        (json!({ "first": 3, "offset": 9 }), 0..0, true, false),
        (json!({ "first": 3, "offset": 10_000 }), 0..0, true, false),
        (
            json!({ "first": 3, "after": cursors[1], "offset": 3 }),
            5..8,
            true,
            true,
        ),
        (
            json!({ "first": 3, "after": cursors[1], "offset": 20 }),
            0..0,
            true,
            false,
        ),
    ] {
        let expected = (rows.collect::<Vec<_>>(), previous, next);
        assert_eq!(sees(arguments.clone()).await, expected, "{arguments}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, acme) = with_workspaces(&server, &["One", "Two"]).await;
    for (arguments, violations) in [
        (json!({ "first": 0 }), vec!["first"]),
        (json!({ "first": -1 }), vec!["first"]),
        (json!({ "first": 101 }), vec!["first"]),
        (json!({ "last": 0 }), vec!["last"]),
        (json!({ "last": 101 }), vec!["last"]),
        (json!({ "first": 1, "last": 1 }), vec!["last"]),
        (
            json!({ "first": 0, "last": 101 }),
            vec!["first", "last", "last"],
        ),
        (json!({ "offset": -1 }), vec!["offset"]),
        (json!({ "offset": 10_001 }), vec!["offset"]),
        (json!({ "last": 1, "offset": 1 }), vec!["offset"]),
        (json!({ "after": "" }), vec!["after"]),
        (json!({ "after": "garbage" }), vec!["after"]),
        (json!({ "before": "\u{0}" }), vec!["before"]),
        (json!({ "org": "x" }), vec!["organizationId"]),
        // All mistakes are reported at once.
        (json!({ "first": 0, "after": "x" }), vec!["first", "after"]),
        (
            json!({ "after": "x", "before": "y" }),
            vec!["after", "before"],
        ),
        (
            json!({ "org": "x", "search": "s".repeat(101), "first": 0, "offset": -1, "after": "x" }),
            vec!["organizationId", "search", "first", "offset", "after"],
        ),
    ] {
        assert_eq!(
            refused(&ada, arguments.clone()).await,
            violations,
            "{arguments}"
        );
    }
    for (query, violations) in [
        (
            "query($search: String) { organizations { nodes {
                workspaces(search: $search, first: 0, before: \"x\") { totalCount } } } }",
            ["search", "first", "before"],
        ),
        (
            "query($search: String) { workspaces { nodes {
                prompts(search: $search, last: 0, after: \"x\") { totalCount } } } }",
            ["search", "last", "after"],
        ),
    ] {
        let variables = json!({ "search": "s".repeat(101) });
        let reply = ada.refused("INVALID_INPUT", query, variables).await;
        assert_eq!(reply.violations(), violations, "{query}");
    }
    let query = "query($id: ID!) { organization(by: { id: $id }) {
        workspaces { pageInfo { endCursor } } members { pageInfo { endCursor } } events { pageInfo { endCursor } } }
        organizations { pageInfo { endCursor } } }";
    let others = ada.ok(query, json!({ "id": acme })).await;
    for other in [
        "organization.workspaces",
        "organization.members",
        "organization.events",
        "organizations",
    ] {
        let cursor = text(&others, &format!("{other}.pageInfo.endCursor"));
        assert_eq!(
            refused(&ada, json!({ "after": cursor })).await,
            ["after"],
            "{other}"
        );
    }
    let by = |field: &str, direction: &str| json!({ "field": field, "direction": direction });
    let own = page(&ada, json!({ "orderBy": by("UPDATED_AT", "ASC") })).await;
    let cursor = text(&own, "pageInfo.endCursor");
    for other in [
        by("NAME", "ASC"),
        by("CREATED_AT", "ASC"),
        by("UPDATED_AT", "DESC"),
    ] {
        let arguments = json!({ "orderBy": other, "after": cursor });
        assert_eq!(refused(&ada, arguments).await, ["after"], "{other}");
    }
    // Another person's list is a different list.
    let bob = server.user("bob@example.com");
    let arguments = json!({ "orderBy": by("UPDATED_AT", "ASC"), "after": cursor });
    assert_eq!(refused(&bob, arguments).await, ["after"]);

    // A forged cursor does no harm.
    let json = String::from_utf8(
        data_encoding::BASE64URL_NOPAD
            .decode(cursor.as_bytes())
            .expect("base64"),
    );
    let (list, _) = json
        .as_ref()
        .expect("text")
        .split_once(',')
        .expect("a list");
    for rest in [
        "-9223372036854775808,\"0\"]",
        "9223372036854775807,\"0\"]",
        "\"text\",\"0\"]",
        "null,\"0\"]",
        "1,\"340282366920938463463374607431768211455\"]",
        "1.5,\"0\"]",
    ] {
        let forged = data_encoding::BASE64URL_NOPAD.encode(format!("{list},{rest}").as_bytes());
        for argument in ["after", "before"] {
            let arguments = json!({ "orderBy": by("UPDATED_AT", "ASC"), argument: forged });
            let reply = ada.send(LIST, arguments).await;
            assert!(
                matches!(reply.code(), "" | "INVALID_INPUT"),
                "{rest}: {:#}",
                reply.body
            );
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deleted_ones_are_listed_for_those_who_may_restore_them(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, acme) = with_workspaces(&server, &["Live"]).await;
    let dead = workspace(&ada, &acme, "Dead").await;
    let people = [
        ("owner", OrganizationRole::Owner, None, true),
        ("admin", OrganizationRole::Admin, None, false),
        (
            "mine",
            OrganizationRole::Member,
            Some(WorkspaceRole::Owner),
            true,
        ),
        (
            "member",
            OrganizationRole::Member,
            Some(WorkspaceRole::Admin),
            false,
        ),
        ("billing", OrganizationRole::BillingAdmin, None, false),
    ];
    for (name, role, inside, _) in people {
        let person = server.user(&format!("{name}@example.com"));
        server.join_organization(&acme, &person, role).await;
        if let Some(inside) = inside {
            server.join_workspace(&acme, &dead, &person, inside).await;
        }
    }
    let delete = json!({ "workspaceId": dead });
    ada.mutate("deleteWorkspace", delete, "__typename").await;
    for (name, role, _, restores) in people {
        let person = server.user(&format!("{name}@example.com"));
        let deleted = page(&person, json!({ "status": "DELETED" })).await;
        let expected: &[&str] = if restores { &["Dead"] } else { &[] };
        assert_eq!(names(&deleted), expected, "{name}");
        let any = page(&person, json!({ "status": null })).await;
        let all = matches!(role, OrganizationRole::Owner | OrganizationRole::Admin);
        let mut expected = expected.to_vec();
        expected.extend(all.then_some("Live"));
        assert_eq!(names(&any), expected, "{name}");
        assert_eq!(any["totalCount"], expected.len());
        let query = "query($id: ID!) { workspace(by: { id: $id }) { status } }";
        let found = person.ok(query, json!({ "id": dead })).await;
        assert_eq!(!found["workspace"].is_null(), restores, "{name}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn lists_inside_lists_are_each_parents_own(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| config.limits.organizations_per_hour = 100).await;
    let ada = server.user("ada@example.com");
    let people = ["bob", "cy", "dee"].map(|name| server.user(&format!("{name}@example.com")));
    // Created in an order that is not that of their names.
    for n in (0..12).rev() {
        let id = organization(&ada, &format!("Org {n:02}")).await;
        for person in &people[..n % 4] {
            server
                .join_organization(&id, person, OrganizationRole::Member)
                .await;
        }
        for m in (0..n % 3).rev() {
            let inside = workspace(&ada, &id, &format!("W {n} {m}")).await;
            for person in &people[..n % 4] {
                server
                    .join_workspace(&id, &inside, person, WorkspaceRole::Member)
                    .await;
            }
        }
    }
    let query = "{ organizations { nodes { name
        members(first: 2) { totalCount pageInfo { hasNextPage hasPreviousPage } nodes { user { name } } }
        latest: members(last: 1) { nodes { user { name } } }
        workspaces(first: 1) { totalCount pageInfo { hasNextPage }
            nodes { name members(first: 2) { totalCount pageInfo { hasNextPage } nodes { user { name } } } } } } } }";
    let found = ada.ok(query, json!({})).await;
    let names = ["Ada", "Bob", "Cy", "Dee"];
    let users = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| json!({ "user": { "name": name } }))
            .collect()
    };
    let expected: Vec<Value> = (0..12)
        .map(|n| {
            let (members, inside) = (n % 4 + 1, n % 3);
            let first = users(&names[..members.min(2)]);
            let of_workspace = json!({
                "name": format!("W {n} 0"),
                "members": { "totalCount": members, "pageInfo": { "hasNextPage": members > 2 }, "nodes": first },
            });
            json!({
                "name": format!("Org {n:02}"),
                "members": {
                    "totalCount": members,
                    "pageInfo": { "hasNextPage": members > 2, "hasPreviousPage": false },
                    "nodes": first,
                },
                "latest": { "nodes": users(&names[members - 1..members]) },
                "workspaces": {
                    "totalCount": inside,
                    "pageInfo": { "hasNextPage": inside > 1 },
                    "nodes": if inside > 0 { vec![of_workspace] } else { Vec::new() },
                },
            })
        })
        .collect();
    assert_eq!(found["organizations"]["nodes"], Value::Array(expected));
}
