//! Creating, changing and deleting prompts, and who may.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;

use super::{PROMPT, create, events, node, office, page, texts};
use crate::support::collecting::prompts;
use crate::support::office::Person;
use crate::support::{Database, Postgres, Sqlite, TestServer, text};

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
    // The number of violations is bounded, since there may be a hundred thousand prompts.
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
        "is already the text of a prompt in the workspace"
    );
    assert_eq!(messages[1]["message"], "is the same as prompts.0.text");
    let found = page(&ada, office.workspace, json!({})).await;
    assert_eq!(texts(&found), ["One", "Two"]);

    // Different Unicode compositions are the same text; the same text in another workspace is no
    // conflict.
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
    // The former text is free again.
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
    // Like its other lists, this one can be read by those who may restore the workspace.
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
