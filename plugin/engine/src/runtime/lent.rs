//! Streams over sockets that the gateway's event loop watches.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use abi::event_loop::{Interest, Watched};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connected socket on one of the gateway's threads.
pub struct LentStream<S> {
    socket: Watched<S>,
    // What was read goes through here: the reader's own room may be as large as it likes and is not initialised, and
    // to do that for every read costs more than the copy.
    received: Box<[u8; ROOM]>,
}

impl<S> LentStream<S> {
    /// A stream over `socket`.
    pub fn new(socket: Watched<S>) -> Self {
        Self {
            socket,
            received: Box::new([0; ROOM]),
        }
    }
}

impl<S> LentStream<S>
where
    for<'a> &'a S: Write,
{
    fn poll_write_with(
        &self,
        context: &mut Context<'_>,
        (length, write): (usize, impl FnMut(&S) -> io::Result<usize>),
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.socket.poll_io(context, Interest::Write, write))?;
        if 0 < written && written < length {
            self.socket.clear_ready(Interest::Write);
        }
        Poll::Ready(Ok(written))
    }
}

impl<S: Unpin> AsyncRead for LentStream<S>
where
    for<'a> &'a S: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, received } = self.get_mut();
        let room = buffer.remaining().min(ROOM);
        let free = &mut received[..room];
        let read = ready!(socket.poll_io(context, Interest::Read, |mut socket| socket.read(free)))?;
        // Less than there was room for: that was all there is.
        if 0 < read && read < room {
            socket.clear_ready(Interest::Read);
        }
        buffer.put_slice(&received[..read]);
        Poll::Ready(Ok(()))
    }
}

impl<S: Unpin> AsyncWrite for LentStream<S>
where
    for<'a> &'a S: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = |mut socket: &S| socket.write(bytes);
        self.poll_write_with(context, (bytes.len(), write))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let write = |mut socket: &S| socket.write_vectored(pieces);
        self.poll_write_with(context, (length, write))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing is kept back.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The connection ends when the stream is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl<S: fmt::Debug> fmt::Debug for LentStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LentStream").field(&self.socket).finish()
    }
}

/// Of a read, in bytes: the answers to some dozen commands.
const ROOM: usize = 16 * 1024;
