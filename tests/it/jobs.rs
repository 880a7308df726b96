//! Jobs that fail because of bugs, and jobs that find nothing to do.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use tenantry::models::mail;
use tenantry::models::run::{HolderId, work};

use crate::support::office::{Office, Person};
use crate::support::smtp::SmtpAddress;
use crate::support::working::Working;
use crate::support::{
    Database, FakeProviders, Postgres, Sqlite, TestServer, at, home, text, until,
};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_panics_goes_on_and_so_do_the_others(#[values(Sqlite, Postgres)] on: Database) {
    let providers = FakeProviders::start().await;
    let address = SmtpAddress::free();
    let mut smtp = address.listen().await;
    let server = TestServer::with(on, |config| {
        providers.configure(config);
        config.mail.smtp_url = Some(address.url());
    })
    .await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;

    // More often than there are jobs; each begins by reading the clock.
    server.clock().break_for(20);
    let working = Working::start(&server);
    until("every job has panicked", async || {
        server.app().wake_worker();
        server.clock().is_whole()
    })
    .await;

    let input = json!({ "workspaceId": home.workspace, "email": "eve@example.com" });
    ada.mutate("addWorkspaceMember", input, "invitation { id }")
        .await;
    assert!(smtp.next().await.contains("To: eve@example.com"));
    let prompts = json!({ "workspaceId": home.workspace, "prompts": [{ "text": "One?" }] });
    ada.mutate("createPrompts", prompts, "prompts { id }").await;
    let input = json!({ "workspaceId": home.workspace });
    let asked = ada.mutate("startRun", input, "runRequest { jobId }").await;
    let run = text(&asked, "runRequest.jobId");
    let query = "query($id: ID!) { node(id: $id) { ... on Run { status } } }";
    until("the run is collected", async || {
        let shown = ada.ok(query, json!({ "id": run })).await;
        at(&shown, "node.status") == "SUCCEEDED"
    })
    .await;
    working.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_who_finds_that_others_were_faster_writes_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (db, now) = (&server.app().db, server.app().now());
    let lease = TimeDelta::minutes(1);
    db.statements().record();
    let mails = db.transaction(async |tx| mail::claim(tx, now, lease, 8).await);
    assert!(mails.await.expect("it is looked").mails.is_empty());
    let holder = HolderId::new(now.to_utc());
    let runs = db.transaction(async |tx| work::claim(tx, holder, now, lease, 8).await);
    assert!(runs.await.expect("it is looked").is_empty());
    let sent = db.statements().recorded();
    assert!(sent.len() > 2, "{sent:#?}");
    assert!(
        !sent.iter().any(|it| it.starts_with("UPDATE ")),
        "{sent:#?}"
    );
}

/// Once the mails of ended invitations are dropped, nothing of a batch may be left.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_mails_that_are_all_moot_none_is_claimed(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = Person::new(&server, "ada").await;
    let office = Office::of(&ada).await;
    let invited = office
        .invite(&ada, "eve@example.com", Some(office.workspace))
        .await;
    let input = json!({ "invitationId": invited });
    ada.mutate("revokeInvitation", input, "__typename").await;
    let (db, now) = (&server.app().db, server.app().now());
    db.statements().record();
    let lease = TimeDelta::minutes(1);
    let claiming = db.transaction(async |tx| mail::claim(tx, now, lease, 8).await);
    let claimed = claiming.await.expect("it is looked");
    assert_eq!((claimed.mails.len(), claimed.moot.len()), (0, 1));
    let sent = db.statements().recorded();
    assert!(sent.iter().any(|it| it.contains("DELETE ")), "{sent:#?}");
    assert!(
        !sent.iter().any(|it| it.starts_with("UPDATE ")),
        "{sent:#?}"
    );
}
