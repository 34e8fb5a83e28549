//! What flows in a tunnel, and whether it has run dry.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// What flows in both directions of a tunnel.
#[derive(Debug, Default)]
pub(super) struct Flow {
    ended: Notify,
    has_moved: AtomicBool,
}

/// One side of a tunnel.
pub(super) struct Side<S> {
    stream: S,
    flow: Arc<Flow>,
}

impl Flow {
    /// Ready when one side has ended and the other has said nothing since for too long, or has not ended for much longer.
    /// Whoever has closed may wait for an answer; whoever never closes would keep the tunnel, and its place, for ever.
    pub(super) async fn run_dry(&self) {
        self.ended.notified().await;
        // Either way it is over.
        let _ = timeout(LAST_WORDS, self.fall_silent()).await;
    }

    async fn fall_silent(&self) {
        loop {
            self.has_moved.store(false, Ordering::Relaxed);
            sleep(HALF_CLOSED).await;
            if !self.has_moved.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

impl<S> Side<S> {
    pub(super) fn new(stream: S, flow: &Arc<Flow>) -> Self {
        Self {
            stream,
            flow: Arc::clone(flow),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Side<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        match buffer.filled().len() == before {
            true => self.flow.ended.notify_one(),
            false => self.flow.has_moved.store(true, Ordering::Relaxed),
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Side<S> {
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
}

// Longer than any answer to a close takes that is going to come.
const HALF_CLOSED: Duration = Duration::from_secs(30);
// What was under way when a side closed has come by then. In a WebSocket nothing may be sent once both have said that they
// close (RFC 6455 5.5.1), so who goes on speaks to nobody.
const LAST_WORDS: Duration = Duration::from_secs(300);
