//! The deadlines of a client connection.
//!
//! | phase | ends with | deadline |
//! |---|---|---|
//! | `Waiting` | the first byte of a request | `headerRead` on a new connection, `idle` on a kept one |
//! | `Head` | the last byte of its headers | `headerRead` in total, however slowly the bytes drip |
//! | `Busy` | the end of the response | none here: bodies and upstreams have their own |
//!
//! In any phase a client that does not take what is written to it has `idle`.
//!
//! hyper starts its header timer when a connection is opened and when a response ends, so it cannot tell waiting from
//! dripping. One timer per connection serves all of this, and a busy connection never touches it.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::config::Timeouts;
use crate::stream::Stream;

/// What a connection is doing, seen by its socket, its service and its timer. One thread uses it: the lock is free.
#[derive(Debug)]
pub(super) struct Activity {
    timeouts: Timeouts,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    deadline: Instant,
    is_clogged: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Busy,
    Head,
    Waiting,
}

impl Activity {
    /// A connection that has just been accepted.
    pub(super) fn new(timeouts: Timeouts) -> Arc<Self> {
        let deadline = Instant::now() + timeouts.header_read.get();
        let state = State {
            phase: Phase::Waiting,
            deadline,
            is_clogged: false,
        };
        Arc::new(Self {
            timeouts,
            state: Mutex::new(state),
        })
    }

    /// The headers of a request are complete.
    pub(super) fn begin(&self) {
        self.update(|state| state.phase = Phase::Busy);
    }

    /// The response is written, or as good as.
    pub(super) fn end(&self) {
        let deadline = Instant::now() + self.timeouts.idle.get();
        self.update(|state| {
            state.phase = Phase::Waiting;
            state.deadline = deadline;
        });
    }

    /// When the connection is to be cut, unless something happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.read();
        (state.phase != Phase::Busy || state.is_clogged).then_some(state.deadline)
    }

    /// Whether no request has begun, so that the connection can be closed without harm.
    pub(super) fn is_waiting(&self) -> bool {
        let state = self.read();
        state.phase == Phase::Waiting && !state.is_clogged
    }

    fn bytes_read(&self) {
        if self.read().phase == Phase::Waiting {
            let deadline = Instant::now() + self.timeouts.header_read.get();
            self.update(|state| {
                state.phase = Phase::Head;
                state.deadline = deadline;
            });
        }
    }

    fn write_blocked(&self) {
        if !self.read().is_clogged {
            self.extend(true);
        }
    }

    fn bytes_written(&self) {
        if self.read().is_clogged {
            self.extend(false);
        }
    }

    fn extend(&self, is_clogged: bool) {
        let deadline = Instant::now() + self.timeouts.idle.get();
        self.update(|state| {
            state.is_clogged = is_clogged;
            state.deadline = deadline;
        });
    }

    fn read(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A client's socket that tells what happens on it.
pub(super) struct Watched {
    pub(super) stream: Stream,
    pub(super) activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.bytes_read();
        }
        poll
    }
}

impl Watched {
    fn note(&self, poll: &Poll<io::Result<usize>>) {
        match poll {
            Poll::Pending => self.activity.write_blocked(),
            Poll::Ready(_) => self.activity.bytes_written(),
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(&poll);
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note(&poll);
        poll
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
