//! Reading runs and answers.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::OrganizationRole as Org;
use tenantry::access::WorkspaceRole as Role;
use tenantry::db::types::JsonList;
use tenantry::models::answer::Answer;
use tenantry::models::provider::Provider::{Anthropic, Cohere, Openai};
use tenantry::models::run::{Run, RunStatus, RunTrigger};

use crate::support::collecting::prompts;
use crate::support::office::{Office, Person};
use crate::support::{Client, Database, Postgres, Sqlite, TestServer, at, text};

async fn office(server: &TestServer) -> (Person, Office) {
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    (ada, office)
}

/// A page of the list `field` of an object, given by type and id, with `selection` for its nodes.
async fn page(person: &Client, of: (&str, Value), field: &str, selection: &str) -> Value {
    let (kind, id) = of;
    let query = format!(
        "query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {field} {{
            totalCount pageInfo {{ hasNextPage hasPreviousPage endCursor }} nodes {{ {selection} }}
        }} }} }} }}"
    );
    let mut found = person.ok(&query, json!({ "id": id })).await;
    let name = field.split('(').next().expect("a name");
    found["node"][name].take()
}

fn ids(page: &Value) -> Vec<String> {
    let nodes = page["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| text(node, "id")).collect()
}

fn run_ids<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Vec<String> {
    runs.into_iter().map(|run| run.id.to_string()).collect()
}

fn answer_ids<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Vec<String> {
    answers.into_iter().map(|it| it.id.to_string()).collect()
}

async fn node(person: &Client, id: String) -> Value {
    let query = "query($id: ID!) { node(id: $id) { __typename id } }";
    person.ok(query, json!({ "id": id })).await["node"].take()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_newest_first_and_by_status(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let other = office.workspace(&ada, "Other").await;
    let of = || ("Workspace", json!(office.workspace));
    let empty = page(&ada, of(), "runs", "id").await;
    assert_eq!(empty["totalCount"], 0);

    let statuses = [
        RunStatus::Failed,
        RunStatus::Succeeded,
        RunStatus::Failed,
        RunStatus::Partial,
        RunStatus::Cancelled,
        RunStatus::Queued,
    ];
    let runs = statuses.map(|status| server.a_run(office.workspace, status));
    server.insert_runs(&runs).await;
    server
        .insert_runs(&[server.a_run(other, RunStatus::Running)])
        .await;

    let newest = page(&ada, of(), "runs(first: 4)", "id status").await;
    assert_eq!(ids(&newest), run_ids(runs.iter().rev().take(4)));
    assert_eq!(newest["totalCount"], 6);
    assert_eq!(newest["nodes"][0]["status"], "QUEUED");
    assert_eq!(newest["pageInfo"]["hasNextPage"], true);
    let after = newest["pageInfo"]["endCursor"].to_string();
    let rest = page(&ada, of(), &format!("runs(first: 4, after: {after})"), "id").await;
    assert_eq!(ids(&rest), run_ids([&runs[1], &runs[0]]));
    assert_eq!(rest["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    let oldest = page(&ada, of(), "runs(last: 2)", "id").await;
    assert_eq!(ids(&oldest), run_ids([&runs[1], &runs[0]]));

    let failed = page(&ada, of(), "runs(status: FAILED)", "id").await;
    assert_eq!(ids(&failed), run_ids([&runs[2], &runs[0]]));
    assert_eq!(failed["totalCount"], 2);
    let any = page(&ada, of(), "runs(status: null)", "id").await;
    assert_eq!(any["totalCount"], 6);
    let none = page(&ada, of(), "runs(status: RUNNING)", "id").await;
    assert_eq!(none["totalCount"], 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_what_became_of_it(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let waiting = server.a_run(office.workspace, RunStatus::Queued);
    let failed = Run {
        trigger: RunTrigger::ScheduleSet,
        error: Some("No provider answered.".into()),
        total: 6,
        failed: 6,
        ..server.a_run(office.workspace, RunStatus::Failed)
    };
    server.insert_runs(&[waiting.clone(), failed.clone()]).await;
    let selection = "id trigger status error total completed failed queuedAt startedAt finishedAt
        workspace { id }";
    let found = page(
        &ada,
        ("Workspace", json!(office.workspace)),
        "runs",
        selection,
    )
    .await;
    let now = failed.queued_at.to_string();
    let expected = json!({
        "id": failed.id, "trigger": "SCHEDULE_SET", "status": "FAILED",
        "error": "No provider answered.", "total": 6, "completed": 0, "failed": 6,
        "queuedAt": now, "startedAt": now, "finishedAt": now,
        "workspace": { "id": office.workspace },
    });
    assert_eq!(found["nodes"][0], expected);
    let expected = json!({
        "id": waiting.id, "trigger": "MANUAL", "status": "QUEUED",
        "error": null, "total": 2, "completed": 0, "failed": 0,
        "queuedAt": waiting.queued_at.to_string(), "startedAt": null, "finishedAt": null,
        "workspace": { "id": office.workspace },
    });
    assert_eq!(found["nodes"][1], expected);
    let id = failed.id.to_string();
    let found = node(&ada, id.clone()).await;
    assert_eq!(found, json!({ "__typename": "Run", "id": id }));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_listed_by_run_and_by_prompt(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let asked = prompts(&ada, office.workspace, &["One", "Two"]).await;
    let runs = [(); 2].map(|()| server.a_run(office.workspace, RunStatus::Succeeded));
    server.insert_runs(&runs).await;
    let mut answers = Vec::new();
    for run in &runs {
        for prompt in &asked {
            for provider in [Openai, Cohere] {
                answers.push(server.answer(run, *prompt, provider));
            }
        }
    }
    server.insert_answers(&answers).await;

    let of_run = || ("Run", json!(runs[1].id));
    let found = page(
        &ada,
        of_run(),
        "answers",
        "id run { id } prompt { id text }",
    )
    .await;
    assert_eq!(ids(&found), answer_ids(answers[4..].iter().rev()));
    assert_eq!(found["totalCount"], 4);
    assert_eq!(found["nodes"][0]["run"]["id"], json!(runs[1].id));
    let two = json!({ "id": asked[1], "text": "Two" });
    assert_eq!(found["nodes"][0]["prompt"], two);
    let found = page(&ada, of_run(), "answers(provider: COHERE)", "id provider").await;
    assert_eq!(ids(&found), answer_ids([&answers[7], &answers[5]]));
    assert_eq!(found["totalCount"], 2);
    assert_eq!(found["nodes"][0]["provider"], "COHERE");

    let of_prompt = || ("Prompt", json!(asked[0]));
    let found = page(&ada, of_prompt(), "answers(first: 3)", "id").await;
    let expected = [&answers[5], &answers[4], &answers[1]];
    assert_eq!(ids(&found), answer_ids(expected));
    assert_eq!(found["totalCount"], 4);
    let after = found["pageInfo"]["endCursor"].to_string();
    let rest = format!("answers(first: 3, after: {after})");
    let found = page(&ada, of_prompt(), &rest, "id").await;
    assert_eq!(ids(&found), answer_ids([&answers[0]]));
    let found = page(
        &ada,
        of_prompt(),
        "answers(provider: OPENAI, last: 1)",
        "id",
    )
    .await;
    assert_eq!(ids(&found), answer_ids([&answers[0]]));
    assert_eq!(found["totalCount"], 2);
    assert_eq!(found["pageInfo"]["hasPreviousPage"], true);
    let found = page(&ada, of_prompt(), "answers(provider: MISTRAL)", "id").await;
    assert_eq!(found["totalCount"], 0);

    // A cursor belongs to one list.
    let query = "query($id: ID!, $after: String) { node(id: $id) { ... on Run {
        answers(after: $after) { totalCount } } } }";
    let cursor = json!({ "id": runs[0].id, "after": after.trim_matches('"') });
    let refused = ada.refused("INVALID_INPUT", query, cursor).await;
    assert_eq!(refused.violations(), ["after"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_what_was_answered_or_why_not(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office) = office(&server).await;
    let asked = prompts(&ada, office.workspace, &["One"]).await;
    let run = server.a_run(office.workspace, RunStatus::Partial);
    server.insert_runs(std::slice::from_ref(&run)).await;
    let cited = ["https://example.com/a?b=c", "http://xn--bcher-kva.example/"];
    let citations = cited.map(|url| url.parse().expect("a URL")).into();
    let good = Answer {
        citations: JsonList(citations),
        mentions_domain: true,
        ..server.answer(&run, asked[0], Openai)
    };
    let failed = Answer {
        text: None,
        error: Some("It was too busy.".into()),
        ..server.answer(&run, asked[0], Anthropic)
    };
    server.insert_answers(&[good.clone(), failed.clone()]).await;
    let selection = "id promptText provider model text error citations mentionsDomain latencyMs
        createdAt prompt { text }";
    let found = page(&ada, ("Run", json!(run.id)), "answers", selection).await;
    let expected = json!({
        "id": good.id, "promptText": "As it was", "provider": "OPENAI", "model": "model-1",
        "text": "An answer", "error": null, "citations": cited, "mentionsDomain": true,
        "latencyMs": 7, "createdAt": good.created_at.to_string(), "prompt": { "text": "One" },
    });
    assert_eq!(found["nodes"][1], expected);
    let expected = json!({
        "id": failed.id, "promptText": "As it was", "provider": "ANTHROPIC", "model": "model-1",
        "text": null, "error": "It was too busy.", "citations": [], "mentionsDomain": false,
        "latencyMs": 7, "createdAt": failed.created_at.to_string(), "prompt": { "text": "One" },
    });
    assert_eq!(found["nodes"][0], expected);
    let id = good.id.to_string();
    let by_id = node(&ada, id.clone()).await;
    assert_eq!(by_id, json!({ "__typename": "Answer", "id": id }));

    // Without its prompt, an answer still says what was asked.
    let input = json!({ "promptId": asked[0] });
    ada.mutate("deletePrompt", input, "deletedId").await;
    let found = page(&ada, ("Run", json!(run.id)), "answers", selection).await;
    assert_eq!(found["totalCount"], 2);
    for answer in found["nodes"].as_array().expect("answers") {
        assert_eq!(answer["prompt"], Value::Null);
        assert_eq!(answer["promptText"], "As it was");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn runs_and_answers_are_there_for_those_who_see_their_live_workspace(
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
    let asked = prompts(&ada, office.workspace, &["One"]).await;
    let run = server.a_run(office.workspace, RunStatus::Succeeded);
    let answer = server.answer(&run, asked[0], Openai);
    server.insert_runs(std::slice::from_ref(&run)).await;
    server.insert_answers(std::slice::from_ref(&answer)).await;
    let ids = [run.id.to_string(), answer.id.to_string()];

    for id in &ids {
        assert_ne!(node(&bob, id.clone()).await, Value::Null);
        for outsider in [&colleague, &stranger] {
            assert_eq!(node(outsider, id.clone()).await, Value::Null);
        }
    }

    let workspace = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", workspace.clone(), "__typename")
        .await;
    for id in &ids {
        for person in [&ada, &bob, &cy] {
            assert_eq!(node(person, id.clone()).await, Value::Null);
        }
    }
    // Like its other lists, these can be read by those who may restore the workspace.
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        prompts { nodes { answers { totalCount nodes { id run { id } } } } }
        runs { totalCount nodes { id workspace { id }
            answers { totalCount nodes { id prompt { id text } run { id } } } } } } }";
    let id = json!({ "id": office.workspace });
    for person in [&ada, &cy] {
        let found = person.ok(query, id.clone()).await;
        let runs = at(&found, "workspace.runs.nodes");
        let in_run = json!({
            "id": answer.id,
            "prompt": { "id": asked[0], "text": "One" },
            "run": { "id": run.id },
        });
        assert_eq!(runs[0]["answers"]["nodes"], json!([in_run]));
        assert_eq!(runs[0]["workspace"]["id"], json!(office.workspace));
        let of_prompt = at(&found, "workspace.prompts.nodes.0.answers.nodes");
        assert_eq!(
            *of_prompt,
            json!([{ "id": answer.id, "run": { "id": run.id } }])
        );
    }
    let found = bob.ok(query, id).await;
    assert_eq!(found["workspace"], Value::Null);
    ada.mutate("restoreWorkspace", workspace, "__typename")
        .await;
    for id in &ids {
        assert_ne!(node(&bob, id.clone()).await, Value::Null);
    }
}
