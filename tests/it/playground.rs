//! The playground: who it is served to, and that it works in a real browser, Debian's Chromium or the
//! one at `CHROMIUM`, driven by Node with its modules: `npm ci` in `tests/playground`.

use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;
use rstest::rstest;

use crate::support::optional::{folder, has_node_modules, is_there, said_by};
use crate::support::{Database, Postgres, Reply, Sqlite, TestServer};

/// The `Accept` header of a browser that requests a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// The status and media type of a path, requested with that `Accept` header.
async fn get(server: &TestServer, path: &str, accept: &str) -> (StatusCode, String) {
    let request = server.http().get(format!("{}{path}", server.url()));
    let reply = Reply::to(request.header("accept", accept)).await;
    (reply.status, reply.header("content-type").to_owned())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn browsers_get_its_page_and_clients_their_answers(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let page = (StatusCode::OK, "text/html; charset=utf-8".to_owned());
    let query = "/graphql?query=%7B__typename%7D";
    for path in ["/", "/graphql", query] {
        assert_eq!(get(&server, path, BROWSER).await, page, "{path}");
    }
    assert_eq!(get(&server, "/", "*/*").await, page);
    for accept in ["*/*", "application/json"] {
        let (status, media) = get(&server, query, accept).await;
        assert_eq!(status, StatusCode::OK, "{accept}");
        assert_eq!(media, "application/json; charset=utf-8", "{accept}");
    }
}

/// The rest of its configuration is not even checked then.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_switched_off_there_is_none(#[values(Sqlite, Postgres)] on: Database) {
    let with = TestServer::start(on).await;
    let page = with.http().get(with.url()).send().await.expect("a page");
    let page = page.text().await.expect("text");
    let file = page.split('"').find(|it| it.starts_with("playground/"));
    let file = format!("/{}", file.expect("a link"));
    assert_eq!(get(&with, &file, BROWSER).await.0, StatusCode::OK);

    let server = TestServer::with(on, |config| {
        config.playground.enabled = false;
        config.playground.assets_dir = Some("nowhere".into());
    })
    .await;
    for path in ["/", &file] {
        let (status, _) = get(&server, path, BROWSER).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    // A browser may use GraphQL like any other client.
    let (status, media) = get(&server, "/graphql?query=%7B__typename%7D", BROWSER).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(media, "application/json; charset=utf-8");
}

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
