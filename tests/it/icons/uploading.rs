//! Uploading icons: who may, how often, and what happens to several uploads at once.

use chrono::TimeDelta;
use futures_util::future::join_all;
use image::ImageFormat;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;

use crate::support::icons::{
    CONTINUE, OFFER, Offer, announce, another_png, icon_url, offer, picture, png, put, set_icon,
    stored,
};
use crate::support::{Database, Postgres, Sqlite, TestServer, at, home, text, until};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_format_can_be_an_icon(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| config.limits.uploads_per_hour = 24).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    assert_eq!(icon_url(&ada, &home.workspace).await, json!(null));
    for (format, media_type, name) in [
        (ImageFormat::Png, "image/png", "icon.png"),
        (ImageFormat::Jpeg, "image/jpeg", "icon.jpg"),
        (ImageFormat::WebP, "image/webp", "icon.webp"),
        (ImageFormat::Gif, "image/gif", "icon.gif"),
    ] {
        for (declared, width, height) in [
            (None, 16, 2048),
            (Some(media_type), 2048, 16),
            (Some("application/octet-stream"), 16, 16),
            // Types that say nothing about the content.
            (Some("application/x-www-form-urlencoded"), 16, 16),
            (Some("binary/octet-stream"), 16, 16),
            (Some(""), 16, 16),
        ] {
            let (offer, bytes) = (offer(&ada).await, picture(format, width, height));
            let (status, body) = put(server.http(), &offer.url, bytes.clone(), declared).await;
            assert_eq!(status, StatusCode::NO_CONTENT, "{format:?}: {body}");
            let url = set_icon(&ada, &home.workspace, &offer.id).await;
            assert_eq!(url, format!("{}/files/{}/{name}", server.url(), offer.id));
            assert_eq!(icon_url(&ada, &home.workspace).await, json!(url));
            let response = server.http().get(&url).send().await.expect("an answer");
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()["content-type"], media_type);
            assert_eq!(response.bytes().await.expect("a body"), bytes);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_offer_says_what_may_be_uploaded_and_until_when(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let before = server.app().now().to_utc();
    let made = ada.ok(OFFER, json!({})).await;
    let made = at(&made, "generateWorkspaceIconUploadUrl");
    assert_eq!(made["maxBytes"], 2 * 1024 * 1024);
    let types = ["image/png", "image/jpeg", "image/webp", "image/gif"];
    assert_eq!(made["contentTypes"], json!(types));
    let expires = text(made, "expiresAt");
    let expires = chrono::DateTime::parse_from_rfc3339(&expires).expect("a time");
    let minutes = (expires.to_utc() - before).num_seconds();
    assert!((14 * 60..=15 * 60).contains(&minutes), "{minutes}");
    let prefix = format!("{}/uploads/{}?", server.url(), text(made, "storageId"));
    assert!(text(made, "uploadUrl").starts_with(&prefix), "{made}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_so_many_offers_an_hour(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::with(on, |config| config.limits.uploads_per_hour = 2).await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    offer(&ada).await;
    offer(&ada).await;
    let reply = ada.refused("RATE_LIMITED", OFFER, json!({})).await;
    assert!((1..=3600).contains(&reply.retry_after()));
    offer(&bob).await;
    server.clock().advance(TimeDelta::minutes(61));
    offer(&ada).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_url_takes_one_file(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let offer = offer(&ada).await;
    let (status, _) = put(server.http(), &offer.url, png(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    for _ in 0..2 {
        let (status, body) = put(server.http(), &offer.url, another_png(1), None).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert_eq!(text(&body, "errors.0.extensions.code"), "CONFLICT");
        assert_eq!(stored(&server).len(), 1);
    }
    let url = set_icon(&ada, &home.workspace, &offer.id).await;
    let response = server.http().get(&url).send().await.expect("an answer");
    assert_eq!(response.bytes().await.expect("a body"), png());
    // Nor once it is in use.
    let (status, _) = put(server.http(), &offer.url, another_png(1), None).await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_uploads_at_the_same_time_one_wins(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let offer = offer(&ada).await;
    let pictures: Vec<_> = (0..6).map(another_png).collect();
    let uploads = pictures
        .iter()
        .map(|picture| put(server.http(), &offer.url, picture.clone(), None));
    let replies = join_all(uploads).await;
    let mut taken = Vec::new();
    for ((status, body), picture) in replies.into_iter().zip(pictures) {
        if status == StatusCode::NO_CONTENT {
            taken.push(picture);
        } else {
            assert_eq!(status, StatusCode::CONFLICT, "{body}");
        }
    }
    assert_eq!(taken.len(), 1);
    assert_eq!(stored(&server).len(), 1);
    let url = set_icon(&ada, &home.workspace, &offer.id).await;
    let response = server.http().get(&url).send().await.expect("an answer");
    assert_eq!(response.bytes().await.expect("a body"), taken[0]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_url_takes_one_upload_at_a_time(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let offer = offer(&server.user("ada@example.com")).await;
    let (slow, said) = announce(server.url(), &offer, png().len(), &[]).await;
    assert!(said.starts_with(CONTINUE), "{said}");
    let (status, body) = put(server.http(), &offer.url, png(), None).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(text(&body, "errors.0.extensions.code"), "CONFLICT");
    assert!(stored(&server).is_empty());
    drop(slow);
    until("it can be tried again", async || {
        let (status, _) = put(server.http(), &offer.url, png(), None).await;
        status == StatusCode::NO_CONTENT
    })
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_are_slow_keep_nobody_else_from_uploading(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| {
        config.limits.uploads_per_hour = 100;
        config.http.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let ada = server.user("ada@example.com");
    let announce = async |offer: &Offer| {
        let from = [("x-forwarded-for", "198.51.100.7")];
        let (raw, said) = announce(server.url(), offer, png().len(), &from).await;
        match said.starts_with(CONTINUE) {
            true => Ok(raw),
            false => Err(said + &raw.rest().await),
        }
    };
    let mut slow = Vec::new();
    // As many as there may be of all clients.
    for _ in 0..32 {
        match announce(&offer(&ada).await).await {
            Ok(raw) => slow.push(raw),
            Err(said) => {
                assert!(said.starts_with("HTTP/1.1 429 "), "{said}");
                assert!(said.contains("retry-after: 2\r\n"), "{said}");
                assert!(said.contains("RATE_LIMITED"), "{said}");
            }
        }
    }
    assert_eq!(slow.len(), 16);
    let (status, body) = put(server.http(), &offer(&ada).await.url, png(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");

    let last = offer(&ada).await;
    assert!(announce(&last).await.is_err());
    drop(slow.pop());
    until("there is room for one", async || {
        announce(&last).await.is_ok()
    })
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pages_that_may_call_the_api_may_upload(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let offer = offer(&server.user("ada@example.com")).await;
    for (origin, is_allowed) in [
        ("http://localhost:3000", true),
        ("https://evil.example", false),
    ] {
        let request = server
            .http()
            .request(Method::OPTIONS, &offer.url)
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type");
        let response = request.send().await.expect("an answer");
        let headers = response.headers();
        let given = headers.get("access-control-allow-origin");
        assert_eq!(given.is_some_and(|given| given == origin), is_allowed);
        let methods = headers["access-control-allow-methods"].to_str();
        assert!(methods.expect("text").contains("PUT"));
    }
}
