//! Streams over sockets that the gateway's event loop watches.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use abi::event_loop::{Interest, Watched};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connected socket on one of the gateway's threads.
#[derive(Debug)]
pub struct LentStream<S>(Watched<S>);

impl<S> LentStream<S> {
    /// A stream over `socket`.
    pub const fn new(socket: Watched<S>) -> Self {
        Self(socket)
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
        let written = ready!(self.0.poll_io(context, Interest::Write, write))?;
        if 0 < written && written < length {
            self.0.clear_ready(Interest::Write);
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
        let free = buffer.initialize_unfilled();
        let read = ready!(
            self.0
                .poll_io(context, Interest::Read, |mut socket| socket.read(free))
        )?;
        // Less than there was room for: that was all there is.
        if 0 < read && read < free.len() {
            self.0.clear_ready(Interest::Read);
        }
        buffer.advance(read);
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
