//! The number of statements of a request does not grow with the number of rows that it returns.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::id::WorkspaceId;
use tenantry::models::provider::Provider;
use tenantry::models::run::RunStatus;

use crate::support::collecting::prompts;
use crate::support::office::{Office, Person};
use crate::support::{Client, Database, Postgres, Sqlite, TestServer, at, text};

/// Organizations with one workspace each, created by several people in turn who all belong to them.
struct World {
    server: TestServer,
    people: Vec<Client>,
    organizations: Vec<String>,
    workspaces: Vec<String>,
}

impl World {
    async fn new(on: Database) -> Self {
        let server = TestServer::with(on, |config| {
            config.limits.organizations_per_hour = 1_000;
        })
        .await;
        let people = ["ada", "bob", "cy", "dee"]
            .map(|name| server.user(&format!("{name}@example.com")))
            .into();
        Self {
            server,
            people,
            organizations: Vec::new(),
            workspaces: Vec::new(),
        }
    }

    fn ada(&self) -> &Client {
        &self.people[0]
    }

    async fn grow_to(&mut self, size: usize) {
        for n in self.organizations.len()..size {
            let maker = n % self.people.len();
            let input = json!({ "name": format!("Rocket {n}"), "organization": { "create": {} } });
            let selection = "workspace { id } organization { id }";
            let made = self.people[maker]
                .mutate("createWorkspace", input, selection)
                .await;
            let (organization, workspace) =
                (text(&made, "organization.id"), text(&made, "workspace.id"));
            for (other, person) in self.people.iter().enumerate() {
                if other != maker {
                    let role = OrganizationRole::Owner;
                    self.server
                        .join_organization(&organization, person, role)
                        .await;
                    let role = WorkspaceRole::Member;
                    self.server
                        .join_workspace(&organization, &workspace, person, role)
                        .await;
                }
            }
            self.organizations.push(organization);
            self.workspaces.push(workspace);
        }
    }
}

/// Asserts that 100 rows take as many statements as one. Each count is taken several times, since
/// batching must not depend on luck either.
async fn same_for_a_hundred(
    on: Database,
    query: &str,
    rows: &str,
    variables: impl Fn(&World) -> Value,
) {
    let mut world = World::new(on).await;
    let mut counts = Vec::new();
    for size in [1, 100] {
        world.grow_to(size).await;
        for _ in 0..5 {
            let request = world.ada().ok(query, variables(&world));
            let (count, found) = world.server.statements(request).await;
            let found = at(&found, rows).as_array().map(Vec::len);
            assert_eq!(found, Some(size), "rows at {rows}");
            counts.push(count);
        }
    }
    assert!(
        counts.iter().all(|count| *count == counts[0]),
        "statements for one row, five times, and for a hundred: {counts:?}"
    );
}

fn nothing(_: &World) -> Value {
    json!({})
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_the_navigation_state(#[values(Sqlite, Postgres)] on: Database) {
    let query = "{ navigationState {
        viewer { id name }
        currentOrganization { id name viewerAccess { role } }
        currentWorkspace { id name organization { id } }
        organizations { id name slug }
        hasMoreOrganizations
        workspaces { id name slug viewerRole organization { id name } createdBy { name } }
        hasMoreWorkspaces
    } }";
    same_for_a_hundred(on, query, "navigationState.workspaces", nothing).await;
}

/// One more statement each time the holders of the name grow sixteenfold, and one to find where they
/// end.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_a_name_that_many_have(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Apollo").await;
    let (few, _) = server.statements(office.workspace(&ada, "Apollo")).await;
    for _ in 2..60 {
        office.workspace(&ada, "Apollo").await;
    }
    let (many, _) = server.statements(office.workspace(&ada, "Apollo")).await;
    assert!(many <= few + 3, "{few}, then {many}");
}

/// Lists of this length are resolved in several steps.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_long_lists_in_one_another(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    office.workspace(&ada, "Apollo").await;
    let query = "{ workspaces(first: 40) { nodes { organization {
        workspaces(first: 40) { nodes { createdBy { id } } } } } } }";
    let (few, _) = server.statements(ada.ok(query, json!({}))).await;
    for n in 1..40 {
        office.workspace(&ada, &format!("Rocket {n}")).await;
    }
    let (many, found) = server.statements(ada.ok(query, json!({}))).await;
    let last = "workspaces.nodes.39.organization.workspaces.nodes.39.createdBy.id";
    assert!(at(&found, last).is_string(), "{found:#}");
    assert_eq!(few, many);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_workspaces_and_what_is_in_them(#[values(Sqlite, Postgres)] on: Database) {
    let query = "{ workspaces(first: 100) {
        totalCount
        pageInfo { hasNextPage hasPreviousPage }
        nodes {
            organization { name }
            viewerRole
            createdBy { name }
            limits { members { used } prompts { used } }
            domainVisibility { rate byProvider { rate } }
            cut: domainVisibility(since: \"2026-01-01T01:00:00Z\") { rate byDay { day } }
            members(first: 3) { totalCount nodes { user { name } workspace { name } } }
            events(first: 3) { nodes { kind actor { name } subject { id } } }
        }
    } }";
    same_for_a_hundred(on, query, "workspaces.nodes", nothing).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_organizations_and_what_is_in_them(#[values(Sqlite, Postgres)] on: Database) {
    let query = "{ organizations(first: 100) { nodes {
        viewerAccess { role }
        members(first: 3) { totalCount nodes { user { name } organization { name } } }
        workspaces(first: 3) { totalCount nodes { name members(first: 2) { nodes { role } } } }
        events(first: 3) {
            totalCount
            nodes { kind organization { name } workspace { name } actor { name } subject { id } }
        }
    } } }";
    same_for_a_hundred(on, query, "organizations.nodes", nothing).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_nodes(#[values(Sqlite, Postgres)] on: Database) {
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) {
        id
        ... on Workspace { name organization { name } members(first: 2) { nodes { role } } }
    } }";
    let ids = |world: &World| json!({ "ids": world.workspaces });
    same_for_a_hundred(on, query, "nodes", ids).await;
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) {
        id
        ... on Organization { name workspaces(first: 2) { nodes { name createdBy { name } } } }
    } }";
    let ids = |world: &World| json!({ "ids": world.organizations });
    same_for_a_hundred(on, query, "nodes", ids).await;
}

/// Adds `size` prompts and `size` runs to the workspace. In each of the first three runs, two providers
/// answer each prompt.
async fn collect(server: &TestServer, ada: &Client, workspace: WorkspaceId, size: usize) {
    let texts: Vec<_> = (0..size).map(|n| format!("Question {n}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let asked = prompts(ada, workspace, &texts).await;
    let runs: Vec<_> = asked
        .iter()
        .map(|_| server.a_run(workspace, RunStatus::Succeeded))
        .collect();
    server.insert_runs(&runs).await;
    let answers: Vec<_> = runs
        .iter()
        .take(3)
        .flat_map(|run| asked.iter().map(move |prompt| (run, *prompt)))
        .flat_map(|(run, prompt)| {
            [Provider::Openai, Provider::Cohere]
                .map(|provider| server.answer(run, prompt, provider))
        })
        .collect();
    server.insert_answers(&answers).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_prompts_and_runs_and_their_answers(#[values(Sqlite, Postgres)] on: Database) {
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        prompts(first: 100) {
            totalCount
            nodes {
                createdBy { name }
                workspace { name }
                answers(first: 5) { totalCount nodes { prompt { text } run { status } } }
                cohere: answers(first: 2, provider: COHERE) { totalCount nodes { model } }
            }
        }
        runs(first: 100) {
            totalCount
            nodes {
                workspace { name }
                answers(first: 5) { totalCount nodes { prompt { text } run { status } } }
            }
        }
        succeeded: runs(first: 100, status: SUCCEEDED) { totalCount nodes { status } }
    } }";
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let many = office.workspace(&ada, "Many").await;
    let mut counts = Vec::new();
    for (workspace, size) in [(office.workspace, 1), (many, 100)] {
        collect(&server, &ada, workspace, size).await;
        for _ in 0..5 {
            let request = ada.ok(query, json!({ "id": workspace }));
            let (count, found) = server.statements(request).await;
            let found = &found["workspace"];
            for list in ["prompts", "runs", "succeeded"] {
                assert_eq!(found[list]["nodes"].as_array().map(Vec::len), Some(size));
                assert_eq!(found[list]["totalCount"], size);
            }
            counts.push(count);
        }
    }
    assert!(
        counts.iter().all(|count| *count == counts[0]),
        "statements for one row, five times, and for a hundred: {counts:?}"
    );
}
