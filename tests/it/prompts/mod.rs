//! Prompts: creating, changing, deleting and listing them, and how many there may be.

mod changing;
mod limiting;
mod listing;

use serde_json::{Value, json};
use tenantry::id::{PromptId, WorkspaceId};

use crate::support::office::{Office, Person};
use crate::support::{Client, Reply, TestServer, text};

const PROMPT: &str = "id text tags isActive createdBy { id } createdAt updatedAt workspace { id }";

async fn office(server: &TestServer) -> (Person, Office) {
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    (ada, office)
}

/// A page of the workspace's prompts.
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

/// The workspace's events about prompts, newest first.
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
