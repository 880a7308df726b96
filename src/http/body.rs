//! The bodies of requests.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;

/// How much of a body is read, and how long, only for its sender to come to read why it is refused.
const DRAINED: usize = 8 * 1024 * 1024;
const DRAINING: Duration = Duration::from_secs(10);

/// Why a body could not be read.
pub enum Unread {
    /// It is longer than it may be.
    TooLong,
    /// It ended before its end, or is not encoded as its head says.
    CutOff,
}

/// A body that is coming in.
pub struct Incoming {
    stream: BodyDataStream,
    /// How long it is going to be, where its head says so.
    declared: Option<u64>,
    /// Whether its sender has begun, or will when it is first read.
    has_begun: bool,
}

impl Incoming {
    /// The body of a request with these headers.
    pub fn new(headers: &HeaderMap, body: Body) -> Self {
        let length = headers.get(CONTENT_LENGTH);
        Self {
            stream: body.into_data_stream(),
            declared: length.and_then(|length| length.to_str().ok()?.parse().ok()),
            has_begun: !headers.contains_key(EXPECT),
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// Where it is longer than `most` bytes, which may be known before any of it is read, or cut off.
    pub async fn read(&mut self, most: usize) -> Result<Bytes, Unread> {
        if self.declared.is_some_and(|length| length > most as u64) {
            return Err(Unread::TooLong);
        }
        self.has_begun = true;
        let mut bytes = Vec::new();
        while let Some(chunk) = self.stream.next().await {
            let chunk = chunk.map_err(|_| Unread::CutOff)?;
            if bytes.len() + chunk.len() > most {
                return Err(Unread::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    /// Reads on, to no end but this: whoever is still sending when the reply comes would be cut off, and never
    /// read it.
    pub async fn drain(mut self) {
        if !self.has_begun {
            return;
        }
        let draining = async {
            let mut read = 0;
            while let Some(Ok(chunk)) = self.stream.next().await {
                read += chunk.len();
                if read > DRAINED {
                    return;
                }
            }
        };
        // Either way, no more is read.
        let _ = timeout(DRAINING, draining).await;
    }
}
