//! Whose domain answers are looked at for.

use rstest::rstest;
use serde_json::{Value, json};

use super::{answers, ended, serve, set_domain, started};
use crate::support::collecting::prompts;
use crate::support::working::Working;
use crate::support::{Answer, Client, Database, FakeProviders, Postgres, Sqlite, home};

/// How many answers there are, and how many mention the domain.
async fn visibility(by: &Client, workspace: &str) -> Value {
    let query = "query($id: ID!) { workspace(by: { id: $id }) {
        domainVisibility { answers mentions } } }";
    let mut found = by.ok(query, json!({ "id": workspace })).await;
    found["workspace"]["domainVisibility"].take()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn changing_the_domain_does_not_look_at_old_answers_again(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let providers = FakeProviders::start().await;
    providers.otherwise(|_, prompt| match prompt {
        "Before?" => Answer::says("Ask before.example."),
        _ => Answer::says("Ask after.example."),
    });
    let server = serve(on, &providers, |_| {}).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    prompts(&ada, &home.workspace, &["Before?", "After?"]).await;
    set_domain(&ada, &home.workspace, "before.example").await;
    let working = Working::start(&server);
    let old = started(&ada, &home.workspace).await;
    ended(&server, &ada, &old).await;
    let told = answers(&ada, &old).await;
    let visible = visibility(&ada, &home.workspace).await;
    assert_eq!(visible, json!({ "answers": 12, "mentions": 6 }));

    set_domain(&ada, &home.workspace, "after.example").await;
    assert_eq!(answers(&ada, &old).await, told);
    assert_eq!(visibility(&ada, &home.workspace).await, visible);

    // New ones are looked at for the new one.
    let new = started(&ada, &home.workspace).await;
    ended(&server, &ada, &new).await;
    for answer in answers(&ada, &new).await {
        assert_eq!(answer["mentionsDomain"], answer["promptText"] == "After?");
    }
    assert_eq!(answers(&ada, &old).await, told);
    let visible = visibility(&ada, &home.workspace).await;
    assert_eq!(visible, json!({ "answers": 24, "mentions": 12 }));
    working.stop().await;
}
