//! Prompts: making, changing, deleting and listing them.

use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;
use tenantry::config::Plan;
use tenantry::id::{PromptId, WorkspaceId};

use crate::support::collecting::prompts;
use crate::support::office::{Office, Person};
use crate::support::{Client, Database, Postgres, Reply, Sqlite, TestServer, text};

const PROMPT: &str = "id text tags isActive createdBy { id } createdAt updatedAt workspace { id }";

async fn office(server: &TestServer) -> (Person, Office) {
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    (ada, office)
}

/// The page of the workspace's prompts.
async fn page(person: &Client, workspace: WorkspaceId, arguments: Value) -> Value {
    let mut arguments = arguments;
    arguments["id"] = json!(workspace);
    let query = format!(
        "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $search: String) {{
            workspace(by: {{ id: $id }}) {{
                prompts(first: $first, after: $after, last: $last, before: $before, search: $search) {{
                    totalCount
                    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
                    nodes {{ {PROMPT} }}
                }} }} }}"
    );
    person.ok(&query, arguments).await["workspace"]["prompts"].take()
}

fn texts(page: &Value) -> Vec<String> {
    let nodes = page["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| text(node, "text")).collect()
}

async fn create(
    person: &Client,
    workspace: WorkspaceId,
    prompts: Value,
    code: &str,
) -> (Reply, Vec<String>) {
    let input = json!({ "workspaceId": workspace, "prompts": prompts });
    let reply = person
        .try_mutate("createPrompts", input, "prompts { id }")
        .await;
    assert_eq!(reply.code(), code, "{:#}", reply.body);
    let violations = reply.violations().into_iter().map(str::to_owned).collect();
    (reply, violations)
}

/// The workspace's events of prompts, newest first.
async fn events(person: &Client, workspace: WorkspaceId) -> Vec<Value> {
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        events(kinds: [PROMPTS_CREATED, PROMPT_UPDATED, PROMPT_DELETED]) {
            nodes { kind data actor { id } subject { __typename id } } } } }";
    let found = person.ok(query, json!({ "id": workspace })).await;
    let nodes = &found["workspace"]["events"]["nodes"];
    nodes.as_array().expect("events").clone()
}

async fn node(person: &Client, id: PromptId) -> Value {
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on Prompt {{ {PROMPT} }} }} }}");
    person.ok(&query, json!({ "id": id })).await["node"].take()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn prompts_are_answered_and_listed_in_the_order_given(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let bob = office
        .person(&server, "bob", Org::Member, Some(Role::Member))
        .await;
    let all: Vec<_> = (0..150)
        .map(|n| format!("Question {}", n * 7 % 150))
        .collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    for some in all.chunks(100) {
        let input: Vec<_> = some.iter().map(|text| json!({ "text": text })).collect();
        let input = json!({ "workspaceId": office.workspace, "prompts": input });
        let made = bob.mutate("createPrompts", input, "prompts { text }").await;
        let answered: Vec<_> = some.iter().map(|text| json!({ "text": text })).collect();
        assert_eq!(made["prompts"], json!(answered));
    }

    let first = page(&ada, office.workspace, json!({ "first": 100 })).await;
    assert_eq!(texts(&first), all[..100]);
    assert_eq!(first["totalCount"], 150);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = &first["pageInfo"]["endCursor"];
    let second = page(
        &ada,
        office.workspace,
        json!({ "first": 100, "after": after }),
    )
    .await;
    assert_eq!(texts(&second), all[100..]);
    assert_eq!(second["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    let before = &second["pageInfo"]["startCursor"];
    let back = page(
        &ada,
        office.workspace,
        json!({ "last": 3, "before": before }),
    )
    .await;
    assert_eq!(texts(&back), all[97..100]);
    let twenty = page(&ada, office.workspace, json!({})).await;
    assert_eq!(texts(&twenty).len(), 20);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_prompt_is_active_and_normal(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let input = json!({ "workspaceId": office.workspace, "prompts": [
        { "text": "  Who\tmakes\nrockets? \n", "tags": [" ÉLAN ", "b", "élan", "a", "B"] },
        { "text": "A" },
    ] });
    let selection = format!("prompts {{ {PROMPT} }}");
    let made = ada.mutate("createPrompts", input, &selection).await;
    let first = &made["prompts"][0];
    assert_eq!(first["text"], "Who\tmakes\nrockets?");
    assert_eq!(first["tags"], json!(["élan", "b", "a"]));
    assert_eq!(first["isActive"], true);
    assert_eq!(first["createdBy"]["id"], json!(ada.id));
    assert_eq!(first["workspace"]["id"], json!(office.workspace));
    assert_eq!(first["createdAt"], first["updatedAt"]);
    assert_eq!(made["prompts"][1]["tags"], json!([]));
    let id = text(first, "id").parse().expect("an id");
    assert_eq!(node(&ada, id).await, *first);

    let ids: Vec<_> = [0, 1].map(|n| made["prompts"][n]["id"].clone()).into();
    let expected = json!([{
        "kind": "PROMPTS_CREATED",
        "data": { "count": 2, "promptIds": ids },
        "actor": { "id": ada.id },
        "subject": { "__typename": "Workspace", "id": office.workspace },
    }]);
    assert_eq!(json!(events(&ada, office.workspace).await), expected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_prompts_is_told_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let many: Vec<_> = (0..21).map(|n| format!("tag {n}")).collect();
    let input = json!({ "workspaceId": "nothing", "prompts": [
        { "text": " \n" },
        { "text": "字".repeat(2_000), "tags": many[..20] },
        { "text": "a".repeat(2_001), "tags": ["fine", "", "a".repeat(41), "two\nlines"] },
        { "text": "bell \u{7}", "tags": many },
        { "text": "nothing \u{0}" },
        { "text": "fine", "tags": ["a".repeat(40), "\u{1}"] },
    ] });
    let refused = ada
        .mutate_refused("INVALID_INPUT", "createPrompts", input)
        .await;
    let expected = [
        "workspaceId",
        "prompts.0.text",
        "prompts.2.text",
        "prompts.2.tags.1",
        "prompts.2.tags.2",
        "prompts.2.tags.3",
        "prompts.3.text",
        "prompts.3.tags",
        "prompts.4.text",
        "prompts.5.tags.1",
    ];
    assert_eq!(refused.violations(), expected);

    let (_, violations) = create(&ada, office.workspace, json!([]), "INVALID_INPUT").await;
    assert_eq!(violations, ["prompts"]);
    let prompts: Vec<_> = (0..101).map(|n| json!({ "text": n.to_string() })).collect();
    let prompts = json!(prompts);
    let (_, violations) = create(&ada, office.workspace, prompts, "INVALID_INPUT").await;
    assert_eq!(violations, ["prompts"]);
    // Not as many violations as there are prompts, of which there may be a hundred thousand.
    let prompts = json!(vec![json!({ "text": "" }); 5_000]);
    let (_, violations) = create(&ada, office.workspace, prompts, "INVALID_INPUT").await;
    assert_eq!(violations.len(), 101);

    let found = page(&ada, office.workspace, json!({})).await;
    assert_eq!(found["totalCount"], 0);
    assert!(events(&ada, office.workspace).await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_same_text_twice_is_a_conflict_that_says_which(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let other = office.workspace(&ada, "Other").await;
    prompts(&ada, office.workspace, &["One", "Two"]).await;

    let given = json!([
        { "text": "Three" },
        { "text": " Two\n" },
        { "text": "Four" },
        { "text": "Three" },
        { "text": "three" },
    ]);
    let (reply, violations) = create(&ada, office.workspace, given.clone(), "CONFLICT").await;
    assert_eq!(violations, ["prompts.1.text", "prompts.3.text"]);
    let messages = &reply.extensions()["violations"];
    assert_eq!(
        messages[0]["message"],
        "is the text of a prompt that the workspace has already"
    );
    assert_eq!(messages[1]["message"], "is the same as prompts.0.text");
    let found = page(&ada, office.workspace, json!({})).await;
    assert_eq!(texts(&found), ["One", "Two"]);

    // Composed differently, it is the same text; in another workspace it is none of its business.
    let accents = json!([{ "text": "Caf\u{e9}" }, { "text": "Cafe\u{301}" }]);
    let (_, violations) = create(&ada, other, accents, "CONFLICT").await;
    assert_eq!(violations, ["prompts.1.text"]);
    prompts(&ada, other, &["One", "one"]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_of_an_update_stays(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let ids = prompts(&ada, office.workspace, &["One", "Two"]).await;
    let before = node(&ada, ids[0]).await;
    let update = async |changes: Value| {
        let mut input = changes;
        input["promptId"] = json!(ids[0]);
        let selection = format!("prompt {{ {PROMPT} }}");
        ada.mutate("updatePrompt", input, &selection).await["prompt"].take()
    };

    server.clock().advance(TimeDelta::seconds(5));
    let same = json!({ "text": " One ", "tags": [], "isActive": true });
    assert_eq!(update(json!({})).await, before);
    assert_eq!(update(same).await, before);
    assert_eq!(events(&ada, office.workspace).await.len(), 1);

    let tagged = update(json!({ "tags": ["B", "a", "b"] })).await;
    assert_eq!(tagged["tags"], json!(["b", "a"]));
    assert_eq!(tagged["text"], "One");
    assert_ne!(tagged["updatedAt"], before["updatedAt"]);
    assert_eq!(tagged["createdAt"], before["createdAt"]);
    let renamed = update(json!({ "text": "ÜBER", "isActive": false })).await;
    assert_eq!(renamed["text"], "ÜBER");
    assert_eq!(renamed["isActive"], false);
    assert_eq!(renamed["tags"], tagged["tags"]);
    assert_eq!(update(json!({ "tags": [] })).await["tags"], json!([]));
    // It is found by its new text, and keeps its place.
    let found = page(&ada, office.workspace, json!({ "search": "über" })).await;
    assert_eq!(texts(&found), ["ÜBER"]);
    let found = page(&ada, office.workspace, json!({ "search": "one" })).await;
    assert_eq!(found["totalCount"], 0);
    let found = page(&ada, office.workspace, json!({})).await;
    assert_eq!(texts(&found), ["ÜBER", "Two"]);

    let of_prompt = |kind: &str, data: Value| {
        json!({
            "kind": kind,
            "data": data,
            "actor": { "id": ada.id },
            "subject": { "__typename": "Prompt", "id": ids[0] },
        })
    };
    let told = events(&ada, office.workspace).await;
    assert_eq!(told.len(), 4);
    let expected = [
        of_prompt("PROMPT_UPDATED", json!({ "tags": [] })),
        of_prompt(
            "PROMPT_UPDATED",
            json!({ "text": "ÜBER", "isActive": false }),
        ),
        of_prompt("PROMPT_UPDATED", json!({ "tags": ["b", "a"] })),
    ];
    assert_eq!(told[..3], expected);
    // The former text is free.
    prompts(&ada, office.workspace, &["One"]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_refused_as_a_new_prompt_is(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let ids = prompts(&ada, office.workspace, &["One", "Two"]).await;
    for (changes, violations) in [
        (
            json!({ "text": null, "tags": null, "isActive": null }),
            vec!["text", "tags", "isActive"],
        ),
        (
            json!({ "text": "", "tags": ["", "a"] }),
            vec!["text", "tags.0"],
        ),
        (json!({ "tags": vec!["a"; 21] }), vec!["tags"]),
        (json!({ "text": "a\u{1}" }), vec!["text"]),
    ] {
        let mut input = changes;
        input["promptId"] = json!(ids[0]);
        let refused = ada
            .mutate_refused("INVALID_INPUT", "updatePrompt", input)
            .await;
        assert_eq!(refused.violations(), violations);
    }
    let input = json!({ "promptId": ids[0], "text": "Two", "isActive": false });
    let refused = ada.mutate_refused("CONFLICT", "updatePrompt", input).await;
    assert_eq!(refused.violations(), ["text"]);
    assert_eq!(node(&ada, ids[0]).await["isActive"], true);
    assert_eq!(events(&ada, office.workspace).await.len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_prompt_is_gone(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let ids = prompts(&ada, office.workspace, &["One", "Two"]).await;
    let input = json!({ "promptId": ids[0] });
    let deleted = ada.mutate("deletePrompt", input.clone(), "deletedId").await;
    assert_eq!(deleted["deletedId"], json!(ids[0]));
    assert_eq!(node(&ada, ids[0]).await, Value::Null);
    let found = page(&ada, office.workspace, json!({})).await;
    assert_eq!(texts(&found), ["Two"]);
    ada.mutate_refused("NOT_FOUND", "deletePrompt", input.clone())
        .await;
    ada.mutate_refused("NOT_FOUND", "updatePrompt", input).await;
    let told = events(&ada, office.workspace).await;
    assert_eq!(
        told[0],
        json!({
            "kind": "PROMPT_DELETED",
            "data": { "text": "One" },
            "actor": { "id": ada.id },
            "subject": null,
        })
    );
    prompts(&ada, office.workspace, &["One"]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn prompts_are_there_for_those_who_see_their_live_workspace(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    office.workspace(&ada, "Kept").await;
    let (owner, member) = (Some(Role::Owner), Some(Role::Member));
    let bob = office.person(&server, "bob", Org::Member, member).await;
    let cy = office.person(&server, "cy", Org::Member, owner).await;
    let colleague = office.person(&server, "dee", Org::Member, None).await;
    let stranger = Person::new(&server, "eve").await;
    let ids = prompts(&bob, office.workspace, &["One"]).await;

    let input = json!({ "promptId": ids[0] });
    for outsider in [&colleague, &stranger] {
        assert_eq!(node(outsider, ids[0]).await, Value::Null);
        for mutation in ["updatePrompt", "deletePrompt"] {
            outsider
                .mutate_refused("NOT_FOUND", mutation, input.clone())
                .await;
        }
        create(
            outsider,
            office.workspace,
            json!([{ "text": "Two" }]),
            "NOT_FOUND",
        )
        .await;
    }

    let id = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", id.clone(), "__typename")
        .await;
    for (person, code) in [(&bob, "NOT_FOUND"), (&cy, "CONFLICT"), (&ada, "CONFLICT")] {
        assert_eq!(node(person, ids[0]).await, Value::Null);
        for mutation in ["updatePrompt", "deletePrompt"] {
            person.mutate_refused(code, mutation, input.clone()).await;
        }
        create(person, office.workspace, json!([{ "text": "Two" }]), code).await;
    }
    // As its other lists, this one can be read by those who may restore it.
    let found = page(&cy, office.workspace, json!({})).await;
    assert_eq!(texts(&found), ["One"]);
    ada.mutate("restoreWorkspace", id, "__typename").await;
    assert_eq!(node(&bob, ids[0]).await["text"], "One");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_made_a_prompt_is_told_to_those_who_see_them(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let member = Some(Role::Member);
    let bob = office.person(&server, "bob", Org::Member, member).await;
    let ids = prompts(&bob, office.workspace, &["One"]).await;
    assert_eq!(node(&ada, ids[0]).await["createdBy"]["id"], json!(bob.id));
    let input = json!({ "organizationId": office.organization, "userId": bob.id });
    ada.mutate("removeOrganizationMember", input, "__typename")
        .await;
    assert_eq!(node(&ada, ids[0]).await["createdBy"], Value::Null);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn searching_prompts_ignores_case_in_every_script_and_takes_signs_as_they_are(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let all = [
        "Wo ist die Straße?",
        "ПРИВЕТ мир",
        "100% pure",
        "snake_case",
        "back\\slash",
        "On two\nlines",
    ];
    prompts(&ada, office.workspace, &all).await;
    for (search, found) in [
        ("STRASSE", &all[..1]),
        ("привет", &all[1..2]),
        ("%", &all[2..3]),
        ("_", &all[3..4]),
        ("\\", &all[4..5]),
        ("0%_", &[]),
        (" LINES ", &all[5..]),
        ("", &all),
        ("'; DROP TABLE prompts; --", &[]),
    ] {
        let page = page(&ada, office.workspace, json!({ "search": search })).await;
        assert_eq!(texts(&page), found, "{search}");
        assert_eq!(page["totalCount"], found.len(), "{search}");
    }
    let query = "query($id: ID!, $search: String) { workspace(by: { id: $id }) {
        prompts(search: $search) { totalCount } } }";
    let too_long = json!({ "id": office.workspace, "search": "a".repeat(101) });
    let refused = ada.refused("INVALID_INPUT", query, too_long).await;
    assert_eq!(refused.violations(), ["search"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_list_of_prompts_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let other = office.workspace(&ada, "Other").await;
    prompts(&ada, office.workspace, &["One"]).await;
    let found = page(&ada, office.workspace, json!({})).await;
    let query = "query($id: ID!, $after: String) { workspace(by: { id: $id }) {
        prompts(after: $after) { totalCount } } }";
    let after = json!({ "id": other, "after": found["pageInfo"]["endCursor"] });
    let refused = ada.refused("INVALID_INPUT", query, after).await;
    assert_eq!(refused.violations(), ["after"]);
}

async fn limited(on: Database, limit: i32) -> TestServer {
    let plan = Plan {
        max_prompts_per_workspace: Some(limit),
        ..Plan::default()
    };
    TestServer::with(on, |config| {
        config.plans.insert("free".into(), plan);
    })
    .await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_has_no_more_prompts_than_its_plan_allows(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = limited(on, 3).await;
    let (ada, office) = office(&server).await;
    let ids = prompts(&ada, office.workspace, &["One", "Two"]).await;
    // All or none.
    let two = json!([{ "text": "Three" }, { "text": "Four" }]);
    let (refused, _) = create(&ada, office.workspace, two.clone(), "LIMIT_REACHED").await;
    assert_eq!(refused.extensions()["limitName"], "maxPromptsPerWorkspace");
    assert_eq!(refused.extensions()["limit"], 3);
    assert_eq!(
        page(&ada, office.workspace, json!({})).await["totalCount"],
        2
    );
    // Those that are not active count as well.
    let paused = json!({ "promptId": ids[0], "isActive": false });
    ada.mutate("updatePrompt", paused, "__typename").await;
    create(&ada, office.workspace, two.clone(), "LIMIT_REACHED").await;
    ada.mutate("deletePrompt", json!({ "promptId": ids[0] }), "deletedId")
        .await;
    create(&ada, office.workspace, two, "").await;
    create(
        &ada,
        office.workspace,
        json!([{ "text": "Five" }]),
        "LIMIT_REACHED",
    )
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn racing_overshoots_no_limit_and_makes_no_text_twice(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = limited(on, 10).await;
    let (ada, office) = office(&server).await;
    let same = (0..20).map(|_| {
        let given = json!([{ "text": "Same" }]);
        let input = json!({ "workspaceId": office.workspace, "prompts": given });
        ada.try_mutate("createPrompts", input, "prompts { id }")
    });
    let replies = join_all(same).await;
    let made = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(made.count(), 1);
    for reply in replies.iter().filter(|reply| !reply.code().is_empty()) {
        assert_eq!(reply.code(), "CONFLICT", "{:#}", reply.body);
    }

    let pairs = (0..20).map(|n| {
        let given = json!([{ "text": format!("{n} a") }, { "text": format!("{n} b") }]);
        let input = json!({ "workspaceId": office.workspace, "prompts": given });
        ada.try_mutate("createPrompts", input, "prompts { id }")
    });
    let replies = join_all(pairs).await;
    let made = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(made.count(), 4);
    for reply in replies.iter().filter(|reply| !reply.code().is_empty()) {
        assert_eq!(reply.code(), "LIMIT_REACHED", "{:#}", reply.body);
    }
    assert_eq!(
        page(&ada, office.workspace, json!({})).await["totalCount"],
        9
    );

    // Two that are to be called the same: one is.
    let found = page(&ada, office.workspace, json!({ "first": 9 })).await;
    let nodes = found["nodes"].as_array().expect("nodes");
    let renamed = nodes.iter().map(|node| {
        let input = json!({ "promptId": node["id"], "text": "Renamed" });
        ada.try_mutate("updatePrompt", input, "prompt { id }")
    });
    let replies = join_all(renamed).await;
    let done = replies.iter().filter(|reply| reply.code().is_empty());
    assert_eq!(done.count(), 1);
    for reply in replies.iter().filter(|reply| !reply.code().is_empty()) {
        assert_eq!(reply.code(), "CONFLICT", "{:#}", reply.body);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_prompts_take_as_many_statements_as_one(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let mut counts = Vec::new();
    for size in [1, 100] {
        let texts: Vec<_> = (0..size).map(|n| format!("{n} of {size}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let made = prompts(&ada, office.workspace, &texts);
        counts.push(server.statements(made).await.0);
    }
    assert_eq!(counts[0], counts[1]);
}
