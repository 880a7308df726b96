//! People with something to lose, and a fingerprint of what they have.

use data_encoding::HEXLOWER;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use fastrand::Rng;
use serde_json::json;
use sha2::{Digest, Sha256};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::models::provider::Provider;
use tenantry::models::run::RunStatus;
use tenantry::run;

use super::pool::Pool;
use crate::support::collecting::prompts;
use crate::support::office::{Office, Person};
use crate::support::{Client, Database, TestServer, icons, text};

/// A server with rate limits out of the way as far as possible.
pub async fn server(on: Database) -> TestServer {
    TestServer::with(on, |config| {
        let limits = &mut config.limits;
        limits.organizations_per_hour = 1_000_000;
        limits.joins_per_15_minutes = 1_000_000;
        limits.invitations_per_hour = 1_000_000;
        limits.uploads_per_hour = 1_000_000;
        limits.runs_per_minute = 1_000_000;
        limits.protect_last_workspace = false;
    })
    .await
}

/// The credentials of people who share an organization, and of a stranger.
pub struct World {
    /// The tokens that they send; the likelier ones several times.
    tokens: Vec<Option<String>>,
}

impl World {
    /// Creates generation `number` of these people, and puts what they have into the pool.
    pub async fn new(server: &TestServer, number: usize, pool: &mut Pool) -> Self {
        let name = |role: &str| format!("{role}{number}");
        let owner = Person::new(server, &name("owner")).await;
        let office = Office::of(&owner).await;
        let admin = office
            .person(server, &name("admin"), OrganizationRole::Admin, None)
            .await;
        let role = Some(WorkspaceRole::Member);
        let member = office
            .person(server, &name("member"), OrganizationRole::Member, role)
            .await;
        let stranger = Person::new(server, &name("stranger")).await;
        Office::of(&stranger).await;
        fill(server, &office, &owner).await;
        office
            .invite(&owner, &stranger.email, Some(office.workspace))
            .await;
        office
            .invite(&owner, &format!("nobody{number}@example.com"), None)
            .await;

        let made = owner
            .mutate("createApiToken", json!({ "name": "CI" }), "secret")
            .await;
        let secret = text(&made, "secret");
        for person in [&owner, &admin, &member, &stranger] {
            pool.keep(&look_around(person).await, "");
        }
        let token = |person: &Person| Some(server.token(&person.email));
        let mut tokens = vec![token(&owner); 14];
        tokens.extend([
            token(&admin),
            token(&admin),
            token(&member),
            token(&stranger),
        ]);
        tokens.extend([Some(secret), None]);
        Self { tokens }
    }

    /// A random person's token; `None` to send no credentials.
    pub fn token(&self, rng: &mut Rng) -> Option<&str> {
        rng.choice(&self.tokens)?.as_deref()
    }
}

/// Adds prompts, answers, a deleted workspace and an icon.
async fn fill(server: &TestServer, office: &Office, owner: &Person) {
    let id = office.workspace;
    let asked = prompts(owner, id, &["Who is best?", "And why?", "Since when?"]).await;
    let runs = [RunStatus::Succeeded, RunStatus::Partial].map(|status| server.a_run(id, status));
    server.insert_runs(&runs).await;
    let answers: Vec<_> = runs
        .iter()
        .flat_map(|run| asked.iter().map(move |prompt| (run, *prompt)))
        .map(|(run, prompt)| server.answer(run, prompt, Provider::Openai))
        .collect();
    server.insert_answers(&answers).await;
    let input = json!({ "workspaceId": id, "cron": "0 0 * * *" });
    owner.mutate("setSchedule", input, "__typename").await;
    let icon = icons::uploaded(server, owner, icons::png()).await;
    let input = json!({ "workspaceId": id, "iconStorageId": icon, "domain": "example.com" });
    owner.mutate("updateWorkspace", input, "__typename").await;
    icons::offer(owner).await;
    office.workspace(owner, "Second").await;
    let gone = office.workspace(owner, "Gone").await;
    let input = json!({ "workspaceId": gone });
    owner.mutate("deleteWorkspace", input, "__typename").await;
}

/// Everything that a person can see, or as much of it as matters.
async fn look_around(person: &Client) -> serde_json::Value {
    const PAGE: &str = "pageInfo { startCursor endCursor } nodes { id }";
    let query = format!(
        "{{ viewer {{ id email }} apiTokens {{ id }} navigationState {{ invitations {{ id }} }}
            organizations(first: 3) {{ pageInfo {{ startCursor endCursor }} nodes {{ id slug
                members(first: 2) {{ {PAGE} edges {{ node {{ user {{ id email }} }} }} }}
                workspaces(first: 1) {{ {PAGE} }} invitations(first: 1) {{ {PAGE} }}
                events(first: 2) {{ {PAGE} }} }} }}
            workspaces(first: 3, status: null) {{ pageInfo {{ startCursor endCursor }} nodes {{
                id slug joinInfo {{ inviteCode }} members(first: 2) {{ {PAGE} }}
                invitations(first: 1) {{ {PAGE} }} prompts(first: 2) {{ {PAGE} }}
                runs(first: 2) {{ {PAGE} edges {{ node {{ answers(first: 2) {{ {PAGE} }} }} }} }}
                events(first: 2) {{ {PAGE} }} }} }} }}"
    );
    // Some of it is for owners only, so there are errors as well.
    person.send(&query, json!({})).await.body["data"].take()
}

/// Changes whenever anything does, except for counts of refusals.
pub async fn fingerprint(server: &TestServer) -> String {
    const COUNTED: [&str; 25] = [
        "users",
        "organizations",
        "organization_slugs",
        "organization_members",
        "workspaces",
        "workspace_slugs",
        "workspace_members",
        "events",
        "invitations",
        "join_codes",
        "removals",
        "api_tokens",
        "deleted_identities",
        "mails",
        "prompts",
        "schedules",
        "runs",
        "run_prompts",
        "answers",
        "files",
        "organization_members where role = 'OWNER'",
        "workspace_members where role = 'OWNER'",
        "invitations where status = 'PENDING'",
        "runs where status = 'CANCELLED'",
        "workspaces where deleted_at is null",
    ];
    const SUMMED: [(&str, &str); 6] = [
        ("length(name)", "organizations"),
        (
            "length(name) + length(slug) + length(settings)",
            "workspaces",
        ),
        (
            "length(coalesce(description, '')) + length(onboarding)",
            "workspaces",
        ),
        ("length(text) + length(tags)", "prompts"),
        ("uses", "join_codes"),
        ("length(cron)", "schedules"),
    ];
    let counts = COUNTED.map(|of| format!("(select count(*) from {of})"));
    let sums = SUMMED.map(|(what, of)| format!("(select coalesce(sum({what}), 0) from {of})"));
    let counts = counts.iter().chain(&sums);
    let texts: Vec<_> = counts
        .map(|count| format!("cast({count} as text)"))
        .collect();
    let query = format!("select {} as counted", texts.join(" || ',' || "));
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let query = diesel::sql_query(query);
    let counted: QueryResult<Counted> = run!(conn, query.get_result(conn).await);
    counted.expect("the tables can be counted").counted
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    counted: String,
}

/// The hash by which a document can be requested.
pub fn hash(document: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(document))
}
