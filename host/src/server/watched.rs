//! The socket of a client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use super::activity::{Activity, Moment};
use super::frames::Frames;
use super::heads::{Fault, Heads};
use super::watchdog::Manner;
use crate::stream::Stream;

/// A client's socket that tells what happens on it. A tunnel keeps it, and with it the seat.
pub(super) struct Watched {
    stream: Stream,
    activity: Arc<Activity>,
    /// What was read to find out which protocol it is.
    unread: Bytes,
    followed: Followed,
    _seat: Option<Seat>,
}

/// What is known of the bytes that come.
enum Followed {
    /// Nothing yet.
    Bytes,
    Heads(Heads),
    /// A head was ambiguous: the parser gets what it refuses.
    Refused,
    Frames(Box<Frames>),
}

/// The right to be connected, where connections are limited.
pub(super) type Seat = OwnedSemaphorePermit;

impl Watched {
    pub(super) fn new(stream: Stream, activity: Arc<Activity>, seat: Option<Seat>) -> Self {
        Self {
            stream,
            activity,
            unread: Bytes::new(),
            followed: Followed::Bytes,
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
        if let Followed::Heads(heads) = &mut self.followed {
            *heads = Heads::default();
        }
    }

    /// Waits until there is something to read, without a place to read it to.
    pub(super) async fn readable(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            if !self.unread.is_empty() {
                return Poll::Ready(Ok(()));
            }
            // What TLS still holds back has nobody else to send it.
            let sent = Pin::new(&mut *self).poll_flush(cx)?;
            let readable = self.stream.poll_readable(cx);
            ready!(sent);
            readable
        })
        .await
    }

    /// Follows the requests of HTTP/1.1 from here on.
    pub(super) fn follow_heads(&mut self) {
        self.followed = Followed::Heads(Heads::default());
    }

    /// Follows the frames of HTTP/2 from here on.
    pub(super) fn follow_frames(&mut self) {
        let frames = Frames::new(Arc::clone(&self.activity));
        self.followed = Followed::Frames(Box::new(frames));
        self.activity.ready();
    }

    /// Looks at what was read behind `before`.
    fn see(&mut self, buffer: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let bytes = &buffer.filled()[before..];
        if bytes.is_empty() {
            return Ok(());
        }
        match &mut self.followed {
            Followed::Bytes | Followed::Refused => {
                self.activity.bytes_read();
            }
            Followed::Heads(heads) => {
                if let Err(Fault(at)) = look_at_heads(heads, &self.activity, bytes) {
                    self.followed = Followed::Refused;
                    buffer.set_filled(before + at);
                    refuse(buffer);
                }
            }
            Followed::Frames(frames) => frames.follow(bytes).map_err(io::Error::other)?,
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

fn look_at_heads(heads: &mut Heads, activity: &Activity, bytes: &[u8]) -> Result<(), Fault> {
    if activity.bytes_read() == Moment::Begins {
        heads.nothing_runs();
    }
    let was_unknown = heads.is_unknown();
    heads.follow(bytes)?;
    if heads.is_unknown() && !was_unknown {
        // Unless the offer before it is taken up, this is not read as a request.
        activity.dismiss(Manner::Resting);
    }
    Ok(())
}

/// As much as there is room for. Whoever reads on gets it again.
fn refuse(buffer: &mut ReadBuf<'_>) {
    let size = Heads::REFUSED.len().min(buffer.remaining());
    buffer.put_slice(&Heads::REFUSED[..size]);
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if matches!(self.followed, Followed::Refused) {
            refuse(buffer);
            return Poll::Ready(Ok(()));
        }
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
