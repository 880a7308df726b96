//! Icons: images, the URLs they are uploaded to, and the folder where they are stored.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, RgbImage};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::client::Client;
use super::raw::Raw;
use super::server::TestServer;
use super::{at, text};

/// How many bytes an icon may have.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// An upload URL for an icon, and the id of its file.
#[derive(Clone, Debug)]
pub struct Offer {
    pub url: String,
    pub id: String,
}

impl Offer {
    /// The path of the URL, which is the same at whatever instance.
    pub fn path(&self) -> &str {
        let at = self.url.find("/uploads").expect("a path");
        &self.url[at..]
    }
}

pub const OFFER: &str = "mutation { generateWorkspaceIconUploadUrl {
    uploadUrl storageId expiresAt maxBytes contentTypes } }";

/// Requests an upload URL for an icon.
pub async fn offer(by: &Client) -> Offer {
    let made = by.ok(OFFER, json!({})).await;
    Offer {
        url: text(&made, "generateWorkspaceIconUploadUrl.uploadUrl"),
        id: text(&made, "generateWorkspaceIconUploadUrl.storageId"),
    }
}

/// Returns an image of that size, with varied lines.
pub fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let lines = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x as u8, y as u8, (x / 7 * y) as u8])
    });
    let mut file = Cursor::new(Vec::new());
    DynamicImage::from(lines)
        .write_to(&mut file, format)
        .expect("the picture can be written");
    file.into_inner()
}

pub fn png() -> Vec<u8> {
    picture(ImageFormat::Png, 32, 32)
}

/// Returns an image that differs from [`png`] and from that of any other number.
pub fn another_png(number: u32) -> Vec<u8> {
    picture(ImageFormat::Png, 40 + number, 40)
}

/// A GIF of exactly that many bytes, most of which are a comment.
pub fn gif_of_length(length: usize) -> Vec<u8> {
    let mut file = picture(ImageFormat::Gif, 16, 16);
    assert_eq!(file.pop(), Some(0x3b));
    // The comment's two bytes, its end, and the trailer.
    let mut left = length - file.len() - 4;
    file.extend([0x21, 0xfe]);
    while left > 0 {
        // Never so much that a block without content would be left over.
        let block = left.min(if left == 257 { 200 } else { 256 });
        file.push(u8::try_from(block - 1).expect("a short block"));
        file.extend(std::iter::repeat_n(b'x', block - 1));
        left -= block;
    }
    file.extend([0, 0x3b]);
    assert_eq!(file.len(), length);
    file
}

/// Uploads bytes, and returns the response, whatever it is.
pub async fn put(
    http: &reqwest::Client,
    url: &str,
    bytes: Vec<u8>,
    content_type: Option<&str>,
) -> (StatusCode, Value) {
    let mut request = http.put(url).body(bytes);
    if let Some(content_type) = content_type {
        // May be invalid text.
        request = request.header("content-type", content_type.as_bytes());
    }
    let response = request.send().await.expect("the server answers");
    let status = response.status();
    let body = response.bytes().await.expect("a whole body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// How the server answers the head of an upload that it has begun to read.
pub const CONTINUE: &str = "HTTP/1.1 100 ";

/// Sends the head of an upload of so many bytes, with these headers as well, to the server at that URL.
/// Gives the connection and what the server says before anything else is sent.
pub async fn announce(
    server: &str,
    offer: &Offer,
    length: usize,
    headers: &[(&str, &str)],
) -> (Raw, String) {
    let mut raw = Raw::to(server).await;
    let mut head = format!(
        "PUT {} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n",
        offer.path()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    raw.send(&(head + "\r\n")).await;
    let head = raw.head().await.expect("an answer");
    (raw, head)
}

/// Uploads an icon that nothing uses yet, and returns the id of its file.
pub async fn uploaded(server: &TestServer, by: &Client, bytes: Vec<u8>) -> String {
    let offer = offer(by).await;
    let (status, body) = put(server.http(), &offer.url, bytes, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    offer.id
}

/// Gives the workspace an icon, and returns the icon's URL.
pub async fn set_icon(by: &Client, workspace: &str, id: &str) -> String {
    let input = json!({ "workspaceId": workspace, "iconStorageId": id });
    let changed = by
        .mutate("updateWorkspace", input, "workspace { iconUrl }")
        .await;
    text(&changed, "workspace.iconUrl")
}

/// Returns the URL of the workspace's icon, or `null`.
pub async fn icon_url(by: &Client, workspace: &str) -> Value {
    let query = "query($id: ID!) { workspace(by: { id: $id }) { iconUrl } }";
    let found = by.ok(query, json!({ "id": workspace })).await;
    at(&found, "workspace.iconUrl").clone()
}

/// Returns every file in the server's store.
pub fn stored(server: &TestServer) -> Vec<PathBuf> {
    files_in(&server.app().config.data_dir.join("files"))
}

/// Returns every file in a folder and its subfolders.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let files = paths.flat_map(|path| match path.is_dir() {
        true => files_in(&path),
        false => vec![path],
    });
    files.collect()
}
