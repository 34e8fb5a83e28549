//! Connections that change their protocol: by a 101 on HTTP/1.1, and by the answer to CONNECT on HTTP/2.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Extensions;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

use super::http1::Wire;

/// What a request that offers to speak another protocol comes with. Whoever takes it gets the client's end of the
/// connection, once the client has been told that its offer is accepted.
#[derive(Clone, Debug)]
pub(crate) struct Switch(Arc<Mutex<Option<Awaited>>>);

/// The other end of a [`Switch`]. When it is dropped, the offer was not accepted.
#[derive(Debug)]
pub(super) struct Promise(oneshot::Sender<Arc<Wire>>);

/// A client's end to come.
#[derive(Debug)]
pub(crate) struct Awaited(To);

#[derive(Debug)]
enum To {
    Http1(oneshot::Receiver<Arc<Wire>>),
    Http2(OnUpgrade),
}

/// A client's end, in whatever it speaks now.
#[derive(Debug)]
pub(crate) struct Switched(Over);

#[derive(Debug)]
enum Over {
    Http1(Arc<Wire>),
    Http2(TokioIo<Upgraded>),
}

impl Switch {
    /// For a request of HTTP/1.1.
    pub(super) fn promised() -> (Promise, Self) {
        let (promise, awaited) = oneshot::channel();
        (Promise(promise), Self::new(To::Http1(awaited)))
    }

    /// For a request of HTTP/2, which has come with the means for it.
    pub(super) fn adopt(extensions: &mut Extensions) {
        if let Some(upgrade) = extensions.remove::<OnUpgrade>() {
            extensions.insert(Self::new(To::Http2(upgrade)));
        }
    }

    /// The end that is to come, if the request made an offer and nobody has taken it.
    pub(crate) fn take(extensions: &mut Extensions) -> Option<Awaited> {
        let Self(awaited) = extensions.remove()?;
        let mut awaited = awaited.lock().unwrap_or_else(PoisonError::into_inner);
        awaited.take()
    }

    fn new(to: To) -> Self {
        Self(Arc::new(Mutex::new(Some(Awaited(to)))))
    }
}

/// Hands a connection over to whoever has accepted the offer.
pub(super) fn keep(promise: Option<Promise>, wire: &Arc<Wire>) {
    if let Some(Promise(promise)) = promise {
        // Whoever accepted may be gone, and the connection with it.
        let _ = promise.send(Arc::clone(wire));
    }
}

impl Awaited {
    /// Waits until the client has been told.
    ///
    /// # Errors
    /// When it could not be told.
    pub(crate) async fn switched(self) -> io::Result<Switched> {
        Ok(Switched(match self.0 {
            To::Http1(awaited) => Over::Http1(awaited.await.map_err(io::Error::other)?),
            To::Http2(upgrade) => {
                Over::Http2(TokioIo::new(upgrade.await.map_err(io::Error::other)?))
            }
        }))
    }
}

impl AsyncRead for Switched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Over::Http1(wire) => Pin::new(&mut &**wire).poll_read(cx, buffer),
            Over::Http2(upgraded) => Pin::new(upgraded).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Switched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Over::Http1(wire) => Pin::new(&mut &**wire).poll_write(cx, bytes),
            Over::Http2(upgraded) => Pin::new(upgraded).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Over::Http1(wire) => Pin::new(&mut &**wire).poll_flush(cx),
            Over::Http2(upgraded) => Pin::new(upgraded).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Over::Http1(wire) => Pin::new(&mut &**wire).poll_shutdown(cx),
            Over::Http2(upgraded) => Pin::new(upgraded).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Over::Http1(wire) => Pin::new(&mut &**wire).poll_write_vectored(cx, parts),
            Over::Http2(upgraded) => Pin::new(upgraded).poll_write_vectored(cx, parts),
        }
    }
}
