//! GraphQL over WebSocket: the socket, and the tasks of its operations.

mod task;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant as Moment, MissedTickBehavior, interval_at, sleep, timeout};
use tracing::Instrument;
use tungstenite::error::ProtocolError;

use self::task::{SLOTS, Task, WAITING};
use super::protocol::{Action, Close, Protocol};
use super::run::{Outlet, Output};
use super::stopped;
use crate::auth::{Refused, Viewer};
use crate::http::client::Client;
use crate::http::credentials::Credentials;
use crate::http::params::Params;
use crate::http::request_id::RequestId;
use crate::http::state::State;
use crate::metrics::Transport;

/// The supported subprotocol.
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// How many results of all operations may be queued for the socket before the operations have to wait.
const QUEUE: usize = 4;
/// How often a stopping server checks whether it may close the socket.
const LOOK: Duration = Duration::from_millis(50);
/// How long the closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Upgrades a request with these credentials to a WebSocket.
pub fn open(
    state: State,
    credentials: Credentials,
    client: Client,
    id: RequestId,
    upgrade: WebSocketUpgrade,
) -> Response {
    let longest = state.app.config.http.max_body_bytes;
    let span = tracing::info_span!("socket", request_id = id.text);
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(longest)
        .max_frame_size(longest)
        .on_upgrade(move |socket| serve(socket, state, credentials, client, id).instrument(span))
}

async fn serve(
    mut socket: WebSocket,
    state: State,
    credentials: Credentials,
    client: Client,
    id: RequestId,
) {
    // Held until the end: a stopping server waits for this.
    let stopping = state.stopping.subscribe();
    let _counted = state.app.metrics.stream(Transport::WebSocket);
    let ended = match socket.protocol() {
        None => Err(Ended::Closed(Close::SUBPROTOCOL)),
        Some(_) => {
            let (sender, outputs) = mpsc::channel(QUEUE);
            let connection = Connection {
                state,
                id,
                socket: &mut socket,
                credentials,
                client,
                protocol: Protocol::new(),
                sender,
                slots: Arc::new(Semaphore::new(SLOTS as usize)),
                permits: SLOTS,
                room: Arc::new(Semaphore::new(WAITING)),
                place: None,
                unfinished: Arc::new(()),
                tasks: JoinSet::new(),
                running: HashMap::new(),
            };
            connection.run(outputs, stopping.clone()).await
        }
    };
    match ended {
        Err(Ended::Closed(close)) => {
            tracing::debug!(?close, "socket closed");
            // The client may be gone already.
            let _ = timeout(FAREWELL, say_farewell(&mut socket, close)).await;
        }
        Err(Ended::Left) => {
            tracing::debug!("socket closed by the client");
            // Reading on answers its close frame, as RFC 6455 §5.5.1 demands.
            let _ = timeout(FAREWELL, hear_out(&mut socket)).await;
        }
        Ok(()) | Err(Ended::Lost) => tracing::debug!("socket lost"),
    }
    drop(stopping);
}

/// Closes the socket, and waits for the client to do so as well: dropping the connection earlier could
/// lose the close frame.
async fn say_farewell(socket: &mut WebSocket, close: Close) {
    let frame = CloseFrame {
        code: close.code,
        reason: Utf8Bytes::from(close.reason.as_ref()),
    };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        hear_out(socket).await;
    }
}

async fn hear_out(socket: &mut WebSocket) {
    while let Some(Ok(_)) = socket.recv().await {}
}

/// Why a connection ended.
enum Ended {
    /// The server closes it.
    Closed(Close),
    /// The client closed it.
    Left,
    /// The client disappeared, went silent, or stopped reading.
    Lost,
}

impl From<Close> for Ended {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

/// An output, with the key of its operation.
type Keyed = (u64, Output);

struct Connection<'a> {
    state: State,
    id: RequestId,
    socket: &'a mut WebSocket,
    credentials: Credentials,
    client: Client,
    protocol: Protocol,
    sender: mpsc::Sender<Keyed>,
    /// The slots of queries and mutations.
    slots: Arc<Semaphore>,
    /// How many slots a query or mutation of this client takes.
    permits: u32,
    /// The places of operations that wait for a slot. Without one, no message is read.
    room: Arc<Semaphore>,
    place: Option<OwnedSemaphorePermit>,
    /// Shared with the tasks of queries and mutations, and of operations that may turn out to be such.
    unfinished: Arc<()>,
    /// The operations, which are aborted with the connection. The result of each says whether the
    /// connection may go on.
    tasks: JoinSet<Result<(), Close>>,
    running: HashMap<u64, Running>,
}

/// A task that runs an operation.
struct Running {
    task: AbortHandle,
    /// Completes when the task is dropped, with all that it holds.
    gone: oneshot::Receiver<Infallible>,
}

impl Running {
    /// Stops the task, and waits until what it held is free, such as its place among the viewer's
    /// subscriptions: the client's next message may need it.
    async fn stop(self) {
        self.task.abort();
        // Never sends: it fails once the sender is dropped.
        let _ = self.gone.await;
    }
}

impl Connection<'_> {
    async fn run(
        mut self,
        mut outputs: mpsc::Receiver<Keyed>,
        mut stopping: watch::Receiver<bool>,
    ) -> Result<(), Ended> {
        let pace = self.state.app.pace;
        let mut too_late = Box::pin(sleep(pace.sign_in));
        let mut heartbeat = interval_at(Moment::now() + pace.heartbeat, pace.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_silent = false;
        let mut is_stopping = false;
        let mut signed_out: BoxFuture<'static, ()> = future::pending().boxed();
        loop {
            if is_stopping && self.is_idle() && outputs.is_empty() {
                return Err(Close::STOPPING.into());
            }
            tokio::select! {
                place = self.room.clone().acquire_owned(), if self.place.is_none() => {
                    // Never closed, so this never fails.
                    self.place = place.ok();
                    // What the client has sent since it had none is still unread.
                    is_silent = false;
                    heartbeat.reset();
                }
                message = self.socket.recv(), if !is_stopping && self.place.is_some() => {
                    is_silent = false;
                    let message = message.ok_or(Ended::Lost)?;
                    if let Some(viewer) = self.receive(message).await? {
                        signed_out = viewer;
                    }
                }
                // Never `None`: the connection holds a sender.
                Some((key, output)) = outputs.recv() => {
                    if output.is_last() {
                        self.running.remove(&key);
                    }
                    if let Some(message) = self.protocol.write(key, output) {
                        self.send(Message::Text(message.into())).await?;
                    }
                }
                Some(ended) = self.tasks.join_next() => self.look_after(ended).await?,
                () = &mut too_late, if self.protocol.is_waiting() => Err(Close::SIGN_IN)?,
                () = &mut signed_out => Err(Close::FORBIDDEN)?,
                () = stopped(&mut stopping), if !is_stopping => is_stopping = true,
                // An operation that turns out to be a subscription is waited for no longer.
                () = sleep(LOOK), if is_stopping => {}
                _ = heartbeat.tick(), if !is_stopping && self.place.is_some() => {
                    if is_silent {
                        return Err(Ended::Lost);
                    }
                    is_silent = true;
                    // Every client answers pings, whatever the page is doing.
                    self.send(Message::Ping(Vec::new().into())).await?;
                }
            }
        }
    }

    /// Whether no query or mutation is running. A stopping server finishes those, and takes no more
    /// messages.
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.unfinished) == 1
    }

    /// Handles a message. After signing in, returns a future that completes when the credentials end.
    async fn receive(
        &mut self,
        message: Result<Message, axum::Error>,
    ) -> Result<Option<BoxFuture<'static, ()>>, Ended> {
        let text = match message {
            Ok(Message::Text(text)) => text,
            Ok(Message::Binary(_)) => Err(Close::NOT_TEXT)?,
            Ok(Message::Ping(_) | Message::Pong(_)) => return Ok(None),
            Ok(Message::Close(_)) => return Err(Ended::Left),
            Err(error) => return Err(violation(&error).map_or(Ended::Lost, Ended::Closed)),
        };
        match self.protocol.receive(&text) {
            Action::Nothing => {}
            Action::SignIn(given) => return self.sign_in(given).await.map(Some),
            Action::Send(message) => self.send(Message::Text(message.into())).await?,
            Action::Start(key, params) => self.start(key, params),
            Action::Stop(key) => {
                if let Some(running) = self.running.remove(&key) {
                    running.stop().await;
                }
            }
            Action::Close(close) => Err(close)?,
        }
        Ok(None)
    }

    async fn sign_in(
        &mut self,
        given: Option<Credentials>,
    ) -> Result<BoxFuture<'static, ()>, Ended> {
        if let Some(given) = given {
            self.credentials = given;
        }
        let viewer = authenticate(&self.state, &self.credentials).await?;
        if viewer.is_some() {
            self.permits = 1;
        }
        let acknowledgement = self.protocol.acknowledge();
        self.send(Message::Text(acknowledgement.into())).await?;
        let credentials = self.credentials.clone();
        Ok(credentials.ended(self.state.clone(), viewer).boxed())
    }

    fn start(&mut self, key: u64, params: Params) {
        let (held, gone) = oneshot::channel();
        let outlet = Outlet {
            key,
            sender: self.sender.clone(),
            // Writing to the socket has its own timeout.
            patience: None,
        };
        let task = Task {
            state: self.state.clone(),
            credentials: self.credentials.clone(),
            client: self.client,
            id: self.id.clone(),
            arrived: self.state.app.now(),
            slots: self.slots.clone(),
            permits: self.permits,
            place: self.place.take(),
            unfinished: Some(self.unfinished.clone()),
            _held: held,
        };
        let running = task.run(params, outlet).in_current_span();
        let task = self.tasks.spawn(running);
        self.running.insert(key, Running { task, gone });
    }

    /// Handles the end of an operation's task.
    async fn look_after(
        &mut self,
        ended: Result<Result<(), Close>, JoinError>,
    ) -> Result<(), Ended> {
        match ended {
            Ok(outcome) => Ok(outcome?),
            Err(error) if error.is_panic() => {
                let key = self
                    .running
                    .iter()
                    .find(|(_, running)| running.task.id() == error.id())
                    .map(|(key, _)| *key);
                if let Some(key) = key {
                    self.running.remove(&key);
                    let failure = Output::failure(&self.id);
                    if let Some(message) = self.protocol.write(key, failure) {
                        self.send(Message::Text(message.into())).await?;
                    }
                }
                Ok(())
            }
            // The client has stopped it.
            Err(_) => Ok(()),
        }
    }

    /// Sends a message, and gives up on a client that does not read.
    async fn send(&mut self, message: Message) -> Result<(), Ended> {
        let sending = self.socket.send(message);
        match timeout(self.state.app.pace.read, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended::Lost),
        }
    }
}

async fn authenticate(state: &State, credentials: &Credentials) -> Result<Option<Viewer>, Close> {
    match credentials.authenticate(state).await {
        Ok(viewer) => Ok(viewer.ok()),
        Err(Refused::Invalid(reason)) => {
            tracing::info!(reason, "credentials refused");
            Err(Close::FORBIDDEN)
        }
        Err(Refused::Failed(error)) => {
            tracing::warn!(error = error.details(), "credentials could not be checked");
            Err(Close::UNAVAILABLE)
        }
    }
}

/// Returns how to close the socket if the client has violated the WebSocket protocol: RFC 6455 §7.4.1.
fn violation(error: &axum::Error) -> Option<Close> {
    use std::error::Error;

    let source = error.source()?;
    match source.downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some(Close::TOO_LONG),
        tungstenite::Error::Utf8(_) => Some(Close::NOT_UTF8),
        // The client has disappeared without closing the socket.
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some(Close::PROTOCOL),
        _ => None,
    }
}
