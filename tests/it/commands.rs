//! The program's smaller commands, and the arguments that it accepts.

use std::process::Stdio;

use rstest::rstest;
use serde_json::json;

use crate::support::process::{Program, assert_fails, text};
use crate::support::{Database, Postgres, Sqlite};

#[tokio::test(flavor = "multi_thread")]
async fn what_it_is_called_with_must_make_sense() {
    let home = Program::new(Sqlite).await;
    let both = ["serve", "--no-worker", "--worker-only"];
    for arguments in [&["nonsense"][..], &["--nonsense"], &["token"], &both] {
        // If the arguments were accepted, this URL would still keep the program from starting.
        let mut command = home.command(arguments);
        let output = command.env("DATABASE_URL", "nonsense").output();
        let output = output.expect("the program can be run");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
    }
    assert_eq!(home.run(&["--help"]).status.code(), Some(0));
    assert_eq!(home.run(&["--version"]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_signs_in_whom_it_was_made_for() {
    let home = Program::new(Sqlite).await;
    let arguments = ["token", "--email", " Ada@Example.com", "--name", "Ada"];
    let output = home.run(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let token = text(&output.stdout);
    assert_eq!(token.lines().count(), 1);
    let serving = home.serve();
    let http = reqwest::Client::new();
    let viewer = serving
        .ask(&http, token.trim(), "{ viewer { email name } }")
        .await;
    let ada = json!({ "email": "ada@example.com", "name": "Ada" });
    assert_eq!(viewer["data"]["viewer"], ada);

    assert_fails(&home.run(&["token", "--email", "ada"]), &["--email"]);
    let issuer = [
        (
            "TENANTRY_AUTH__ISSUERS__0__ISSUER",
            "https://id.example.com",
        ),
        ("TENANTRY_AUTH__ISSUERS__0__AUDIENCE", "tenantry"),
        (
            "TENANTRY_AUTH__ISSUERS__0__JWKS_URL",
            "https://id.example.com/jwks",
        ),
    ];
    let refused = home.command(&arguments).envs(issuer).output();
    assert_fails(&refused.expect("the program can be run"), &["issuer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_can_be_printed_into_a_pipe_that_closes() {
    let home = Program::new(Sqlite).await;
    let output = home.run(&["schema"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("type Query"));
    assert!(!home.folder.path().join("data").exists());

    let mut child = home
        .command(&["schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("a child of ours");
    assert!(!text(&output.stderr).contains("panicked"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_put_on_a_plan(#[values(Sqlite, Postgres)] on: Database) {
    let home = Program::new(on).await;
    let set = |slug: &str, key: &str| {
        let mut command = home.command(&["organization", "set-plan", slug, key]);
        command.env("TENANTRY_PLANS__PRO__MAX_WORKSPACES", "7");
        command.output().expect("the program can be run")
    };
    let server = home.serve();
    let http = reqwest::Client::new();
    let token = home.token("ada@example.com");
    let query =
        r#"mutation { createOrganization(input: { name: "Rocket" }) { organization { id } } }"#;
    server.ask(&http, &token, query).await;

    let done = set("rocket", "pro");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let query = "{ organizations { nodes { plan { key } } } }";
    let seen = server.ask(&http, &token, query).await;
    assert_eq!(
        seen["data"]["organizations"]["nodes"][0]["plan"]["key"],
        "pro"
    );

    assert_fails(&set("rocket", "gold"), &["no plan gold", "free", "pro"]);
    assert_fails(&set("nobody", "pro"), &["no organization", "nobody"]);
}
