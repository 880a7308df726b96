//! A client of `graphql-transport-ws`.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::server::TestServer;
use super::wait::PATIENCE;

/// A client's socket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens a socket without signing in.
    pub async fn open(server: &TestServer) -> Self {
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        let opened = Self::try_open(server, "/graphql/ws", &protocol).await;
        opened.expect("the socket opens")
    }

    /// Opens a socket at that path, with these headers. Returns the status if the handshake is refused.
    pub async fn try_open(
        server: &TestServer,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, StatusCode> {
        Self::try_connect(&format!("{}{path}", server.url()), headers).await
    }

    /// Like [`Socket::try_open`], but at that URL.
    pub async fn try_connect(
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, StatusCode> {
        let url = url.replacen("http", "ws", 1);
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header");
            request.headers_mut().insert(*name, value);
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a socket and signs in with this token.
    pub async fn signed_in(server: &TestServer, token: &str) -> Self {
        let mut socket = Self::open(server).await;
        socket.sign_in(token).await;
        socket
    }

    /// Signs in with this token.
    pub async fn sign_in(&mut self, token: &str) {
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        self.send(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(self.receive().await, json!({ "type": "connection_ack" }));
    }

    /// Opens a socket for the person with that address.
    pub async fn of(server: &TestServer, email: &str) -> Self {
        Self::signed_in(server, &server.token(email)).await
    }

    pub async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.0.send(message).await.expect("the message is sent");
    }

    /// Starts an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// Completes once the server has received everything sent before: it responds in order.
    pub async fn settle(&mut self) {
        self.send(json!({ "type": "ping" })).await;
        assert_eq!(self.receive().await, json!({ "type": "pong" }));
    }

    /// Returns the next message. There must be one.
    pub async fn receive(&mut self) -> Value {
        match self.frame().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("no message: {other:?}"),
        }
    }

    /// Returns the `data` of the next message, which must be a result of that operation.
    pub async fn next(&mut self, id: &str) -> Value {
        let mut message = self.receive().await;
        assert_eq!(message["type"], "next", "{message:#}");
        assert_eq!(message["id"], id, "{message:#}");
        assert!(message["payload"]["errors"].is_null(), "{message:#}");
        message["payload"]["data"].take()
    }

    /// Returns the code of the next message, which must be the error of that operation.
    pub async fn error(&mut self, id: &str) -> String {
        let message = self.receive().await;
        assert_eq!(message["type"], "error", "{message:#}");
        assert_eq!(message["id"], id, "{message:#}");
        let code = &message["payload"][0]["extensions"]["code"];
        code.as_str().unwrap_or_default().to_owned()
    }

    /// Asserts that the next message says that the operation is complete.
    pub async fn completes(&mut self, id: &str) {
        let message = self.receive().await;
        assert_eq!(message, json!({ "type": "complete", "id": id }));
    }

    /// Returns the code with which the server closes the socket, skipping messages before.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.frame().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Text(_))) => {}
                other => panic!("not closed: {other:?}"),
            }
        }
    }

    /// Returns the next frame other than pings and pongs; `None`, or an error, when the connection is
    /// gone.
    pub async fn frame(&mut self) -> Option<Result<Message, Error>> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => return other,
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("something comes")
    }
}

impl Socket {
    /// Sends a message, unless the connection is broken.
    pub async fn try_send(&mut self, message: Message) -> Result<(), Error> {
        self.0.send(message).await
    }

    /// Completes when the server has sent `times` pings.
    pub async fn pings(&mut self, mut times: usize) {
        let asking = async {
            while times > 0 {
                match self.0.next().await {
                    Some(Ok(Message::Ping(_))) => times -= 1,
                    other => panic!("no ping: {other:?}"),
                }
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, asking).await;
        in_time.expect("the server asks");
    }
}
