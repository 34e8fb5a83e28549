//! A stream that somebody else introduces us on.
//!
//! The client library knows how to log in to every server. It takes the stream for itself and does not give it back, so
//! it gets one that is shared.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::Stream;
use crate::storage::redis::fault::Fault;

/// A stream, for as long as the handshake takes.
#[derive(Clone)]
pub(super) struct Introduced(Arc<Mutex<Pin<Box<dyn Stream>>>>);

impl Introduced {
    pub(super) fn new(stream: Pin<Box<dyn Stream>>) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    /// The stream, when nobody else has it any more.
    pub(super) fn into_stream(self) -> Result<Pin<Box<dyn Stream>>, Fault> {
        let stream = Arc::into_inner(self.0).map(Mutex::into_inner);
        let stream = stream.map(|stream| stream.unwrap_or_else(PoisonError::into_inner));
        stream.ok_or_else(|| Fault::lost("the client has kept the connection"))
    }

    fn lock(&self) -> MutexGuard<'_, Pin<Box<dyn Stream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Introduced {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.lock().as_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Introduced {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.lock().as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().as_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().as_mut().poll_shutdown(cx)
    }
}
