use axum::body::to_bytes;
use axum::http::{HeaderMap, StatusCode};
use data_encoding::BASE64;
use sha2::{Digest, Sha384};

use super::example::EXAMPLES;
use super::*;

/// The reply to a request for a path.
async fn get(playground: &Playground, path: &str) -> (StatusCode, HeaderMap, String) {
    let response = match path.strip_prefix("/playground/") {
        Some(name) => playground.file(name),
        None => playground.page(),
    };
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    (parts.status, parts.headers, text)
}

fn usual() -> Playground {
    Playground::new(None).expect("it needs nothing")
}

/// What the page links to, both as served and as in its source.
fn links(page: &str) -> Vec<&str> {
    let attributes = page.split(['"', '\n']);
    attributes
        .filter_map(|text| text.strip_prefix("playground/"))
        .collect()
}

#[tokio::test]
async fn the_page_and_all_that_it_needs_are_there() {
    let (status, headers, page) = get(&usual(), "/").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let links = links(&page);
    assert_eq!(links.len(), 12);
    for link in links {
        let (status, headers, body) = get(&usual(), &format!("/playground/{link}")).await;
        assert_eq!(status, StatusCode::OK, "{link}");
        assert!(!body.is_empty());
        let extension = link.rsplit_once('.').expect("an extension").1;
        let content_type = match extension {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        };
        assert_eq!(headers["content-type"], content_type);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(
            headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let sources = links(include_str!("page/index.html"));
    assert_eq!(sources.len(), 12);
    for name in ["", "x.js", "..%2fmod.rs", "README.md"]
        .iter()
        .chain(&sources)
    {
        let (status, ..) = get(&usual(), &format!("/playground/{name}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test]
async fn nothing_runs_that_is_no_file_of_ours() {
    let (_, headers, page) = get(&usual(), "/").await;
    let policy = headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-"));
    assert!(!policy.contains("unsafe"));
    assert!(!policy.contains("http"));
    assert!(!page.contains("://"), "it works without internet");
    assert!(!page.contains("style="));
    for script in page.split("<script").skip(1) {
        assert!(script.starts_with(" defer src=\"playground/"));
        assert!(script.contains("\"></script>"));
    }
}

#[tokio::test]
async fn files_of_the_operator_take_the_place_of_those_of_the_same_names() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("playground.css"), "body { color: teal }").expect("a file");
    std::fs::write(dir.path().join("else.css"), "").expect("a file");
    let own = Playground::new(Some(dir.path())).expect("it can be read");
    let (_, _, page) = get(&own, "/").await;
    let (_, _, before) = get(&usual(), "/").await;
    let changed: Vec<_> = links(&page)
        .into_iter()
        .filter(|link| !links(&before).contains(link))
        .collect();
    let [link] = changed.as_slice() else {
        panic!("{changed:?}");
    };
    let (status, headers, body) = get(&own, &format!("/playground/{link}")).await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::OK, "body { color: teal }")
    );
    assert_eq!(headers["content-type"], "text/css; charset=utf-8");
    assert!(Playground::new(Some(&dir.path().join("nowhere"))).is_err());
}

#[test]
fn what_is_vendored_is_what_was_published() {
    let readme = include_str!("vendor/README.md");
    let hashes = readme
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a list of hashes");
    assert_eq!(hashes.lines().count(), 6);
    for line in hashes.lines() {
        let (hash, file) = line.split_once("  ").expect("a hash and a file");
        let link = format!("\"playground/{file}\"");
        let playground = usual();
        let asset = playground.assets.iter().find(|it| it.link(&link) != link);
        let bytes = &asset.expect("a file").bytes;
        assert_eq!(BASE64.encode(&Sha384::digest(bytes)), hash, "{file}");
    }
}

#[test]
fn the_examples_are_documents_with_the_variables_that_they_declare() {
    for example in EXAMPLES {
        let document = async_graphql::parser::parse_query(example.query);
        let document = document.expect("a document");
        let (_, operation) = document.operations.iter().next().expect("an operation");
        let variables: serde_json::Map<String, serde_json::Value> = match example.variables {
            "" => serde_json::Map::new(),
            text => serde_json::from_str(text).expect("an object"),
        };
        let declared = &operation.node.variable_definitions;
        let is_declared = |name: &str| declared.iter().any(|it| it.node.name.node.as_str() == name);
        assert!(variables.keys().all(|name| is_declared(name)));
    }
}
