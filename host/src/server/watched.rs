//! The socket of a client.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use super::activity::Activity;
use super::frames::Frames;
use crate::stream::Stream;

/// A client's socket that tells what happens on it. A tunnel keeps it, and with it the seat.
pub(super) struct Watched {
    stream: Stream,
    activity: Arc<Activity>,
    /// What was read to find out which protocol it is.
    unread: Bytes,
    /// The frames of HTTP/2, once it is known that it is spoken.
    frames: Option<Box<Frames>>,
    _seat: Option<Seat>,
}

/// The right to be connected, where connections are limited.
pub(super) type Seat = OwnedSemaphorePermit;

impl Watched {
    pub(super) fn new(stream: Stream, activity: Arc<Activity>, seat: Option<Seat>) -> Self {
        Self {
            stream,
            activity,
            unread: Bytes::new(),
            frames: None,
            _seat: seat,
        }
    }

    /// Takes back what was read, which is the beginning of a request or nothing.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        // Even nothing would hold on to what it is a part of.
        self.unread = if bytes.is_empty() {
            Bytes::new()
        } else {
            bytes
        };
    }

    /// What was read behind the last request, which is the beginning of the next one.
    pub(super) fn note_begun(&self) {
        self.activity.bytes_read();
    }

    /// Waits until there is something to read, without a place to read it to.
    pub(super) async fn readable(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_rested(cx)).await
    }

    /// As [`readable`](Self::readable).
    pub(super) fn poll_rested(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What TLS still holds back has nobody else to send it.
        let sent = Pin::new(&mut *self).poll_flush(cx)?;
        let readable = self.poll_readable(cx);
        ready!(sent);
        readable
    }

    /// Ready when there may be something to read.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.unread.is_empty() {
            true => self.stream.poll_readable(cx),
            false => Poll::Ready(Ok(())),
        }
    }

    /// Follows the frames of HTTP/2 from here on.
    pub(super) fn follow_frames(&mut self) {
        self.frames = Some(Box::new(Frames::new(Arc::clone(&self.activity))));
        self.activity.ready();
    }

    /// Looks at what was read behind `before`.
    fn see(&mut self, buffer: &ReadBuf<'_>, before: usize) -> io::Result<()> {
        let bytes = &buffer.filled()[before..];
        if bytes.is_empty() {
            return Ok(());
        }
        match &mut self.frames {
            None => self.activity.bytes_read(),
            Some(frames) => frames.follow(bytes).map_err(io::Error::other)?,
        }
        Ok(())
    }

    fn note<T>(&self, poll: &Poll<T>) {
        match poll {
            Poll::Pending => self.activity.write_blocked(),
            Poll::Ready(_) => self.activity.bytes_written(),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.unread.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        } else {
            let size = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread[..size]);
            self.unread.advance(size);
            // Even nothing would hold on to what it is a part of.
            if self.unread.is_empty() {
                self.unread = Bytes::new();
            }
        }
        Poll::Ready(self.see(buffer, before))
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
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        // Over TLS this is where a client that takes nothing is noticed; in the clear there is nothing to wait for.
        if matches!(self.stream, Stream::Tls(_)) {
            self.note(&poll);
        }
        poll
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
