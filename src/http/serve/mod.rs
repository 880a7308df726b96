//! Serving connections: how many there may be, how long their clients may take, and how they end when
//! the server stops.

mod bounds;
mod connection;

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

use self::bounds::{Bounds, Slot};
use self::connection::{Answer, Connection, Patience, Turn};
use super::client::Peer;
use super::subscription::stopped;
use crate::app::Pace;
use crate::config;
use crate::metrics::Metrics;

/// The longest head of a request, in bytes: its URL may hold a query.
const MAX_HEAD: usize = 128 * 1024;
/// How long to wait after failing to accept a connection, mostly for want of file descriptors.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves connections until `stopping` is true. Each connection then open is subscribed to `stopping`
/// until it has ended.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    http: &config::Http,
    pace: Pace,
    metrics: Metrics,
    stopping: Arc<watch::Sender<bool>>,
) {
    let bounds = Bounds::new(http, metrics);
    let patience = Patience {
        head: Duration::from_secs(http.header_timeout_seconds),
        idle: Duration::from_secs(http.keep_alive_seconds),
        read: pace.read,
    };
    let mut is_stopping = stopping.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut is_stopping) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(slot) = bounds.take(peer.ip()) else {
                    tracing::debug!(%peer, "connection refused: too many are open");
                    continue;
                };
                let router = router.clone();
                let stopping = stopping.subscribe();
                tokio::spawn(answer(stream, peer.ip(), router, patience, slot, stopping));
            }
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection, until it is closed or becomes a WebSocket.
async fn answer(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
    patience: Patience,
    slot: Slot,
    mut stopping: watch::Receiver<bool>,
) {
    // Replies are written whole, and should not wait to be batched.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    let turn = Turn::default();
    let io = TokioIo::new(Connection::new(stream, patience, turn.clone(), slot));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let answering = turn.begin();
        request.extensions_mut().insert(Peer(peer));
        let router = router.clone();
        async move {
            let response: Response<Body> = router.oneshot(request).await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                answering.for_good();
                return Ok(response);
            }
            Ok::<_, Infallible>(response.map(|body| Body::new(Answer::new(body, answering))))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The connection's own deadlines come first. This makes hyper poll it while it waits for a
        // request.
        .header_read_timeout(patience.head + patience.idle)
        .max_buf_size(MAX_HEAD)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection lost");
    }
}

/// Whether accepting failed because the client has already gone.
fn is_of_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
