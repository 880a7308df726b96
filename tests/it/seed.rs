//! `tenantry seed`: a demonstration data set that is consistent, and the same each time.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rstest::rstest;
use serde_json::json;
use tenantry::access::OrganizationRole;
use tenantry::db::types::Instant;
use tenantry::id::{OrganizationId, RunId, WorkspaceId};
use tenantry::models::answer::Answer;
use tenantry::models::provider::Provider;
use tenantry::models::run::{Run, RunStatus};
use tenantry::models::user::User;
use tenantry::models::values::mention::mentions;
use tenantry::models::workspace::Workspace;
use tenantry::run;
use tenantry::schema::{
    answers, events, organization_members, organizations, prompts, runs, users, visibility,
    workspace_members, workspace_slugs, workspaces,
};
use tenantry::seed::{self, Plan, SeedError};
use tokio::sync::Notify;

use crate::support::process::Program;
use crate::support::{Database, Postgres, Sqlite, TestServer, at};

fn plan(organizations: u64, workspaces: u64, users: u64, prompts: u64, answers: u64) -> Plan {
    Plan {
        organizations,
        workspaces,
        users,
        prompts,
        answers,
        seed: 1,
        now: Instant::from_micros(1_790_000_000_000_000).expect("a time"),
        plan_key: "free".into(),
        purge_days: 30,
        invitation_days: 7,
    }
}

async fn fill(server: &TestServer, plan: &Plan) {
    let seeded = seed::seed(&server.app().db, plan, |_| {}).await;
    seeded.expect("the database is empty");
}

/// The rows that were written, or for some tables their number.
struct Found {
    users: Vec<User>,
    organizations: Vec<OrganizationId>,
    owners: Vec<OrganizationId>,
    workspaces: Vec<Workspace>,
    slugs: Vec<(String, WorkspaceId, bool)>,
    runs: Vec<Run>,
    answers: Vec<Answer>,
    visibility: Vec<(WorkspaceId, String, Provider, i32, i32)>,
    prompts: i64,
    events: i64,
    strays: i64,
}

async fn find(server: &TestServer) -> Found {
    let mut conn = server.app().db.read().await.expect("a connection");
    let found: QueryResult<Found> = run!(conn, {
        async {
            let member = organization_members::table
                .filter(
                    organization_members::organization_id
                        .eq(workspace_members::organization_id)
                        .and(organization_members::user_id.eq(workspace_members::user_id)),
                )
                .select(organization_members::id);
            Ok(Found {
                users: users::table
                    .order_by(users::id)
                    .select(User::as_select())
                    .load(conn)
                    .await?,
                organizations: organizations::table
                    .order_by(organizations::id)
                    .select(organizations::id)
                    .load(conn)
                    .await?,
                owners: organization_members::table
                    .filter(organization_members::role.eq(OrganizationRole::Owner))
                    .order_by(organization_members::organization_id)
                    .select(organization_members::organization_id)
                    .load(conn)
                    .await?,
                workspaces: workspaces::table
                    .order_by(workspaces::id)
                    .select(Workspace::as_select())
                    .load(conn)
                    .await?,
                slugs: workspace_slugs::table
                    .order_by(workspace_slugs::slug)
                    .load(conn)
                    .await?,
                runs: runs::table
                    .order_by(runs::id)
                    .select(Run::as_select())
                    .load(conn)
                    .await?,
                answers: answers::table
                    .order_by(answers::id)
                    .select(Answer::as_select())
                    .load(conn)
                    .await?,
                visibility: visibility::table
                    .order_by((
                        visibility::workspace_id,
                        visibility::day,
                        visibility::provider,
                    ))
                    .load(conn)
                    .await?,
                prompts: prompts::table.count().get_result(conn).await?,
                events: events::table.count().get_result(conn).await?,
                strays: workspace_members::table
                    .filter(diesel::dsl::not(diesel::dsl::exists(member)))
                    .count()
                    .get_result(conn)
                    .await?,
            })
        }
        .await
    });
    found.expect("the rows")
}

/// Asserts what must hold for every data set.
fn assert_holds(found: &Found, plan: &Plan) {
    assert_eq!(found.users.len() as u64, plan.users);
    assert_eq!(found.organizations.len() as u64, plan.organizations);
    assert_eq!(found.workspaces.len() as u64, plan.workspaces);
    assert_eq!(found.prompts.cast_unsigned(), plan.prompts);
    assert_eq!(found.answers.len() as u64, plan.answers);
    assert_eq!(found.owners, found.organizations, "each has an owner");
    assert_eq!(
        found.strays, 0,
        "members of a workspace are of its organization"
    );
    assert!(found.events >= found.organizations.len() as i64);

    let mut domains = BTreeMap::new();
    for workspace in &found.workspaces {
        let slugs = found
            .slugs
            .iter()
            .filter(|it| it.1.uuid() == workspace.id.uuid());
        let current: Vec<_> = slugs.filter(|it| it.2).map(|it| it.0.as_str()).collect();
        match workspace.deleted_at {
            None => assert_eq!(current, [workspace.slug.as_str()]),
            Some(_) => assert!(current.is_empty() && workspace.purge_at.is_some()),
        }
        domains.insert(workspace.id.uuid(), workspace.domain.clone());
    }
    let mut counted: BTreeMap<(WorkspaceId, String, &str), (i32, i32)> = BTreeMap::new();
    let mut of_runs: BTreeMap<RunId, (i32, i32)> = BTreeMap::new();
    for answer in &found.answers {
        let text = answer.text.as_deref().unwrap_or_default();
        let domain = domains[&answer.workspace_id.uuid()].as_deref();
        let is_named = domain.is_some_and(|domain| mentions(domain, text, &answer.citations.0));
        assert_eq!(answer.mentions_domain, is_named, "{answer:?}");
        assert_ne!(answer.text.is_some(), answer.error.is_some());
        assert!(answer.created_at < plan.now);
        let of_run = of_runs.entry(answer.run_id).or_default();
        if answer.text.is_none() {
            of_run.1 += 1;
            continue;
        }
        of_run.0 += 1;
        let day = answer.created_at.to_utc().date_naive().to_string();
        let key = (answer.workspace_id, day, answer.provider.as_str());
        let tally = counted.entry(key).or_default();
        tally.0 += 1;
        tally.1 += i32::from(answer.mentions_domain);
    }
    let rolled_up = found.visibility.iter();
    let rolled_up: BTreeMap<_, _> = rolled_up
        .map(|(id, day, provider, answers, mentions)| {
            ((*id, day.clone(), provider.as_str()), (*answers, *mentions))
        })
        .collect();
    assert_eq!(rolled_up, counted);
    for run in &found.runs {
        assert_eq!(of_runs.remove(&run.id), Some((run.completed, run.failed)));
        assert!(run.finished_at.is_some_and(|at| at >= run.queued_at));
        let is_whole = run.completed + run.failed == run.total;
        assert_eq!(is_whole, run.status != RunStatus::Cancelled, "{run:?}");
    }
    assert!(of_runs.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_holds_what_was_asked_for_and_holds_together(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let plan = plan(5, 23, 40, 100, 2_500);
    fill(&server, &plan).await;
    let found = find(&server).await;
    assert_holds(&found, &plan);
    assert!(found.workspaces.iter().any(|it| it.deleted_at.is_some()));
    assert!(found.answers.iter().any(|it| it.mentions_domain));
    assert!(found.answers.iter().any(|it| it.error.is_some()));
}

#[rstest]
#[case(1, 0, 1, 0, 0)]
#[case(1, 1, 1, 0, 7)]
#[case(7, 3, 2, 5, 11)]
#[case(3, 40, 3, 40, 1)]
#[case(2, 1_100, 4, 0, 0)]
#[case(1, 1, 1_100, 1_100, 60)]
#[tokio::test(flavor = "multi_thread")]
async fn every_size_holds_together(
    #[case] organizations: u64,
    #[case] workspaces: u64,
    #[case] users: u64,
    #[case] prompts: u64,
    #[case] answers: u64,
) {
    let server = TestServer::start(Sqlite).await;
    let plan = plan(organizations, workspaces, users, prompts, answers);
    fill(&server, &plan).await;
    assert_holds(&find(&server).await, &plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_arguments_make_the_same_rows_on_either_database() {
    let first = plan(3, 10, 12, 30, 300);
    let mut texts = Vec::new();
    let other = Plan {
        seed: 2,
        ..first.clone()
    };
    for (on, plan) in [(Sqlite, &first), (Postgres, &first), (Sqlite, &other)] {
        let server = TestServer::start(on).await;
        fill(&server, plan).await;
        let found = find(&server).await;
        texts.push(format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            found.users, found.workspaces, found.slugs, found.runs, found.answers, found.visibility
        ));
    }
    assert_eq!(texts[0], texts[1]);
    assert_ne!(texts[0], texts[2]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_interrupted_is_resumed_and_nothing_else_is_written_over(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let plan = plan(3, 10, 12, 30, 300);
    let whole = TestServer::start(on).await;
    fill(&whole, &plan).await;
    let whole = find(&whole).await;

    for table in ["users", "workspaces", "runs", "answers"] {
        let server = TestServer::start(on).await;
        let db = &server.app().db;
        let stop = Notify::new();
        let seeding = seed::seed(db, &plan, |progress| {
            if progress.table == table {
                stop.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = stop.notified() => {}
            done = seeding => panic!("it was not interrupted: {done:?}"),
        }
        let other = Plan {
            answers: 301,
            ..plan.clone()
        };
        let refused = seed::seed(db, &other, |_| {}).await;
        assert!(matches!(refused, Err(SeedError::HasData)), "{refused:?}");

        fill(&server, &plan).await;
        let found = find(&server).await;
        assert_eq!(
            format!("{:?}", found.answers),
            format!("{:?}", whole.answers)
        );
        assert_eq!(found.visibility, whole.visibility);
        assert_eq!(found.events, whole.events);
        let again = seed::seed(db, &plan, |_| {}).await;
        assert!(matches!(again, Err(SeedError::HasData)), "{again:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_somebody_uses_is_left_alone(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    ada.ok("{ viewer { id } }", json!({})).await;
    let refused = seed::seed(&server.app().db, &plan(1, 1, 1, 1, 1), |_| {}).await;
    assert!(matches!(refused, Err(SeedError::HasData)));
    assert!(find(&server).await.organizations.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_link_that_the_server_prints_signs_in_as_the_first_person(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let home = Program::new(on).await;
    let output = home.run(&["seed", "--answers", "500"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    assert!(
        error.lines().any(|line| line.trim() == "500  answers"),
        "{error}"
    );
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(said.contains("#token="), "{said}");
    let again = home.run(&["seed", "--answers", "501"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("the database is not empty"));

    let server = home.serve();
    let (_, token) = server.lines[3].split_once("#token=").expect("a link");
    let query = "{ navigationState { viewer { email name } currentWorkspace { name viewerRole
            prompts { totalCount } runs { nodes { status answers { totalCount } } }
            domainVisibility { answers mentions } } invitations { email } organizations { name } }
        workspaces(status: DELETED) { totalCount } }";
    let http = reqwest::Client::new();
    let answer = server.ask(&http, token, query).await;
    let state = at(&answer, "data.navigationState");
    let developer = json!({ "email": "developer@example.com", "name": "Developer" });
    assert_eq!(state["viewer"], developer, "{answer}");
    assert_eq!(at(state, "currentWorkspace.viewerRole"), "OWNER");
    assert_eq!(at(state, "currentWorkspace.prompts.totalCount"), 6);
    assert_eq!(state["organizations"].as_array().map(Vec::len), Some(2));
    assert_eq!(state["invitations"].as_array().map(Vec::len), Some(1));
    let mentions = at(state, "currentWorkspace.domainVisibility.mentions");
    assert!(mentions.as_i64() > Some(0), "{answer}");
}
