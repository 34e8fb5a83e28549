//! A connection without a socket.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use hyper::rt::{Read, ReadBufCursor, Write};

/// Whoever is at the other end has sent this and takes everything.
pub struct Sent(pub BytesMut);

impl Read for Sent {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        let size = buffer.remaining().min(self.0.len());
        buffer.put_slice(&self.0.split_to(size));
        Poll::Ready(Ok(()))
    }
}

impl Write for Sent {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
