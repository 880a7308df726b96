//! Uploads that are refused: each with a status that says why, and with nothing left behind.

use std::io::ErrorKind;

use chrono::TimeDelta;
use image::ImageFormat;
use reqwest::StatusCode;
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::support::icons::{MAX_BYTES, gif_of_length, offer, picture, png, put, stored};
use crate::support::{Database, Postgres, Sqlite, TestServer, text};

const SVG: &[u8] = br#"<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><script>alert(1)</script></svg>"#;

const PAGE: &[u8] = b"<!doctype html><script>alert(1)</script>";

/// A PNG of about 1 KB that claims those dimensions.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut file = picture(ImageFormat::Png, 16, 16);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = checksum(&file[12..29]);
    file[29..33].copy_from_slice(&checksum.to_be_bytes());
    file
}

/// CRC-32 as PNG defines it.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1));
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), step)
    })
}

fn with_tail(mut image: Vec<u8>, tail: &[u8]) -> Vec<u8> {
    image.extend_from_slice(tail);
    image
}

fn half(image: &[u8]) -> Vec<u8> {
    image[..image.len() / 2].to_vec()
}

/// A PNG with a valid structure and garbage for pixels.
fn png_without_pixels() -> Vec<u8> {
    let mut file = png();
    let at = file.windows(4).position(|kind| kind == b"IDAT");
    let at = at.expect("pixels") + 4;
    file[at..at + 20].fill(0xff);
    file
}

fn hostile() -> Vec<(&'static str, Vec<u8>, Option<&'static str>, StatusCode)> {
    const TYPE: StatusCode = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    const CONTENT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let small = |format| picture(format, 32, 32);
    let (jpeg, gif, webp) = (
        small(ImageFormat::Jpeg),
        small(ImageFormat::Gif),
        small(ImageFormat::WebP),
    );
    vec![
        ("nothing", Vec::new(), None, TYPE),
        ("a page", PAGE.to_vec(), None, TYPE),
        ("a page called PNG", PAGE.to_vec(), Some("image/png"), TYPE),
        ("SVG", SVG.to_vec(), Some("image/svg+xml"), TYPE),
        ("SVG called PNG", SVG.to_vec(), Some("image/png"), TYPE),
        ("PNG called SVG", png(), Some("image/svg+xml"), TYPE),
        ("PNG called JPEG", png(), Some("image/jpeg"), TYPE),
        ("PNG called a page", png(), Some("text/html"), TYPE),
        ("PNG called nonsense", png(), Some("png"), TYPE),
        ("PNG called what is no text", png(), Some("é"), TYPE),
        ("PNG called text", png(), Some("text/plain"), TYPE),
        ("a page called bytes", PAGE.to_vec(), Some(""), TYPE),
        ("BMP", b"BM\x36\0\0\0".to_vec(), Some("image/bmp"), TYPE),
        ("a PNG's head", png()[..8].to_vec(), None, CONTENT),
        (
            "a PNG's head, and a page",
            with_tail(png()[..8].to_vec(), PAGE),
            None,
            CONTENT,
        ),
        (
            "a PNG and a page",
            with_tail(png(), PAGE),
            Some("image/png"),
            CONTENT,
        ),
        ("a PNG and one byte", with_tail(png(), b"\0"), None, CONTENT),
        ("a PNG and a PNG", with_tail(png(), &png()), None, CONTENT),
        (
            "a JPEG and a page",
            with_tail(jpeg.clone(), PAGE),
            None,
            CONTENT,
        ),
        (
            "a GIF and a page",
            with_tail(gif.clone(), PAGE),
            None,
            CONTENT,
        ),
        (
            "a WebP and a page",
            with_tail(webp.clone(), PAGE),
            None,
            CONTENT,
        ),
        ("half a PNG", half(&png()), None, CONTENT),
        ("half a JPEG", half(&jpeg), None, CONTENT),
        ("half a GIF", half(&gif), None, CONTENT),
        ("half a WebP", half(&webp), None, CONTENT),
        ("a PNG without pixels", png_without_pixels(), None, CONTENT),
        ("a wide PNG", png_of_size(20_000, 16), None, CONTENT),
        ("a huge PNG", png_of_size(20_000, 20_000), None, CONTENT),
        (
            "an endless PNG",
            png_of_size(u32::MAX, u32::MAX),
            None,
            CONTENT,
        ),
        ("an empty PNG", png_of_size(0, 16), None, CONTENT),
        (
            "15 pixels",
            picture(ImageFormat::Png, 15, 16),
            None,
            CONTENT,
        ),
        (
            "2,049 pixels",
            picture(ImageFormat::Png, 16, 2049),
            None,
            CONTENT,
        ),
        (
            "a wide GIF",
            picture(ImageFormat::Gif, 3000, 16),
            None,
            CONTENT,
        ),
        (
            "a wide JPEG",
            picture(ImageFormat::Jpeg, 3000, 16),
            None,
            CONTENT,
        ),
        (
            "a wide WebP",
            picture(ImageFormat::WebP, 3000, 16),
            None,
            CONTENT,
        ),
        (
            "one byte too long",
            gif_of_length(MAX_BYTES + 1),
            None,
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            "far too long",
            vec![0; 3 * MAX_BYTES],
            None,
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
    ]
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_icon_is_refused_and_may_be_tried_again(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let offer = offer(&server.user("ada@example.com")).await;
    for (name, bytes, declared, expected) in hostile() {
        let (status, body) = put(server.http(), &offer.url, bytes, declared).await;
        assert_eq!(status, expected, "{name}: {body}");
        assert_eq!(
            text(&body, "errors.0.extensions.code"),
            "INVALID_INPUT",
            "{name}"
        );
        assert!(stored(&server).is_empty(), "{name}");
    }
    // Exactly as long as an icon may be.
    let (status, body) = put(server.http(), &offer.url, gif_of_length(MAX_BYTES), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    assert_eq!(stored(&server).len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_length_nobody_says_is_cut_at_the_limit(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let offer = offer(&server.user("ada@example.com")).await;
    for (length, expected) in [
        (MAX_BYTES + 1, StatusCode::PAYLOAD_TOO_LARGE),
        (MAX_BYTES, StatusCode::NO_CONTENT),
    ] {
        let bytes = gif_of_length(length);
        let chunks: Vec<_> = bytes.chunks(60_000).map(<[u8]>::to_vec).collect();
        let chunks = chunks.into_iter().map(Ok::<_, std::io::Error>);
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
        let response = server.http().put(&offer.url).body(body).send().await;
        assert_eq!(response.expect("an answer").status(), expected);
    }
    assert_eq!(stored(&server).len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_off_leaves_nothing(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let offer = offer(&server.user("ada@example.com")).await;
    let url = Url::parse(&offer.url).expect("a URL");
    let address = server.url().strip_prefix("http://").expect("http");
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let bytes = png();
    let head = format!(
        "PUT {}?{} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
        url.path(),
        url.query().unwrap_or_default(),
        bytes.len()
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    socket.write_all(&half(&bytes)).await.expect("sent");
    socket.shutdown().await.expect("no more is sent");
    // Until the server has given up.
    let mut reply = Vec::new();
    match socket.read_to_end(&mut reply).await {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => {}
    }
    let reply = String::from_utf8_lossy(&reply);
    assert!(!reply.contains(" 204 "), "{reply}");
    assert!(stored(&server).is_empty());
    let (status, _) = put(server.http(), &offer.url, bytes, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_was_not_given_out_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (mine, other) = {
        let ada = server.user("ada@example.com");
        (offer(&ada).await, offer(&ada).await)
    };
    let url = Url::parse(&mine.url).expect("a URL");
    let parameter = |name: &str| {
        let found = url.query_pairs().find(|(found, _)| found == name);
        found.expect("a parameter").1.into_owned()
    };
    let (expires, signature) = (parameter("expires"), parameter("signature"));
    let later = expires.parse::<i64>().expect("a number") + 3600;
    let with = |id: &str, expires: &str, signature: &str| {
        let query = format!("expires={expires}&signature={signature}");
        format!("{}/uploads/{id}?{query}", server.url())
    };
    assert_eq!(with(&mine.id, &expires, &signature), mine.url);
    let flipped = match signature.strip_prefix('A') {
        Some(rest) => format!("B{rest}"),
        None => format!("A{}", &signature[1..]),
    };
    let never_was = "file_01jv9k6rm5e2qscx1y2p9r8z4d";
    let mut messages = Vec::new();
    for altered in [
        with(&other.id, &expires, &signature),
        with(never_was, &expires, &signature),
        with("file", &expires, &signature),
        with("..%2f..%2ftenantry.db", &expires, &signature),
        with(&mine.id, &later.to_string(), &signature),
        with(&mine.id, &format!("%2B{expires}"), &signature),
        with(&mine.id, "", &signature),
        with(&mine.id, "never", &signature),
        with(&mine.id, &expires, &flipped),
        with(&mine.id, &expires, &signature[..20]),
        with(&mine.id, &expires, &format!("{signature}%3D")),
        with(&mine.id, &expires, &signature.to_lowercase()),
        with(&mine.id, &expires, ""),
    ] {
        let (status, body) = put(server.http(), &altered, png(), None).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{altered}: {body}");
        messages.push(body);
    }
    // The answers do not reveal which of the files exists.
    messages.dedup();
    assert_eq!(messages.len(), 1);
    let bare = format!("{}/uploads/{}", server.url(), mine.id);
    for malformed in [
        bare.clone(),
        format!("{bare}?expires={expires}"),
        format!("{bare}?signature={signature}"),
        format!(
            "{}/uploads/%FF?{}",
            server.url(),
            url.query().unwrap_or_default()
        ),
    ] {
        let (status, body) = put(server.http(), &malformed, png(), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{malformed}: {body}");
    }
    for method in ["GET", "POST", "DELETE"] {
        let method = method.parse().expect("a method");
        let response = server.http().request(method, &mine.url).send().await;
        let status = response.expect("an answer").status();
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert!(stored(&server).is_empty());

    server.clock().advance(TimeDelta::minutes(14));
    let (status, _) = put(server.http(), &mine.url, png(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    server.clock().advance(TimeDelta::minutes(1));
    let (status, body) = put(server.http(), &other.url, png(), None).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body, messages[0]);
    assert_eq!(stored(&server).len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn another_instance_takes_what_was_offered_by_the_first(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let offer = offer(&server.user("ada@example.com")).await;
    let other = server.sibling().await;
    let path = offer.url.strip_prefix(server.url()).expect("a path");
    let url = format!("{}{path}", other.url());
    let (status, body) = put(server.http(), &url, png(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let (status, _) = put(server.http(), &offer.url, png(), None).await;
    assert_eq!(status, StatusCode::CONFLICT);
}
