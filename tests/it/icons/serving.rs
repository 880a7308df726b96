//! Serving icons: to everyone, forever, and nothing else.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::icons::{MAX_BYTES, gif_of_length, png, set_icon, uploaded};
use crate::support::{Database, Postgres, Sqlite, TestServer, home};

fn check_headers(headers: &HeaderMap) {
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_icon_is_for_everybody_to_keep(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let icon = uploaded(&server, &ada, png()).await;
    let url = set_icon(&ada, &home.workspace, &icon).await;
    let http = server.http();
    let got = http.get(&url).send().await.expect("an answer");
    assert_eq!(got.status(), StatusCode::OK);
    check_headers(got.headers());
    let tag = got.headers()["etag"].to_str().expect("text").to_owned();
    assert_eq!(got.bytes().await.expect("a body"), png());

    let head = http.head(&url).send().await.expect("an answer");
    assert_eq!(head.status(), StatusCode::OK);
    check_headers(head.headers());
    assert_eq!(head.headers()["content-length"], png().len().to_string());
    assert!(head.bytes().await.expect("a body").is_empty());

    for (tags, is_known) in [
        (tag.clone(), true),
        (format!("W/{tag}"), true),
        (format!("\"other\", {tag}"), true),
        ("*".to_owned(), true),
        ("\"other\"".to_owned(), false),
        (tag.trim_matches('"').to_owned(), false),
    ] {
        let request = http.get(&url).header("if-none-match", &tags);
        let response = request.send().await.expect("an answer");
        let expected = match is_known {
            true => StatusCode::NOT_MODIFIED,
            false => StatusCode::OK,
        };
        assert_eq!(response.status(), expected, "{tags}");
        assert_eq!(response.headers()["etag"], tag);
        check_headers(response.headers());
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_icon_is_served_whole(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let longest = gif_of_length(MAX_BYTES);
    let icon = uploaded(&server, &ada, longest.clone()).await;
    let url = set_icon(&ada, &home.workspace, &icon).await;
    let got = server.http().get(&url).send().await.expect("an answer");
    assert_eq!(got.headers()["content-length"], MAX_BYTES.to_string());
    assert!(got.bytes().await.expect("a body") == longest);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_icons_is_served(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket").await;
    let icon = uploaded(&server, &ada, png()).await;
    let unused = uploaded(&server, &ada, png()).await;
    set_icon(&ada, &home.workspace, &icon).await;
    let workspace = &home.workspace;
    for path in [
        format!("/files/{unused}/icon.png"),
        "/files/file_01jv9k6rm5e2qscx1y2p9r8z4d/icon.png".to_owned(),
        format!("/files/{workspace}/icon.png"),
        format!("/files/{icon}/icon.jpg"),
        format!("/files/{icon}/ICON.PNG"),
        format!("/files/{icon}/icon.png/"),
        format!("/files/{icon}/icon.png%00"),
        format!("/files/{icon}/x.html"),
        format!("/files/{icon}/"),
        format!("/files/{icon}"),
        format!("/files/{}/icon.png", icon.to_uppercase()),
        format!("/files/{icon}/../icon.png"),
        format!("/files/{icon}/..%2ficon.png"),
        format!("/files/{icon}/.."),
        format!("/files/{icon}/%2e%2e"),
        "/files/../tenantry.db".to_owned(),
        "/files/%2e%2e/tenantry.db".to_owned(),
        "/files/..%2f..%2ftenantry.db/icon.png".to_owned(),
        "/files/..%5c..%5ctenantry.db/icon.png".to_owned(),
        "/files/%FF/icon.png".to_owned(),
        "/files//etc/passwd".to_owned(),
        "/files/icons/icon.png".to_owned(),
    ] {
        assert_eq!(raw_status(&server, &path).await, 404, "{path}");
    }
    let path = format!("/files/{icon}/icon.png");
    assert_eq!(raw_status(&server, &path).await, 200);
    // Whatever the query string.
    assert_eq!(raw_status(&server, &format!("{path}?x=..")).await, 200);
}

/// The status of a GET for exactly that path, which a client library would normalize.
async fn raw_status(server: &TestServer, path: &str) -> u16 {
    let address = server.url().strip_prefix("http://").expect("http");
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut reply = Vec::new();
    socket.read_to_end(&mut reply).await.expect("an answer");
    let reply = String::from_utf8_lossy(&reply);
    let status = reply.split(' ').nth(1).expect("a status");
    status.parse().expect("a number")
}
