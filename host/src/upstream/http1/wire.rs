//! Reads and writes the bytes of a connection.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use http::Method;
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::Error;
use super::answer::{self, Answer, MAX_HEAD_BYTES};
use crate::stream::Stream;

/// A connection, and what was read from it and is not used yet.
pub(super) struct Wire {
    stream: Stream,
    /// Room to read into. In it is what has come of a head.
    buffer: BytesMut,
    /// Behind the head, in the order in which it came.
    pub(super) rest: Bytes,
    /// How much to ask for at a time.
    read: usize,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            rest: Bytes::new(),
            read: MIN_READ,
        }
    }

    /// Whether there is nothing to read, not even an end.
    pub(super) fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        let mut cx = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut self.stream).poll_read(&mut cx, &mut ReadBuf::new(&mut byte));
        read.is_pending() && self.rest.is_empty() && self.buffer.is_empty()
    }

    /// Lets go of the room to read into, until there is something to read.
    pub(super) fn let_go(&mut self) {
        self.buffer = BytesMut::new();
        self.read = MIN_READ;
    }

    /// Waits for the head of an answer; what came behind it is then in `rest`.
    pub(super) fn poll_answer(
        &mut self,
        method: &Method,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answer, Error>> {
        loop {
            let before = self.buffer.len();
            let read = ready!(self.poll_read(cx)).map_err(Error::Io)?;
            if read == 0 {
                let error = match before {
                    0 => Error::Closed,
                    _ => Error::Incomplete,
                };
                return Poll::Ready(Err(error));
            }
            // Whoever sends a head in many pieces must not have it read from its beginning for each.
            if before > 0 && !has_end(&self.buffer, before) && self.buffer.len() <= MAX_HEAD_BYTES {
                continue;
            }
            if let Some((answer, rest)) = answer::parse(&mut self.buffer, method)? {
                self.rest = rest;
                return Poll::Ready(Ok(answer));
            }
        }
    }

    /// Reads on. `false` at the end of the connection.
    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        let read = ready!(self.poll_read(cx)).map_err(Error::Io)?;
        self.rest = self.buffer.split().freeze();
        Poll::Ready(Ok(read > 0))
    }

    pub(super) fn into_parts(self) -> (Stream, Bytes) {
        (self.stream, self.rest)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.reserve(self.read);
        let room = self.buffer.capacity() - self.buffer.len();
        let read = ready!(pin!(self.stream.read_buf(&mut self.buffer)).poll(cx))?;
        if read == room {
            self.read = (2 * self.read).min(MAX_READ);
        }
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
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
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }
}

/// Whether an empty line ends behind the first `before` bytes.
fn has_end(bytes: &[u8], before: usize) -> bool {
    let recent = &bytes[before.saturating_sub(2)..];
    memmem::find(recent, b"\n\r\n").is_some() || memmem::find(recent, b"\n\n").is_some()
}

// Holds most answers.
const MIN_READ: usize = 8 * 1024;
const MAX_READ: usize = 128 * 1024;
