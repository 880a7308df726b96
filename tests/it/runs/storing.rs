//! Answers that could not be stored, or that may or may not have been stored.

use rstest::rstest;
use serde_json::json;
use tenantry::config::Secret;
use tenantry::db::Kind;
use tenantry::models::provider::Provider;
use tokio_postgres::Client;

use super::{ended, serve, started};
use crate::support::collecting::prompts;
use crate::support::metrics::{scrape, values};
use crate::support::postgres::OwnCluster;
use crate::support::slow::{connect_to, execute};
use crate::support::working::Working;
use crate::support::{Database, FakeProviders, Postgres, Sqlite, TestServer, home, until};

/// Sessions that have committed and wait for a standby to confirm before they report it.
const COMMITTED: &str = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

async fn committed(by: &Client) -> i64 {
    let count = format!("SELECT count(*) {COMMITTED}");
    by.query_one(&count, &[]).await.expect("a count").get(0)
}

/// Terminates these sessions, so that their commits are never reported.
async fn cut_off(by: &Client) {
    execute(
        by,
        &format!("SELECT pg_terminate_backend(pid, 5000) {COMMITTED}"),
    )
    .await;
}

/// Makes every commit wait from now on.
async fn hold_commits(by: &Client, url: &str) {
    let wait = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
    execute(by, wait).await;
    execute(by, "SELECT pg_reload_conf()").await;
    // PostgreSQL takes a moment to reload its configuration.
    let tries = connect_to(url).await;
    let trying = tokio::spawn(async move {
        let write = "SELECT pg_logical_emit_message(true, 'try', '')";
        while tries.batch_execute(write).await.is_ok() {}
    });
    until("a commit waits", async || committed(by).await == 1).await;
    cut_off(by).await;
    trying.await.expect("it is cut off");
}

async fn answer_commits(by: &Client) {
    let go_on = "ALTER SYSTEM RESET synchronous_standby_names";
    execute(by, go_on).await;
    execute(by, "SELECT pg_reload_conf()").await;
}

/// Whether the worker considers an answer stored.
async fn is_counted(server: &TestServer) -> bool {
    let text = scrape(server.http(), server.url()).await;
    let counts = values(&text, "tenantry_answers_total", &[]);
    counts.iter().sum::<f64>() > 0.0
}

/// Only with PostgreSQL can the reply to a commit be lost.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_stored_unheard_is_stored_once_and_keeps_no_other_from_coming() {
    let Some(cluster) = OwnCluster::start() else {
        return;
    };
    let providers = FakeProviders::start().await;
    let server = TestServer::with(Sqlite, |config| {
        config.database.url = Some(Secret::new(cluster.url().to_owned()));
        providers.configure(config);
    })
    .await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    providers.hold();
    let working = Working::start(&server);
    let id = started(&ada, &home.workspace).await;
    let all = Provider::ALL.len();
    providers.arrived(all).await;

    let admin = connect_to(cluster.url()).await;
    hold_commits(&admin, cluster.url()).await;
    providers.release(1);
    until("an answer is committed", async || {
        committed(&admin).await > 0
    })
    .await;
    cut_off(&admin).await;
    answer_commits(&admin).await;
    let stored = "SELECT count(*) FROM answers";
    let rows = admin.query_one(stored, &[]).await.expect("a count");
    assert_eq!(rows.get::<_, i64>(0), 1);

    // The calls to the other providers are still under way when storing is tried again.
    until("the answer is counted", async || is_counted(&server).await).await;
    providers.open();
    let run = ended(&server, &ada, &id).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    assert_eq!(run["completed"], json!(all));
    assert_eq!(providers.all_calls().len(), all);
    working.stop().await;
}

/// Whatever prevents storing, such as a full disk, the answers have been paid for.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_cannot_be_stored_are_kept_and_not_asked_for_again(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    let server = serve(on, &providers, |_| {}).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["One?"]).await;
    let db = &server.app().db;
    let (refuse, allow) = match db.kind() {
        Kind::Sqlite => (
            "CREATE TRIGGER full BEFORE INSERT ON answers
                BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
            "DROP TRIGGER full",
        ),
        Kind::Postgres => (
            "ALTER TABLE answers ADD CONSTRAINT room CHECK (false) NOT VALID",
            "ALTER TABLE answers DROP CONSTRAINT room",
        ),
    };
    server.batch(refuse).await;
    let statements = db.statements();
    statements.record();
    let working = Working::start(&server);
    let id = started(&ada, &home.workspace).await;
    let all = Provider::ALL.len();
    let mut tried = 0;
    until("each was tried again", async || {
        let texts = statements.recorded();
        statements.record();
        let is_insert =
            |text: &&String| text.starts_with("INSERT INTO") && text.contains("answers");
        tried += texts.iter().filter(is_insert).count();
        tried > 2 * all
    })
    .await;
    server.batch(allow).await;
    let run = ended(&server, &ada, &id).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    assert_eq!(run["completed"], json!(all));
    assert_eq!(providers.all_calls().len(), all);
    working.stop().await;
}
