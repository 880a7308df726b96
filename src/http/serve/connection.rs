//! A connection that is given up where its client takes too long to send a request, or to read what it is sent.

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
    /// For the head of a request, from its first byte on.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// Until more of a reply can be sent.
    pub read: Duration,
}

/// How often a connection has begun or ended to answer: even while it waits for a request.
#[derive(Clone, Default)]
pub struct Turn(Arc<AtomicU64>);

impl Turn {
    /// A request is there; it is answered until what this gives is dropped.
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
    /// The connection has become a socket, and no other request comes.
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

/// The body of an answer, with which it ends.
pub struct Answer {
    body: Body,
    _answering: Answering,
}

impl Answer {
    /// The answer with this body.
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

/// A connection, which keeps its place for as long as it is open, whatever it has become.
pub struct Connection {
    stream: TcpStream,
    patience: Patience,
    turn: Turn,
    /// The turn in which it was read last.
    seen: u64,
    /// Whether the head of a request has begun.
    has_begun: bool,
    deadline: Pin<Box<Sleep>>,
    /// Until when the client has to read, where it does not.
    unread: Option<Pin<Box<Sleep>>>,
    _slot: Slot,
}

impl Connection {
    /// A connection whose client has as long for its first request as for the head of any.
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

    /// What came of writing: an error where nothing could be written for too long.
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
