//! A client that writes HTTP by hand, as slowly and as badly as a test wants.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::TestServer;
use super::wait::PATIENCE;

/// A connection.
pub struct Raw {
    stream: TcpStream,
    text: String,
}

impl Raw {
    /// Connects to the server without sending anything.
    pub async fn connect(server: &TestServer) -> Self {
        Self::to(server.url()).await
    }

    /// Connects to whatever serves at that URL.
    pub async fn to(url: &str) -> Self {
        let address = url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("it listens");
        Self {
            stream,
            text: String::new(),
        }
    }

    /// Sends text.
    pub async fn send(&mut self, text: &str) {
        self.try_send(text).await.expect("the text is sent");
    }

    /// Sends the head of a POST request with `length` bytes of JSON and these additional headers.
    pub async fn post(&mut self, path: &str, length: usize, headers: &[(&str, &str)]) {
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n"
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        self.send(&(head + "\r\n")).await;
    }

    /// Sends bytes.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let sent = self.stream.write_all(bytes).await;
        sent.expect("the bytes are sent");
    }

    /// Sends text, unless the connection is closed.
    pub async fn try_send(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.write_all(text.as_bytes()).await
    }

    /// Receives more from the server. Returns `false` if the connection is closed.
    async fn more(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut chunk)).await;
        match read.expect("something comes") {
            Ok(length @ 1..) => {
                self.text += std::str::from_utf8(&chunk[..length]).expect("text");
                true
            }
            Ok(0) | Err(_) => false,
        }
    }

    /// Returns the head of the next response, and as much of its body as has arrived. `None` if the
    /// connection is closed instead.
    pub async fn head(&mut self) -> Option<String> {
        while !self.text.contains("\r\n\r\n") {
            if !self.more().await {
                return None;
            }
        }
        Some(std::mem::take(&mut self.text))
    }

    /// Requests `/healthz`, and returns whether the server responds.
    pub async fn lives(&mut self) -> bool {
        let request = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
        if self.try_send(request).await.is_err() {
            return false;
        }
        match self.head().await {
            None => false,
            Some(head) => {
                self.text = head;
                while !self.text.ends_with("ok\n") {
                    assert!(self.more().await, "{}", self.text);
                }
                self.text.clear();
                true
            }
        }
    }

    /// Returns everything else from the server until it closes the connection, which it must.
    pub async fn rest(mut self) -> String {
        while self.more().await {}
        self.text
    }
}
