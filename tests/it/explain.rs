//! Pages are served from indexes in their order: no table is scanned and no rows are sorted, however
//! many there are. Checked against the plans of the statements that the server sends.

use rstest::rstest;
use serde_json::{Value, json};
use tenantry::config::Config;
use tenantry::id::{PromptId, RunId, WorkspaceId};
use tenantry::models::run::{self, HolderId, work};
use tenantry::models::{file, schedule};

use crate::support::office::{Office, Person};
use crate::support::plans::{Plan, numbered};
use crate::support::{Database, Postgres, Sqlite, TestServer, text};

/// 200 workspaces of one organization, with 20,000 prompts, 20,000 runs and 200,000 answers, interleaved
/// as they would be collected.
struct World {
    server: TestServer,
    ada: Person,
    workspace: WorkspaceId,
    prompt: PromptId,
    run: RunId,
}

impl World {
    async fn new(on: Database) -> Self {
        // Inserting that much at once takes time on a busy machine.
        let patient = |config: &mut Config| config.database.statement_timeout_seconds = 600;
        let server = TestServer::with(on, patient).await;
        let ada = Person::new(&server, "ada").await;
        let organization = Office::of(&ada).await.organization.uuid();
        let columns = format!(
            "{{id:n}}, {{uuid:{organization}}}, 'W', 'w', 'w', 'w', 'PRIVATE', '{{}}', '{{}}',
                {{now}}, {{now}}"
        );
        server
            .insert_series(
                200,
                "workspaces (id, organization_id, name, name_key, search_key, slug, visibility,
                    settings, onboarding, created_at, updated_at)",
                &columns,
            )
            .await;
        server
            .insert_series(
                20_000,
                "prompts (id, workspace_id, text, text_hash, search_key, tags, is_active,
                    created_at, updated_at)",
                "{id:n}, {id:n % 200}, 'Question ' || n, 'hash ' || n, 'question ' || n, '[]',
                    {true}, {now}, {now}",
            )
            .await;
        server
            .insert_series(
                20_000,
                "runs (id, workspace_id, trigger, status, providers, total, completed, failed,
                    queued_at, finished_at)",
                "{id:n}, {id:n % 200}, 'MANUAL',
                    CASE n / 200 % 2 WHEN 0 THEN 'FAILED' ELSE 'SUCCEEDED' END,
                    '[]', 10, 10, 0, {now}, {now}",
            )
            .await;
        // Ten answers to each prompt, each in a different run of its workspace, from two providers.
        server
            .insert_series(
                200_000,
                "answers (id, workspace_id, run_id, prompt_id, prompt_text, provider, model, text,
                    citations, mentions_domain, latency_ms, created_at)",
                "{id:n}, {id:n % 200},
                    {id:(n / 20000 * 10 + n % 20000 / 200 % 10) * 200 + n % 200}, {id:n % 20000},
                    'Question',
                    CASE (n / 20000 + n % 20000 / 2000) % 2 WHEN 0 THEN 'OPENAI' ELSE 'COHERE' END,
                    'model-1', 'An answer', '[]', {true}, 7, {now}",
            )
            .await;
        server.analyze().await;
        Self {
            server,
            ada,
            workspace: WorkspaceId::from_uuid(numbered(0)),
            // The prompt and the run are both in that workspace.
            prompt: PromptId::from_uuid(numbered(200)),
            run: RunId::from_uuid(numbered(200)),
        }
    }

    /// The plans of the query's reads of pages of `table`, and its data.
    async fn pages(&self, query: &str, variables: Value, table: &str) -> (Vec<Plan>, Value) {
        let request = self.ada.ok(query, variables);
        let (plans, found) = self.server.plans(request).await;
        let pages = plans.into_iter().filter(|plan| plan.is_page_of(table));
        let pages: Vec<_> = pages.collect();
        assert!(!pages.is_empty(), "{query} reads pages of {table}");
        (pages, found)
    }

    /// Reads the list of an object from both ends, with and without cursors, and asserts that every page
    /// is served from the index.
    async fn assert_list(&self, id: String, list: &str, arguments: &str, index: &str) {
        // The list has the name of its table.
        let (of, field) = list.split_once('.').expect("a type and its field");
        let query = |page: &str| {
            format!(
                "query($id: ID!) {{ node(id: $id) {{ ... on {of} {{
                    {field}({arguments} {page}) {{
                        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
                        nodes {{ id }} }} }} }} }}"
            )
        };
        let id = json!({ "id": id });
        let (mut pages, found) = self.pages(&query("first: 3"), id.clone(), field).await;
        let info = &found["node"][field]["pageInfo"];
        assert_eq!(info["hasNextPage"], true);
        let end = text(info, "endCursor");
        for page in [
            format!("first: 3, after: \"{end}\""),
            format!("last: 3, before: \"{end}\""),
            format!("last: 3, after: \"{end}\""),
        ] {
            let (more, found) = self.pages(&query(&page), id.clone(), field).await;
            let nodes = found["node"][field]["nodes"].as_array().map(Vec::len);
            assert!(nodes.is_some_and(|nodes| nodes > 1), "{list}: {page}");
            pages.extend(more);
        }
        for page in pages {
            page.assert_served_from(field, index);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_what_was_collected_are_served_from_their_indexes(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let world = World::new(on).await;
    let (workspace, run, prompt) = (
        world.workspace.to_string(),
        world.run.to_string(),
        world.prompt.to_string(),
    );
    for (id, list, arguments, index) in [
        (&workspace, "Workspace.prompts", "", "prompts_of_workspace"),
        (&workspace, "Workspace.runs", "", "runs_of_workspace"),
        (
            &workspace,
            "Workspace.runs",
            "status: FAILED",
            "runs_of_workspace_by_status",
        ),
        (&run, "Run.answers", "", "answers_of_run"),
        (
            &run,
            "Run.answers",
            "provider: COHERE",
            "answers_of_run_by_provider",
        ),
        (&prompt, "Prompt.answers", "", "answers_of_prompt"),
        (
            &prompt,
            "Prompt.answers",
            "provider: COHERE",
            "answers_of_prompt_by_provider",
        ),
    ] {
        world.assert_list(id.clone(), list, arguments, index).await;
    }

    // Many pages in one query, each served from the index.
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        prompts(first: 100) { nodes { answers(first: 5) { nodes { id } } } }
        runs(first: 100) { nodes { answers(first: 5) { nodes { id } } } } } }";
    let id = json!({ "id": world.workspace });
    let (pages, found) = world.pages(query, id, "answers").await;
    for list in ["prompts", "runs"] {
        let nodes = found["workspace"][list]["nodes"].as_array();
        let nodes = nodes.expect("a list");
        assert_eq!(nodes.len(), 100);
        for node in nodes {
            assert_eq!(node["answers"]["nodes"].as_array().map(Vec::len), Some(5));
        }
    }
    assert_eq!(pages.len(), 2);
    for page in pages {
        let index = if page.sql.contains("\"answers\".\"run_id\" = ") {
            "answers_of_run"
        } else {
            "answers_of_prompt"
        };
        page.assert_served_from("answers", index);
    }

    // A search scans the prompts of one workspace only.
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        prompts(search: \"question 9\") { nodes { text } } } }";
    let id = json!({ "id": world.workspace });
    let (pages, found) = world.pages(query, id, "prompts").await;
    assert_ne!(found["workspace"]["prompts"]["nodes"], json!([]));
    for page in pages {
        page.assert_bounded_by("prompts", "prompts_of_workspace");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn visibility_is_served_from_its_roll_up_and_the_days_that_are_cut_from_an_index(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let world = World::new(on).await;
    // A year of days for each of the 200 workspaces.
    let day = match on {
        Postgres => "to_char(date '2026-01-01' + (n / 200)::int, 'YYYY-MM-DD')",
        Sqlite => "date('2026-01-01', '+' || (n / 200) || ' days')",
    };
    world
        .server
        .insert_series(
            73_000,
            "visibility (workspace_id, day, provider, answers, mentions)",
            &format!("{{id:n % 200}}, {day}, 'OPENAI', 10, 3"),
        )
        .await;
    world.server.analyze().await;
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        domainVisibility(since: \"2025-12-31T12:00:00Z\", until: \"2026-12-20T12:00:00Z\") {
            answers mentions rate byProvider { provider answers } byDay { day answers } } } }";
    let id = json!({ "id": world.workspace });
    let (plans, found) = world.server.plans(world.ada.ok(query, id)).await;
    // 353 whole days of the roll-up; the answers themselves were all made on January 1.
    assert_eq!(found["workspace"]["domainVisibility"]["answers"], 3530);
    let primary_key = match on {
        Postgres => "visibility_pkey",
        Sqlite => "sqlite_autoindex_visibility_1",
    };
    let of = |table: &str| -> Vec<&Plan> { plans.iter().filter(|p| p.reads(table)).collect() };
    assert!(!of("visibility").is_empty() && !of("answers").is_empty());
    for plan in of("visibility") {
        plan.assert_bounded_by("visibility", primary_key);
    }
    for plan in of("answers") {
        plan.assert_bounded_by("answers", "answers_by_time");
    }
}

/// What the worker looks for every second is found without scanning what it does not need.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn work_is_found_by_indexes(#[values(Sqlite, Postgres)] on: Database) {
    let world = World::new(on).await;
    let server = &world.server;
    let organization = Office::of(&world.ada).await.organization.uuid();
    let columns = format!(
        "{{id:n + 1000000}}, {{uuid:{organization}}}, 'W', 'w', 'w', 'w', 'PRIVATE', '{{}}', '{{}}',
            {{now}}, {{now}}"
    );
    server
        .insert_series(
            20_000,
            "workspaces (id, organization_id, name, name_key, search_key, slug, visibility, settings,
                onboarding, created_at, updated_at)",
            &columns,
        )
        .await;
    // One in a hundred is due; the others are paused.
    server
        .insert_series(
            20_000,
            "schedules (workspace_id, cron, time_zone, next_run_at)",
            "{id:n + 1000000}, '0 6 * * *', 'UTC', CASE n % 100 WHEN 0 THEN {now} END",
        )
        .await;
    // One file in a hundred no longer belongs to a workspace.
    server
        .insert_series(
            20_000,
            "files (id, workspace_id, expires_at, kept_until, created_at)",
            "{id:n}, CASE WHEN n % 100 > 0 THEN {id:n + 1000000} END, {now}, {now}, {now}",
        )
        .await;
    server.analyze().await;
    let app = server.app();
    let now = app.now();
    let looking = async {
        let mut conn = app.db.read().await?;
        assert!(
            schedule::first_due(&mut conn)
                .await?
                .is_some_and(|due| due <= now)
        );
        assert!(!work::is_any_waiting(&mut conn, now).await?);
        assert!(
            run::first_end(&mut conn)
                .await?
                .is_some_and(|end| end <= now)
        );
        assert!(
            file::first_to_sweep(&mut conn)
                .await?
                .is_some_and(|kept| kept <= now)
        );
        drop(conn);
        let swept = app
            .db
            .transaction(async |tx| file::sweep(tx, now, 50).await);
        assert_eq!(swept.await?, 50);
        assert_eq!(schedule::run_due(app, 16).await?, 16);
        let holder = HolderId::new(now.to_utc());
        let lease = chrono::TimeDelta::seconds(30);
        let claimed = app
            .db
            .transaction(async |tx| work::claim(tx, holder, now, lease, 8).await)
            .await?;
        assert!(claimed.is_empty());
        app.db
            .transaction(async |tx| run::forget(tx, now, 500).await)
            .await
    };
    let (plans, outcome) = server.plans(looking).await;
    assert!(outcome.expect("it works").is_some());
    let indexes = [
        "schedules_due",
        "runs_to_do",
        "runs_to_forget",
        "files_to_sweep",
    ];
    let looks = |plan: &&Plan| {
        ["next_run_at", "leased_until", "finished_at", "kept_until"]
            .iter()
            .any(|at| {
                plan.sql.contains(&format!("\"{at}\" <"))
                    || plan.sql.contains(&format!("\"{at}\" IS NOT NULL"))
            })
    };
    let searches: Vec<_> = plans.iter().filter(looks).collect();
    assert!(searches.len() >= 7, "{plans:#?}");
    for plan in searches {
        // A partial index has only what is wanted, so even a full scan of it reads nothing in vain.
        let by_index = |step: &String| indexes.iter().any(|index| step.contains(index));
        assert!(plan.steps.iter().any(by_index), "{plan:#?}");
        assert!(
            !plan.steps.iter().any(|step| step.contains("Seq Scan")),
            "{plan:#?}"
        );
    }
}
