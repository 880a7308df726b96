//! A connection that is closed if its client takes too long to send a request or to read a reply.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::bounds::Slot;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To send the head of a request, from its first byte on.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// To read, so that more of a reply can be sent.
    pub read: Duration,
}

/// Counts the starts and ends of answering on a connection: even while it waits for a request.
#[derive(Clone, Default)]
pub struct Turn(Arc<AtomicU64>);

impl Turn {
    /// Notes that a request has arrived. It is being answered until the returned value is dropped.
    pub fn begin(&self) -> Answering {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answering(Some(self.clone()))
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request that is being answered.
pub struct Answering(Option<Turn>);

impl Answering {
    /// Marks the connection as upgraded to a WebSocket: no other request will come.
    pub fn for_good(mut self) {
        self.0 = None;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(Turn(turn)) = &self.0 {
            turn.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The body of a reply. Once it is dropped, the request has been answered.
pub struct Answer {
    body: Body,
    _answering: Answering,
}

impl Answer {
    /// Wraps the body of a reply.
    pub fn new(body: Body, answering: Answering) -> Self {
        Self {
            body,
            _answering: answering,
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection, which keeps its slot while it is open, even as a WebSocket.
pub struct Connection {
    stream: TcpStream,
    patience: Patience,
    turn: Turn,
    /// The value of `turn` at the last read.
    seen: u64,
    /// Whether the head of a request has begun.
    has_begun: bool,
    deadline: Pin<Box<Sleep>>,
    /// When the connection is closed unless the client reads; `None` while it does.
    unread: Option<Pin<Box<Sleep>>>,
    _slot: Slot,
}

impl Connection {
    /// A new connection. Its first request has as long to arrive as the head of any.
    pub fn new(stream: TcpStream, patience: Patience, turn: Turn, slot: Slot) -> Self {
        Self {
            stream,
            patience,
            seen: turn.get(),
            turn,
            has_begun: true,
            deadline: Box::pin(sleep(patience.head)),
            unread: None,
            _slot: slot,
        }
    }

    /// Passes on the outcome of a write; an error if nothing could be written for too long.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let patience = self.patience.read;
        let deadline = self.unread.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        let turn = this.turn.get();
        if !turn.is_multiple_of(2) {
            return read;
        }
        if turn != this.seen {
            this.seen = turn;
            this.has_begun = false;
            this.deadline = Box::pin(sleep(this.patience.idle));
        }
        if buf.filled().len() > before && !this.has_begun {
            this.has_begun = true;
            this.deadline = Box::pin(sleep(this.patience.head));
        }
        match read {
            Poll::Pending if this.deadline.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            read => read,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
