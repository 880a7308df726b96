//! A mail server that keeps the mails it receives.

use std::net::SocketAddr;

use tenantry::config::Secret;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::port::port;
use super::wait::PATIENCE;

/// The address of a mail server, which may be down.
pub struct SmtpAddress(SocketAddr);

/// A mail server that keeps the mails it receives. Stopped when this is dropped.
pub struct SmtpServer {
    mails: mpsc::UnboundedReceiver<String>,
    accepting: tokio::task::JoinHandle<()>,
}

impl SmtpAddress {
    /// Returns an address that nobody listens on.
    pub fn free() -> Self {
        let port = port().expect("a free port");
        Self(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// Returns the URL for the configuration.
    pub fn url(&self) -> Secret {
        Secret::new(format!("smtp://{}", self.0))
    }

    /// Starts a server at the address that accepts every mail.
    pub async fn listen(&self) -> SmtpServer {
        self.serve("250 ok").await
    }

    /// Starts a server at the address that responds to each recipient with this.
    pub async fn serve(&self, to_recipients: &'static str) -> SmtpServer {
        let listener = TcpListener::bind(self.0).await.expect("the port is free");
        let (keep, mails) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let keep = keep.clone();
                tokio::spawn(async move {
                    // A client that disconnects does not concern the test.
                    let _ = talk(stream, to_recipients, &keep).await;
                });
            }
        });
        SmtpServer { mails, accepting }
    }
}

impl SmtpServer {
    /// Returns the next mail as it arrived.
    pub async fn next(&mut self) -> String {
        let mail = timeout(PATIENCE, self.mails.recv());
        mail.await
            .expect("a mail comes in time")
            .expect("a mail comes")
    }

    /// Whether no other mail has arrived.
    pub fn is_empty(&mut self) -> bool {
        self.mails.try_recv().is_err()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn talk(
    stream: TcpStream,
    to_recipients: &str,
    keep: &mpsc::UnboundedSender<String>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 stub\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let word = line.split([' ', '\r', ':']).next().unwrap_or_default();
        let answer = match word.to_uppercase().as_str() {
            "RCPT" => to_recipients,
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") && stream.read_line(&mut mail).await? > 0 {}
                // The test may be over already.
                let _ = keep.send(mail);
                "250 kept"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        line.clear();
    }
    Ok(())
}
