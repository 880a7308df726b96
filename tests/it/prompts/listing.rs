//! Listing prompts: order, search and cursors.

use rstest::rstest;
use serde_json::json;
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;

use super::{office, page, texts};
use crate::support::collecting::prompts;
use crate::support::{Database, Postgres, Sqlite, TestServer};

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
