//! Jobs that fail by mistakes of ours.

use rstest::rstest;
use serde_json::json;

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

    // More often than there are jobs, each of which begins with the time.
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
