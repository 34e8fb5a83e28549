//! Reads and writes the bytes of a connection.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::lines;

/// A connection, and what was read from it and is not used yet.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    pub(crate) stream: S,
    /// Room to read into. In it is what has come of a head.
    buffer: BytesMut,
    /// Behind the head, in the order in which it came.
    pub(crate) rest: Bytes,
    /// How much to ask for at a time.
    read: usize,
}

/// What came instead of a head.
#[derive(Debug)]
pub(crate) enum Missing<E> {
    /// The end of the connection, before anything else.
    Closed,
    /// The end of the connection within a head.
    Incomplete,
    /// The connection failed.
    Io(io::Error),
    /// Something that is no head.
    Malformed(E),
}

/// How a head is read.
pub(crate) trait Parse {
    type Head;
    type Error;

    /// The longest that may come in pieces, in bytes.
    fn limit(&self) -> usize;

    /// A head, if all of it has come, and the first bytes behind it. What is not used stays.
    fn parse(
        &mut self,
        received: &mut BytesMut,
    ) -> Result<Option<(Self::Head, Bytes)>, Self::Error>;
}

impl<S: AsyncRead + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            rest: Bytes::new(),
            read: MIN_READ,
        }
    }

    /// Whether nothing was read that is not used yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.buffer.is_empty()
    }

    /// Whether there is nothing to read, not even an end.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        let mut cx = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut self.stream).poll_read(&mut cx, &mut ReadBuf::new(&mut byte));
        read.is_pending() && self.is_empty()
    }

    /// Lets go of the room to read into, until there is something to read.
    pub(crate) fn let_go(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        self.read = MIN_READ;
    }

    /// Waits for a head; what came behind it is then in `rest`.
    pub(crate) fn poll_head<P: Parse>(
        &mut self,
        parser: &mut P,
        cx: &mut Context<'_>,
    ) -> Poll<Result<P::Head, Missing<P::Error>>> {
        // What came behind the last message is the beginning of this one.
        if !self.rest.is_empty() {
            self.buffer = BytesMut::from(std::mem::take(&mut self.rest));
            if let Some(head) = self.parse(parser)? {
                return Poll::Ready(Ok(head));
            }
        }
        loop {
            let before = self.buffer.len();
            let read = ready!(self.poll_read(cx)).map_err(Missing::Io)?;
            if read == 0 {
                return Poll::Ready(Err(match before {
                    0 => Missing::Closed,
                    _ => Missing::Incomplete,
                }));
            }
            // Whoever sends a head in many pieces must not have it read from its beginning for each.
            let is_long = self.buffer.len() > parser.limit();
            if before > 0 && !is_long && !lines::has_end(&self.buffer, before) {
                continue;
            }
            if let Some(head) = self.parse(parser)? {
                return Poll::Ready(Ok(head));
            }
        }
    }

    fn parse<P: Parse>(&mut self, parser: &mut P) -> Result<Option<P::Head>, Missing<P::Error>> {
        let parsed = parser.parse(&mut self.buffer).map_err(Missing::Malformed)?;
        Ok(parsed.map(|(head, rest)| {
            self.rest = rest;
            head
        }))
    }

    /// Reads on. `false` at the end of the connection.
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let read = ready!(self.poll_read(cx))?;
        self.rest = self.buffer.split().freeze();
        Poll::Ready(Ok(read > 0))
    }

    pub(crate) fn into_parts(self) -> (S, Bytes) {
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
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

// Holds most heads. Not a power of two: buffers that begin at the same place of a page push each other out of the
// processor's first cache, which knows lines by that place.
const MIN_READ: usize = 7 * 1024;
const MAX_READ: usize = 128 * 1024;
