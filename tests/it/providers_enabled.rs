//! The AI providers that a workspace's prompts are sent to.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};

use crate::support::office::{Office, Person};
use crate::support::{Database, Postgres, Sqlite, TestServer};

const WORKSPACE: &str = "query($id: ID!) { workspace(by: { id: $id }) {
    enabledProviders updatedAt } }";

const SELECTION: &str = "workspace { enabledProviders updatedAt }";

async fn workspace(office: &Office, seen_by: &Person) -> Value {
    let id = json!({ "id": office.workspace });
    seen_by.ok(WORKSPACE, id).await["workspace"].clone()
}

fn choice(office: &Office, providers: Value) -> Value {
    json!({ "workspaceId": office.workspace, "providers": providers })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_providers_are_enabled_until_some_are_chosen(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let all = json!([
        "OPENAI",
        "ANTHROPIC",
        "GOOGLE",
        "PERPLEXITY",
        "MISTRAL",
        "COHERE"
    ]);
    let before = workspace(&office, &ada).await;
    assert_eq!(before["enabledProviders"], all);

    // Choosing all of them changes nothing.
    let input = choice(&office, all.clone());
    let set = ada.mutate("setEnabledProviders", input, SELECTION).await;
    assert_eq!(set["workspace"], before);
    assert_eq!(workspace(&office, &ada).await, before);
    assert_eq!(office.events(&ada).await.len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn chosen_providers_count_once_and_have_an_order(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let bob = office
        .person(
            &server,
            "bob",
            OrganizationRole::Member,
            Some(WorkspaceRole::Admin),
        )
        .await;
    let before = workspace(&office, &ada).await;
    let input = choice(&office, json!(["COHERE", "OPENAI", "COHERE", "OPENAI"]));
    let set = bob.mutate("setEnabledProviders", input, SELECTION).await;
    let chosen = json!(["OPENAI", "COHERE"]);
    assert_eq!(set["workspace"]["enabledProviders"], chosen);
    assert_ne!(set["workspace"]["updatedAt"], before["updatedAt"]);
    assert_eq!(workspace(&office, &ada).await, set["workspace"]);
    let event = office.events(&ada).await.remove(0);
    let expected = json!({ "providers": ["OPENAI", "COHERE"] });
    assert_eq!(event, ("PROVIDERS_SET".to_owned(), expected));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_same_choice_again_changes_nothing_and_has_no_event(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let input = choice(&office, json!(["GOOGLE", "MISTRAL"]));
    let set = ada.mutate("setEnabledProviders", input, SELECTION).await;
    let input = choice(&office, json!(["MISTRAL", "GOOGLE", "GOOGLE"]));
    let again = ada.mutate("setEnabledProviders", input, SELECTION).await;
    assert_eq!(again, set);
    assert_eq!(workspace(&office, &ada).await, set["workspace"]);
    let events = office.events(&ada).await;
    let set = events.iter().filter(|(kind, _)| kind == "PROVIDERS_SET");
    assert_eq!(set.count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn at_least_one_provider_is_wanted(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let before = workspace(&office, &ada).await;
    let none = json!({ "workspaceId": "nonsense", "providers": [] });
    let refused = ada
        .mutate_refused("INVALID_INPUT", "setEnabledProviders", none)
        .await;
    assert_eq!(refused.violations(), ["workspaceId", "providers"]);
    let none = choice(&office, json!([]));
    let refused = ada
        .mutate_refused("INVALID_INPUT", "setEnabledProviders", none)
        .await;
    assert_eq!(refused.violations(), ["providers"]);
    assert_eq!(workspace(&office, &ada).await, before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_who_manages_a_live_workspace_chooses(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Other").await;
    let role = Some(WorkspaceRole::Member);
    let bob = office
        .person(&server, "bob", OrganizationRole::Member, role)
        .await;
    let eve = Person::new(&server, "eve").await;
    let input = choice(&office, json!(["OPENAI"]));
    for (person, code) in [(&bob, "FORBIDDEN"), (&eve, "NOT_FOUND")] {
        person
            .mutate_refused(code, "setEnabledProviders", input.clone())
            .await;
    }
    let deleted = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", deleted, "workspace { id }")
        .await;
    ada.mutate_refused("CONFLICT", "setEnabledProviders", input)
        .await;
    let enabled = workspace(&office, &ada).await["enabledProviders"].clone();
    assert_eq!(enabled.as_array().map(Vec::len), Some(6));
}
