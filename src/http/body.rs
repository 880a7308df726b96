//! Request bodies.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;

/// How much of a refused body is read and discarded, and for how long, so that its sender gets to read
/// the refusal.
const DRAINED: usize = 8 * 1024 * 1024;
const DRAINING: Duration = Duration::from_secs(10);

/// Why a body could not be read.
pub enum Unread {
    /// It is longer than allowed.
    TooLong,
    /// It ended early, or is not encoded as its head says.
    CutOff,
}

/// A request body that is being received.
pub struct Incoming {
    stream: BodyDataStream,
    /// Its length in bytes according to `Content-Length`, if given.
    declared: Option<u64>,
    /// Whether the sender has begun: with `Expect`, only once the body is first read.
    has_begun: bool,
}

impl Incoming {
    /// Wraps the body of a request with these headers.
    pub fn new(headers: &HeaderMap, body: Body) -> Self {
        let length = headers.get(CONTENT_LENGTH);
        Self {
            stream: body.into_data_stream(),
            declared: length.and_then(|length| length.to_str().ok()?.parse().ok()),
            has_begun: !headers.contains_key(EXPECT),
        }
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// If it is cut off, or longer than `most` bytes, which may be known before any of it is read.
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

    /// Reads and discards the rest of the body: a client that is still sending when the reply comes
    /// would be cut off, and never read it.
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
        // Complete or timed out, no more is read.
        let _ = timeout(DRAINING, draining).await;
    }
}
