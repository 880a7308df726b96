//! Setting schedules, and what the scheduler does with them.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::app::Clock;
use tenantry::db::types::Instant;
use tenantry::models::schedule::run_due;
use tenantry::schema::{runs, schedules};
use tenantry::start::open_app;

use super::{cancel, events, set_schedule, started};
use crate::support::collecting::prompts;
use crate::support::{Client, Database, Postgres, Sqlite, TestServer, home, text};

/// A server at ten past an hour, so that no hour begins before the test says so.
async fn at_ten_past(on: Database) -> TestServer {
    let server = TestServer::start(on).await;
    let then: DateTime<Utc> = "2027-06-01T10:10:00Z".parse().expect("an instant");
    server.clock().set(then.into());
    server
}

/// Lets the scheduler do what is due, and returns how many schedules that were.
async fn tick(server: &TestServer) -> usize {
    let mut done = 0;
    loop {
        match run_due(server.app(), 16).await.expect("it works") {
            0 => return done,
            more => done += more,
        }
    }
}

/// The workspace's runs, newest first.
async fn listed(by: &Client, workspace: &str) -> Vec<Value> {
    let query = "query($id: ID!) { workspace(by: { id: $id }) { runs(first: 100) { nodes { id trigger \
                 status queuedAt } } } }";
    let mut found = by.ok(query, json!({ "id": workspace })).await;
    let nodes = found["workspace"]["runs"]["nodes"].take();
    nodes.as_array().expect("a list").clone()
}

async fn next_run(by: &Client, workspace: &str) -> Option<DateTime<Utc>> {
    let query = "query($id: ID!) { workspace(by: { id: $id }) { schedule { nextRunAt } } }";
    let found = by.ok(query, json!({ "id": workspace })).await;
    let next = found["workspace"]["schedule"]["nextRunAt"].as_str()?;
    Some(next.parse().expect("an instant"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn setting_a_schedule_asks_for_a_run_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let workspace = &home.workspace;

    let empty = set_schedule(&ada, workspace, Some("0 6 * * *"), "Europe/Berlin").await;
    assert_eq!(empty["runRequest"]["status"], "EMPTY");
    assert_eq!(empty["workspace"]["schedule"]["cron"], "0 6 * * *");
    assert_eq!(empty["workspace"]["schedule"]["timeZone"], "Europe/Berlin");
    let next: DateTime<Utc> = text(&empty, "workspace.schedule.nextRunAt")
        .parse()
        .expect("an instant");
    let there = next.with_timezone(&Tz::Europe__Berlin);
    assert_eq!((there.hour(), there.minute(), there.second()), (6, 0, 0));
    let now = server.clock().now().to_utc();
    assert!(next > now && next <= now + TimeDelta::hours(25));

    prompts(&ada, workspace, &["One?"]).await;
    let set = set_schedule(&ada, workspace, Some("0 7 * * *"), "UTC").await;
    assert_eq!(set["runRequest"]["status"], "QUEUED");
    assert_eq!(set["runRequest"]["run"]["trigger"], "SCHEDULE_SET");
    assert_eq!(set["runRequest"]["jobId"], set["runRequest"]["run"]["id"]);
    let again = set_schedule(&ada, workspace, Some("0 7 * * *"), "UTC").await;
    assert_eq!(again["runRequest"]["jobId"], set["runRequest"]["jobId"]);

    let off = set_schedule(&ada, workspace, None, "UTC").await;
    assert_eq!(off["runRequest"]["status"], "NOT_REQUESTED");
    assert!(off["workspace"]["schedule"].is_null());
    // The run that was requested by hand goes on.
    assert_eq!(listed(&ada, workspace).await[0]["status"], "QUEUED");
    // Setting a schedule to what it was, or turning it off twice, makes no event.
    set_schedule(&ada, workspace, None, "UTC").await;
    let kinds = events(&ada, workspace).await;
    let wanted = ["SCHEDULE_SET", "RUN_QUEUED", "SCHEDULE_SET", "SCHEDULE_SET"];
    assert_eq!(kinds, wanted);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_set_even_where_its_run_is_one_too_many(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    for _ in 0..3 {
        let run = started(&ada, &home.workspace).await;
        cancel(&ada, &run).await;
    }
    let set = set_schedule(&ada, &home.workspace, Some("0 * * * *"), "UTC").await;
    let request = &set["runRequest"];
    assert_eq!(request["status"], "FAILED");
    assert_eq!(request["code"], "RATE_LIMITED");
    assert!((1..=60).contains(&request["retryAfterSeconds"].as_i64().expect("a number")));
    assert!(request["error"].is_string());
    assert!(request["run"].is_null() && request["jobId"].is_null());
    assert_eq!(set["workspace"]["schedule"]["cron"], "0 * * * *");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_pattern_and_a_bad_zone_are_told_together(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    for cron in [
        "@daily",
        "* * * * *",
        "0 0 30 2 *",
        "0 0 0 * * *",
        "",
        "0 0 L * *",
    ] {
        let input = json!({
            "workspaceId": home.workspace, "cron": cron, "timeZone": "Europe/Rocket",
        });
        let reply = ada
            .mutate_refused("INVALID_INPUT", "setSchedule", input)
            .await;
        let mut fields = reply.violations();
        fields.sort_unstable();
        assert_eq!(fields, ["cron", "timeZone"], "{cron}");
    }
    assert_eq!(next_run(&ada, &home.workspace).await, None);
    assert!(events(&ada, &home.workspace).await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_is_run_once_and_missed_ones_are_made_up_by_one_run(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = at_ten_past(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let workspace = &home.workspace;
    set_schedule(&ada, workspace, Some("0 * * * *"), "UTC").await;
    prompts(&ada, workspace, &["One?"]).await;
    assert_eq!(tick(&server).await, 0);

    server.clock().advance(TimeDelta::hours(1));
    assert_eq!(tick(&server).await, 1);
    let found = listed(&ada, workspace).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["trigger"], "SCHEDULE");
    assert_eq!(tick(&server).await, 0);

    // While a run is under way, the next occurrence is skipped.
    server.clock().advance(TimeDelta::hours(1));
    assert_eq!(tick(&server).await, 1);
    assert_eq!(listed(&ada, workspace).await.len(), 1);
    cancel(&ada, &text(&found[0], "id")).await;

    server.clock().advance(TimeDelta::days(366));
    assert_eq!(tick(&server).await, 1);
    assert_eq!(listed(&ada, workspace).await.len(), 2);
    let next = next_run(&ada, workspace).await.expect("it goes on");
    let now = server.clock().now().to_utc();
    assert!(next > now && next <= now + TimeDelta::hours(1));
    // Runs that a schedule starts have no actor.
    let query = "query($id: ID!) { workspace(by: { id: $id }) { events(first: 1, kinds: [RUN_QUEUED]) \
                 { nodes { actor { id } subject { __typename } } } } }";
    let found = ada.ok(query, json!({ "id": workspace })).await;
    let event = &found["workspace"]["events"]["nodes"][0];
    assert!(event["actor"].is_null());
    assert_eq!(event["subject"]["__typename"], "Run");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_workspace_has_no_schedule_until_it_is_restored(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = at_ten_past(on).await;
    let ada = server.user("ada@example.com");
    let rocket = home(&ada, "Rocket").await;
    home(&ada, "Other").await;
    let workspace = &rocket.workspace;
    set_schedule(&ada, workspace, Some("0 * * * *"), "UTC").await;
    prompts(&ada, workspace, &["One?"]).await;
    let id = json!({ "workspaceId": workspace });
    ada.mutate("deleteWorkspace", id.clone(), "workspace { id }")
        .await;
    assert_eq!(next_run(&ada, workspace).await, None);
    server.clock().advance(TimeDelta::hours(5));
    assert_eq!(tick(&server).await, 0);
    ada.mutate("restoreWorkspace", id, "workspace { id }").await;
    // Missed occurrences are not made up for.
    assert_eq!(tick(&server).await, 0);
    assert!(listed(&ada, workspace).await.is_empty());
    let next = next_run(&ada, workspace).await.expect("it goes on");
    assert!(next > server.clock().now().to_utc());
    server.clock().advance(TimeDelta::hours(1));
    assert_eq!(tick(&server).await, 1);
    assert_eq!(listed(&ada, workspace).await.len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_organization_runs_nothing(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    set_schedule(&ada, &home.workspace, Some("0 * * * *"), "UTC").await;
    let input = json!({ "organizationId": home.organization });
    ada.mutate("deleteOrganization", input, "deletedId").await;
    server.clock().advance(TimeDelta::hours(5));
    assert_eq!(tick(&server).await, 0);
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let unfinished = runs::table.filter(runs::finished_at.is_null()).count();
    let unfinished: i64 =
        tenantry::run!(conn, unfinished.get_result(conn).await).expect("a number");
    assert_eq!(unfinished, 0);
}

/// The local times at which a schedule runs on three occurrences, with the clock moved from one to the
/// next.
async fn local_times(server: &TestServer, ada: &Client, workspace: &str, zone: Tz) -> Vec<String> {
    let mut times = Vec::new();
    for _ in 0..3 {
        let next = next_run(ada, workspace).await.expect("it goes on");
        server.clock().set(next.into());
        assert_eq!(tick(server).await, 1);
        let run = &listed(ada, workspace).await[0];
        cancel(ada, &text(run, "id")).await;
        let there = next.with_timezone(&zone);
        times.push(format!("{:02} {}", there.day(), there.format("%H:%M %Z")));
    }
    times
}

#[rstest]
#[case::into_summer_in_berlin(Tz::Europe__Berlin, "2027-03-27T00:00:00Z", "30 2 * * *",
    ["27 02:30 CET", "28 03:00 CEST", "29 02:30 CEST"])]
#[case::into_winter_in_berlin(Tz::Europe__Berlin, "2027-10-29T22:00:00Z", "30 2 * * *",
    ["30 02:30 CEST", "31 02:30 CEST", "01 02:30 CET"])]
#[case::into_summer_in_new_york(Tz::America__New_York, "2027-03-13T05:00:00Z", "30 2 * * *",
    ["13 02:30 EST", "14 03:00 EDT", "15 02:30 EDT"])]
#[case::into_winter_in_new_york(Tz::America__New_York, "2027-11-06T04:00:00Z", "30 1 * * *",
    ["06 01:30 EDT", "07 01:30 EDT", "08 01:30 EST"])]
#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_time_runs_once_a_day_whatever_the_clocks_do(
    #[case] zone: Tz,
    #[case] from: DateTime<Utc>,
    #[case] cron: &str,
    #[case] times: [&str; 3],
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    server.clock().set(from.into());
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    set_schedule(&ada, &home.workspace, Some(cron), zone.name()).await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let found = local_times(&server, &ada, &home.workspace, zone).await;
    assert_eq!(found, times);
}

/// Many workspaces whose schedules are due at once, and many instances that look for them.
#[rstest]
#[case(Sqlite, 100, 2)]
#[case(Postgres, 1_000, 10)]
#[tokio::test(flavor = "multi_thread")]
async fn however_many_schedulers_there_are_each_occurrence_is_run_once(
    #[case] on: Database,
    #[case] workspaces: usize,
    #[case] instances: usize,
) {
    let server = at_ten_past(on).await;
    let ada = server.user("ada@example.com");
    let first = home(&ada, "Rocket").await;
    prompts(&ada, &first.workspace, &["One?"]).await;
    set_schedule(&ada, &first.workspace, Some("0 * * * *"), "UTC").await;
    let run = text(&listed(&ada, &first.workspace).await[0], "id");
    cancel(&ada, &run).await;
    crate::support::copies::of_workspace(server.app(), &first.workspace, workspaces - 1).await;

    server.clock().advance(TimeDelta::hours(1));
    let schedulers = (0..instances).map(async |_| {
        let config = (*server.app().config).clone();
        let app = open_app(config, server.shared_clock()).await;
        let app = app.expect("another instance starts");
        let mut done = 0;
        loop {
            match run_due(&app, 16).await.expect("it works") {
                0 => return done,
                more => done += more,
            }
        }
    });
    let done: usize = join_all(schedulers).await.into_iter().sum();
    // Instances skip rows that another has locked, so each may stop early; none is run twice.
    assert_eq!(done + tick(&server).await, workspaces);

    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let queued = runs::table.filter(runs::occurrence.is_not_null());
    let queued = queued.select((runs::workspace_id, runs::occurrence));
    let queued: Vec<(tenantry::id::WorkspaceId, Option<Instant>)> =
        tenantry::run!(conn, queued.load(conn).await).expect("the runs can be read");
    let each: std::collections::HashSet<_> = queued.iter().map(|(id, _)| *id).collect();
    assert_eq!((queued.len(), each.len()), (workspaces, workspaces));
    let now = server.clock().now();
    let due = schedules::table
        .filter(schedules::next_run_at.le(now))
        .count();
    let due: i64 = tenantry::run!(conn, due.get_result(conn).await).expect("a number");
    assert_eq!(due, 0);
}
