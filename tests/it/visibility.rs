//! How often answers mention their workspace's domain.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::db::types::Instant;
use tenantry::id::{PromptId, WorkspaceId};
use tenantry::models::provider::Provider::{self, Anthropic, Cohere, Mistral, Openai};
use tenantry::models::run::RunStatus;
use tenantry::models::visibility;

use crate::support::office::{Office, Person};
use crate::support::{Database, Postgres, Sqlite, TestServer, text};

const QUERY: &str = "query($id: ID!, $since: DateTime, $until: DateTime) {
    workspace(by: { id: $id }) { domainVisibility(since: $since, until: $until) {
        answers mentions rate
        byProvider { provider answers mentions rate }
        byDay { day answers mentions rate }
    } } }";

const TOTAL: &str = "query($id: ID!, $since: DateTime, $until: DateTime) {
    workspace(by: { id: $id }) { domainVisibility(since: $since, until: $until) {
        answers mentions rate byProvider { provider answers }
    } } }";

/// The outcome of asking a provider.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Mentions,
    DoesNot,
    Fails,
}
use Outcome::{DoesNot, Fails, Mentions};

struct World {
    server: TestServer,
    ada: Person,
    office: Office,
    /// The midnight before now; now is noon.
    today: Instant,
}

impl World {
    async fn new(on: Database) -> Self {
        let server = TestServer::start(on).await;
        let now = server.app().now();
        let noon = now.to_day().plus(TimeDelta::hours(36));
        let ahead = TimeDelta::microseconds(noon.micros() - now.micros());
        server.clock().advance(ahead);
        let ada = Person::new(&server, "ada").await;
        let office = Office::of(&ada).await;
        Self {
            today: noon.to_day(),
            server,
            ada,
            office,
        }
    }

    /// That many hours after midnight.
    fn at(&self, hours: i64) -> Instant {
        self.today.plus(TimeDelta::hours(hours))
    }

    fn day(&self, days: i64) -> String {
        let day = self.at(24 * days).to_utc().date_naive();
        day.to_string()
    }

    /// Stores answers the way a run does, including their counts.
    async fn collect(&self, workspace: WorkspaceId, answers: &[(Instant, Provider, Outcome)]) {
        let run = self.server.a_run(workspace, RunStatus::Succeeded);
        self.server.insert_runs(std::slice::from_ref(&run)).await;
        let mut rows = Vec::new();
        for (at, provider, outcome) in answers {
            let prompt = PromptId::new(at.to_utc());
            let mut answer = self.server.answer(&run, prompt, *provider);
            answer.created_at = *at;
            answer.mentions_domain = *outcome == Mentions;
            if *outcome == Fails {
                answer.text = None;
                answer.error = Some("It failed.".into());
            }
            rows.push(answer);
        }
        self.server.insert_answers(&rows).await;
        let db = &self.server.app().db;
        let counted = db.transaction(async |tx| {
            for row in rows.iter().filter(|row| row.text.is_some()) {
                let (provider, at) = (row.provider, row.created_at);
                visibility::count(tx, workspace, provider, at, row.mentions_domain).await?;
            }
            Ok(())
        });
        counted.await.expect("they are counted");
    }

    async fn between(&self, query: &str, since: Option<Instant>, until: Option<Instant>) -> Value {
        let text = |at: Option<Instant>| at.map(|at| at.to_string());
        let (since, until) = (text(since), text(until));
        let variables = json!({ "id": self.office.workspace, "since": since, "until": until });
        let found = self.ada.ok(query, variables).await;
        found["workspace"]["domainVisibility"].clone()
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_did_not_fail_are_told_by_provider_and_day(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let world = World::new(on).await;
    let answers = [
        (world.at(1), Mistral, DoesNot),
        (world.at(2), Openai, Mentions),
        (world.at(3), Openai, DoesNot),
        (world.at(4), Openai, Mentions),
        (world.at(4), Cohere, Fails),
        (world.at(-1), Anthropic, Mentions),
        (world.at(-24 * 3), Openai, Fails),
        // The first instant of the 30 days, and the instant before it.
        (world.at(-24 * 29), Openai, DoesNot),
        (
            world.at(-24 * 29).plus(TimeDelta::microseconds(-1)),
            Openai,
            Mentions,
        ),
    ];
    world.collect(world.office.workspace, &answers).await;
    let expected = json!({
        "answers": 6,
        "mentions": 3,
        "rate": 0.5,
        "byProvider": [
            { "provider": "OPENAI", "answers": 4, "mentions": 2, "rate": 0.5 },
            { "provider": "ANTHROPIC", "answers": 1, "mentions": 1, "rate": 1.0 },
            { "provider": "MISTRAL", "answers": 1, "mentions": 0, "rate": 0.0 },
        ],
        "byDay": [
            { "day": world.day(-29), "answers": 1, "mentions": 0, "rate": 0.0 },
            { "day": world.day(-1), "answers": 1, "mentions": 1, "rate": 1.0 },
            { "day": world.day(0), "answers": 4, "mentions": 2, "rate": 0.5 },
        ],
    });
    assert_eq!(world.between(QUERY, None, None).await, expected);
    let total = world.between(TOTAL, None, None).await;
    assert_eq!(
        (&total["answers"], &total["mentions"]),
        (&6.into(), &3.into())
    );

    // Without `since`, the span begins 30 days before its end.
    let first = world.between(TOTAL, None, Some(world.at(-24 * 29))).await;
    assert_eq!(
        (&first["answers"], &first["rate"]),
        (&1.into(), &1.0.into())
    );
    let all = world.between(TOTAL, Some(Instant::MIN), None).await;
    assert_eq!(all["answers"], 7);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_span_is_exact_within_days(#[values(Sqlite, Postgres)] on: Database) {
    let world = World::new(on).await;
    // Every two hours for five days.
    let hours = (-48..72).step_by(2);
    let answers: Vec<_> = hours
        .clone()
        .flat_map(|hour| {
            let outcome = if hour % 4 == 0 { Mentions } else { DoesNot };
            [
                (world.at(hour), Openai, outcome),
                (world.at(hour), Cohere, Fails),
            ]
        })
        .collect();
    world.collect(world.office.workspace, &answers).await;
    // Answers in another workspace do not count here.
    let other = world.office.workspace(&world.ada, "Other").await;
    let elsewhere = [
        (world.at(2), Openai, Mentions),
        (world.at(26), Openai, Mentions),
    ];
    world.collect(other, &elsewhere).await;
    let spans = [
        (-48, 72),
        (-47, 71),
        (-48, 0),
        (0, 24),
        (0, 10),
        (2, 4),
        (3, 4),
        (3, 3),
        (0, 0),
        (5, 24),
        (5, 26),
        (5, 50),
        (-24, 25),
        (-100, 1),
    ];
    for (since, until) in spans {
        let expected = hours.clone().filter(|hour| (since..until).contains(hour));
        let mentions = expected.clone().filter(|hour| hour % 4 == 0).count();
        let answers = expected.count();
        let (since, until) = (Some(world.at(since)), Some(world.at(until)));
        let found = world.between(QUERY, since, until).await;
        assert_eq!(found["answers"], answers, "{since:?} {until:?}");
        assert_eq!(found["mentions"], mentions, "{since:?} {until:?}");
        let by_day = found["byDay"].as_array().expect("days").iter();
        let in_days: u64 = by_day.filter_map(|day| day["answers"].as_u64()).sum();
        assert_eq!(in_days, answers as u64);
        let total = world.between(TOTAL, since, until).await;
        assert_eq!(total["answers"], answers, "{since:?} {until:?}");
        assert_eq!(total["rate"], found["rate"]);
    }
    // Without `until`, future answers count as well.
    let found = world.between(QUERY, Some(world.at(1)), None).await;
    assert_eq!(found["answers"], 35);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_answer_there_is_no_rate(#[values(Sqlite, Postgres)] on: Database) {
    let world = World::new(on).await;
    let nothing = json!({
        "answers": 0, "mentions": 0, "rate": null, "byProvider": [], "byDay": [],
    });
    assert_eq!(world.between(QUERY, None, None).await, nothing);
    let failed = [(world.at(1), Openai, Fails)];
    world.collect(world.office.workspace, &failed).await;
    assert_eq!(world.between(QUERY, None, None).await, nothing);
    for at in [Instant::MIN, world.at(0), world.at(5), Instant::MAX] {
        assert_eq!(world.between(QUERY, Some(at), Some(at)).await, nothing);
        if at >= world.at(0) {
            assert_eq!(world.between(QUERY, Some(at), None).await, nothing);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_span_that_ends_before_it_begins_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let world = World::new(on).await;
    let answers = [(world.at(1), Openai, Mentions)];
    world.collect(world.office.workspace, &answers).await;
    let variables = json!({
        "id": world.office.workspace,
        "since": world.at(1).to_string(),
        "until": world.at(0).to_string(),
    });
    let refused = world.ada.refused("INVALID_INPUT", QUERY, variables).await;
    assert_eq!(refused.violations(), ["until"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn however_long_ago_it_was_it_is_told_day_by_day(#[values(Sqlite, Postgres)] on: Database) {
    let world = World::new(on).await;
    let answers = [
        (world.at(1), Openai, Mentions),
        (world.at(-24 * 4_000), Openai, DoesNot),
    ];
    world.collect(world.office.workspace, &answers).await;
    for (since, until) in [
        (Some(world.at(-24 * 4_001)), None),
        (Some(Instant::MIN), Some(Instant::MAX)),
    ] {
        let found = world.between(QUERY, since, until).await;
        let by_day = found["byDay"].as_array().expect("days");
        let days: Vec<_> = by_day.iter().map(|day| text(day, "day")).collect();
        assert_eq!(days, [world.day(-4_000), world.day(0)]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_member_sees_it_and_each_list_its_own(#[values(Sqlite, Postgres)] on: Database) {
    let world = World::new(on).await;
    let other = world.office.workspace(&world.ada, "Other").await;
    let here = [
        (world.at(1), Openai, Mentions),
        (world.at(-20), Cohere, DoesNot),
    ];
    world.collect(world.office.workspace, &here).await;
    world
        .collect(other, &[(world.at(1), Openai, DoesNot)])
        .await;
    let role = Some(WorkspaceRole::Member);
    let bob = world
        .office
        .person(&world.server, "bob", OrganizationRole::Member, role)
        .await;
    let query = "query($cut: DateTime) { workspaces { nodes { id
        month: domainVisibility { answers rate }
        cut: domainVisibility(since: $cut) { rate byDay { answers } }
    } } }";
    let cut = json!({ "cut": world.at(-10).to_string() });
    let seen = bob.ok(query, cut.clone()).await;
    let expected = json!([{
        "id": world.office.workspace,
        "month": { "answers": 2, "rate": 0.5 },
        "cut": { "rate": 1.0, "byDay": [{ "answers": 1 }] },
    }]);
    assert_eq!(seen["workspaces"]["nodes"], expected);
    let seen = world.ada.ok(query, cut).await;
    let nodes = seen["workspaces"]["nodes"].as_array().expect("workspaces");
    let node = |id: WorkspaceId| nodes.iter().find(|node| node["id"] == json!(id));
    assert_eq!(node(world.office.workspace), expected.get(0));
    assert_eq!(
        node(other).expect("it")["month"],
        json!({ "answers": 1, "rate": 0.0 })
    );
}
