//! The playground, in a real browser: Debian's Chromium, or the one at `CHROMIUM`, driven by Node and
//! its modules: `npm ci` in `tests/playground`.

use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::support::optional::{folder, has_node_modules, is_there, said_by};
use crate::support::{Database, Postgres, Sqlite, TestServer};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_playground_works_in_a_browser(#[values(Sqlite, Postgres)] on: Database) {
    let folder = folder("tests/playground");
    let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    if !is_there(
        has_node_modules(&folder, "playwright-core") && Path::new(&chromium).exists(),
        "The playground was NOT tested: install Chromium (or set CHROMIUM) and Node, and run \
         npm ci in tests/playground.",
    ) {
        return;
    }
    let server = TestServer::start(on).await;
    let said = said_by(
        Command::new("node")
            .arg("run.mjs")
            .current_dir(folder)
            .env("CHROMIUM", chromium)
            .env("PLAYGROUND_URL", server.url())
            .env("PLAYGROUND_TOKEN", server.token("ada@example.com")),
    );
    assert_eq!(said.matches("ok ").count(), 6, "{said}");
}
