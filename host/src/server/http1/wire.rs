//! A client's connection, and how far its current request has been read.
//!
//! The task of a connection reads requests from it and writes responses to it, and in between the body of a request is
//! read by whoever wants it. All of that is in one task: the lock is free.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::watched::Watched;
use super::head::{Asked, Expects, Fault, Framing, Reader};
use super::invitation::Invitation;
use super::outbox::Outbox;
use super::post::Post;
use crate::body::BodyError;
use crate::http1::left::Left;
use crate::http1::outgoing::Outgoing;
use crate::http1::wire::{self, Missing};

/// A connection that is shared by its task and the request that it has.
pub(in crate::server) struct Wire(Mutex<State>);

struct State {
    wire: wire::Wire<Watched>,
    /// Of the body of the current request.
    left: Left,
    /// What is still to be said before the client sends that.
    invitation: Invitation,
    /// Whether nobody reads it any more.
    is_abandoned: bool,
    /// Whether it cannot be read on.
    is_broken: bool,
    outbox: Outbox,
    /// Whose body it is. Whoever has the number of another request gets nothing.
    turn: u32,
}

impl Wire {
    pub(in crate::server) fn new(io: Watched) -> Self {
        Self(Mutex::new(State {
            wire: wire::Wire::new(io),
            left: Left::Length(0),
            invitation: Invitation::None,
            is_abandoned: false,
            is_broken: false,
            outbox: Outbox::default(),
            turn: 0,
        }))
    }

    /// Waits for a request. The bytes behind its head are then for whoever reads its body.
    pub(super) async fn request(&self, reader: &mut Reader) -> Result<Asked, Missing<Fault>> {
        self.state().note_begun();
        poll_fn(|cx| {
            let mut state = self.state();
            // Who does not take a response gets no other one.
            if !state.outbox.is_posted() {
                ready!(state.poll_sent(cx)).map_err(Missing::Io)?;
            }
            state.wire.poll_head(reader, cx)
        })
        .await
    }

    /// Room to write a response into.
    pub(super) fn room(&self) -> Vec<u8> {
        self.state().outbox.room()
    }

    /// Keeps the room for the next one.
    pub(super) fn keep_room(&self, room: Vec<u8>) {
        self.state().outbox.keep(room);
    }

    /// Leaves a response to the post, if it is short and no other one is there.
    pub(super) fn post(
        self: &Arc<Self>,
        outgoing: &mut Outgoing,
        (post, cx): (&Post, &Context<'_>),
    ) -> bool {
        let mut state = self.state();
        if !state.outbox.is_empty() {
            return false;
        }
        let Some(message) = outgoing.take_whole() else {
            return false;
        };
        if state.outbox.put(message) {
            drop(state);
            post.collect(Arc::clone(self), cx.waker().clone());
        }
        true
    }

    /// Sends what was posted.
    pub(super) fn deliver(&self, cx: &mut Context<'_>) {
        let State { outbox, wire, .. } = &mut *self.state();
        outbox.deliver(wire, cx);
    }

    /// Makes what follows the body of a request, and returns whose it is.
    pub(super) fn begin(&self, framing: Framing, expects: Expects) -> u32 {
        let mut state = self.state();
        state.left = match framing {
            Framing::Chunked => Left::chunks(),
            Framing::Length(length) => Left::Length(length),
        };
        state.invitation = match expects {
            Expects::Invitation if !state.left.is_end() => Invitation::DUE,
            _ => Invitation::None,
        };
        state.is_abandoned = false;
        state.turn
    }

    /// Nobody will read the body any more.
    pub(super) fn abandon(&self, turn: u32) {
        let mut state = self.state();
        if turn == state.turn {
            state.is_abandoned = true;
        }
    }

    /// A response begins: from here on nothing else may be said.
    pub(super) fn answer(&self, out: &mut Vec<u8>) {
        self.state().invitation.decline(out);
    }

    /// Ready when nobody waits for an answer any more. Bytes that come are kept for the next request.
    pub(super) fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        // What comes now is the body, or has come already: the end is behind it.
        if !state.left.is_end() || !state.wire.is_empty() {
            return Poll::Pending;
        }
        if ready!(state.wire.stream.poll_readable(cx)).is_err() {
            return Poll::Ready(());
        }
        match ready!(state.wire.poll_more(cx)) {
            Ok(true) => Poll::Pending,
            Ok(false) | Err(_) => Poll::Ready(()),
        }
    }

    /// The next part of a body.
    pub(super) fn poll_frame(
        &self,
        turn: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut state = self.state();
        if turn != state.turn {
            return Poll::Ready(Some(Err(BodyError::ClientGone)));
        }
        state.poll_frame(cx)
    }

    pub(super) fn is_end(&self, turn: u32) -> bool {
        let state = self.state();
        turn != state.turn || state.left.is_end()
    }

    pub(super) fn size(&self, turn: u32) -> SizeHint {
        let state = self.state();
        match turn == state.turn {
            true => state.left.size(),
            false => SizeHint::with_exact(0),
        }
    }

    /// Ends the turn of whoever read the body. Whether it has ended, so that another request can follow.
    pub(super) fn finish(&self, cx: &mut Context<'_>) -> bool {
        let mut state = self.state();
        state.turn = state.turn.wrapping_add(1);
        if state.invitation != Invitation::None {
            return state.left.is_end();
        }
        // What is there already is not worth a new connection.
        let mut skipped = 0;
        while skipped <= MAX_SKIPPED {
            match state.poll_frame(cx) {
                Poll::Ready(None) => return true,
                Poll::Ready(Some(Ok(frame))) => {
                    skipped += frame.data_ref().map_or(0, Bytes::len);
                }
                Poll::Ready(Some(Err(_))) | Poll::Pending => return false,
            }
        }
        false
    }

    /// Whether the client has sent something that no request was made of.
    pub(super) fn is_ahead(&self) -> bool {
        !self.state().wire.is_empty()
    }

    /// Whether nobody will get to the end of the current request, so that no other can follow.
    pub(super) fn is_stuck(&self) -> bool {
        let state = self.state();
        let there = state.wire.rest.len() as u64;
        let is_there = match state.left {
            Left::Length(left) => left <= there,
            // Its end may be there or not. It shows when there is nothing else to do.
            Left::Chunks(_) | Left::UntilClose => there > 0 || state.left.is_end(),
        };
        state.is_broken || (state.is_abandoned && !is_there)
    }

    /// Waits until something comes, with no more than the socket itself.
    pub(in crate::server) async fn rest(&self) -> io::Result<()> {
        self.let_go();
        poll_fn(|cx| self.state().wire.stream.poll_rested(cx)).await
    }

    /// Says that nothing more will be said, and takes what still comes: closing a connection at once would take back
    /// what the client has not read yet (RFC 9112 9.6).
    pub(super) async fn linger(&self) -> io::Result<()> {
        poll_fn(|cx| {
            let mut state = self.state();
            ready!(state.poll_sent(cx))?;
            Pin::new(&mut state.wire.stream).poll_shutdown(cx)
        })
        .await?;
        self.let_go();
        loop {
            let is_more = poll_fn(|cx| self.state().wire.poll_more(cx)).await?;
            if !is_more {
                return Ok(());
            }
        }
    }

    /// Lets go of what is only for messages.
    fn let_go(&self) {
        let mut state = self.state();
        state.wire.let_go();
        state.outbox.let_go();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ready when all that was posted is sent.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.poll_sent(&mut self.wire, cx)
    }

    /// Ready when the client has no reason not to send its body. What is said of that comes behind the response to the
    /// request before.
    fn poll_invited(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.invitation != Invitation::None {
            ready!(self.poll_sent(cx))?;
        }
        self.invitation.poll_say(&mut self.wire.stream, cx)
    }

    /// What came behind the last request is the beginning of this one.
    fn note_begun(&self) {
        if !self.wire.is_empty() {
            self.wire.stream.note_begun();
        }
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if self.is_broken {
                return Poll::Ready(Some(Err(BodyError::Malformed)));
            }
            match self.left.take(&mut self.wire.rest) {
                Ok(None) if self.left.is_end() => return Poll::Ready(None),
                Ok(None) => {}
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Err(_) => {
                    self.is_broken = true;
                    continue;
                }
            }
            let more = match ready!(self.poll_invited(cx)) {
                Ok(()) => ready!(self.wire.poll_more(cx)),
                Err(error) => Err(error),
            };
            if !more.unwrap_or_default() {
                return Poll::Ready(Some(Err(BodyError::ClientGone)));
            }
        }
    }
}

impl AsyncWrite for &Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        ready!(state.poll_sent(cx))?;
        Pin::new(&mut state.wire).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.state().wire).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.state().wire).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        ready!(state.poll_sent(cx))?;
        Pin::new(&mut state.wire).poll_write_vectored(cx, parts)
    }
}

impl AsyncRead for &Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.state();
        let rest = &mut state.wire.rest;
        if rest.is_empty() {
            return Pin::new(&mut state.wire.stream).poll_read(cx, buffer);
        }
        buffer.put_slice(&rest.split_to(rest.len().min(buffer.remaining())));
        Poll::Ready(Ok(()))
    }
}

// As much as is read at once from a fast client.
const MAX_SKIPPED: usize = 128 * 1024;

/// Shows nothing of what came.
impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire(..)")
    }
}
