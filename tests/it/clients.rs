//! The clients in `examples/clients`: they fit the schema, and they work. They need Node with its
//! modules (`npm ci` in each folder), and Python with its modules in `target/venv`.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use rstest::rstest;
use tokio::task::block_in_place;

use crate::support::optional::{folder, has_node_modules, is_there, said_by};
use crate::support::working::Working;
use crate::support::{
    Client, Database, FakeProviders, Postgres, Sqlite, TestServer, home, workspace,
};

/// The folder of a Node example, if its modules are installed.
fn node_example(name: &str) -> Option<PathBuf> {
    let folder = folder("examples/clients").join(name);
    let otherwise = format!(
        "The {name} client was NOT tested: install Node, and run npm ci in examples/clients/{name}."
    );
    is_there(has_node_modules(&folder, "typescript"), &otherwise).then_some(folder)
}

/// A command of the Python in `target/venv`, if it is there.
fn python(script: &str) -> Option<Command> {
    let python = folder("target/venv/bin/python");
    let otherwise = "The Python client was NOT tested: run python3 -m venv target/venv, and \
                     target/venv/bin/pip install -r examples/clients/python/requirements.txt.";
    is_there(python.exists(), otherwise).then(|| {
        let mut command = Command::new(python);
        command
            .args(["-B", script])
            .current_dir(folder("examples/clients/python"));
        command
    })
}

fn npm_run(folder: &PathBuf, script: &str) -> Command {
    let mut command = Command::new("npm");
    command
        .args(["run", "--silent", script])
        .current_dir(folder);
    command
}

/// The folder of the TypeScript client, generated from the schema and compiled once, if its modules are
/// installed.
fn typescript() -> Option<PathBuf> {
    static BUILT: OnceLock<()> = OnceLock::new();
    let folder = node_example("typescript")?;
    block_in_place(|| {
        BUILT.get_or_init(|| {
            said_by(&mut npm_run(&folder, "build"));
        })
    });
    Some(folder)
}

/// A user with the workspaces Alpha and Beta, of which Beta is the current one.
async fn somebody(server: &TestServer) -> Client {
    let ada = server.user("ada@example.com");
    let organization = home(&ada, "Alpha").await.organization;
    workspace(&ada, &organization, "Beta").await;
    ada
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_client_fits_the_schema() {
    if let Some(folder) = node_example("relay") {
        said_by(&mut npm_run(&folder, "check"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_fits_the_schema() {
    if let Some(mut check) = python("documents.py") {
        said_by(&mut check);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_fits_the_schema_and_works(#[values(Sqlite, Postgres)] on: Database) {
    let Some(folder) = typescript() else { return };
    let providers = FakeProviders::start().await;
    let server = TestServer::with(on, |config| providers.configure(config)).await;
    somebody(&server).await;
    let working = Working::start(&server);
    let said = said_by(
        npm_run(&folder, "start")
            .env("TENANTRY_URL", server.url())
            .env("TENANTRY_TOKEN", server.token("ada@example.com")),
    );
    working.stop().await;
    let lines = [
        "Signed in as ada@example.com",
        "Current workspace: Beta",
        "Made Rocket Labs, as its OWNER",
        "Made today: true",
        "Settings: {\"theme\":\"dark\"}",
        "Page 1: Alpha, Beta",
        "Page 2: Rocket Labs",
        "Page 2 of 2: Rocket Labs",
        "Refused: name",
        "Prompts: Who builds small rockets? What does a launch cost?",
        "Run: QUEUED",
        "Ended: SUCCEEDED, 12 answers, 0 failures",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_works(#[values(Sqlite, Postgres)] on: Database) {
    let Some(mut command) = python("main.py") else {
        return;
    };
    let server = TestServer::start(on).await;
    somebody(&server).await;
    let said = said_by(
        command
            .env("TENANTRY_URL", server.url())
            .env("TENANTRY_TOKEN", server.token("ada@example.com")),
    );
    let lines = [
        "Signed in as ada@example.com",
        "Made Rocket Labs with {'theme': 'dark'}",
        "Made today: True",
        "Workspace: Alpha OWNER",
        "Workspace: Beta OWNER",
        "Workspace: Rocket Labs OWNER",
        "Refused: SLUG_TAKEN",
        "Refused: INVALID_INPUT ['name']",
        "By API token as ada@example.com",
        "Refused: UNAUTHENTICATED",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
}
