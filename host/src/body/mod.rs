//! The bodies that pass through the gateway: nothing, a few bytes of our own, or a stream nobody holds in memory.

mod client;
mod patience;
mod received;
mod trailers;

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use abi::Session;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::desk::Reserved;
use crate::watch::Watch;

pub use client::{ClientBody, Phase, Upload};
pub use received::UpstreamBody;

/// The body of a request or a response.
#[derive(Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes in memory.
    Full(Bytes),
    /// What a client is sending, within its limits.
    Client(Box<ClientBody>),
    /// What an upstream is sending.
    Upstream(Box<UpstreamBody>),
}

/// Why a body ended early.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BodyError {
    /// The client went away, or cut its body short.
    #[error("the client closed the connection within its body")]
    ClientGone,
    /// It is shorter or longer than was said, whoever sends it.
    #[error("the body is not as long as was said")]
    Length,
    /// The client's framing cannot be read.
    #[error("the body of the request is malformed")]
    Malformed,
    /// The session that a response belongs to ended.
    #[error("the session ended while its response was under way")]
    SessionOver,
    /// The client sent nothing for too long.
    #[error("the client sent nothing for too long")]
    ClientStalled,
    /// The body is larger than allowed.
    #[error("the body is larger than allowed")]
    TooLarge,
    /// The upstream went away within its body.
    #[error("the upstream closed the connection within its body")]
    UpstreamGone,
    /// The upstream sent nothing for too long.
    #[error("the upstream sent nothing for too long")]
    UpstreamStalled,
}

impl Body {
    /// Reads the whole body into memory, and keeps it, so that it can still be forwarded. Trailers are lost.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] above `limit` bytes; the body is then gone, and so must be the request.
    pub async fn buffer(&mut self, limit: u64) -> Result<Bytes, BodyError> {
        let fits = |bytes: usize| bytes as u64 <= limit;
        if let Self::Full(bytes) = self {
            return if fits(bytes.len()) {
                Ok(bytes.clone())
            } else {
                Err(BodyError::TooLarge)
            };
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if !fits(first.len() + rest.len() + data.len()) {
                return Err(BodyError::TooLarge);
            }
            if first.is_empty() {
                first = data;
            } else {
                rest.extend_from_slice(&data);
            }
        }
        let whole = if rest.is_empty() {
            first
        } else {
            [first, rest.freeze()].concat().into()
        };
        *self = Self::from(whole.clone());
        Ok(whole)
    }

    /// Keeps reserved names out of the trailers too.
    pub(crate) fn reserve(&mut self, reserved: &Arc<Reserved>) {
        match self {
            Self::Empty | Self::Full(_) => {}
            Self::Client(body) => body.trailers.reserve(reserved),
            Self::Upstream(body) => body.trailers.reserve(reserved),
        }
    }

    /// Lets a response end with its session.
    pub(crate) fn watch_session(&mut self, session: &Session) {
        if let Self::Upstream(body) = self {
            body.watch = Some(Watch::on(session.clone()));
        }
    }

    /// Whether the body can be sent a second time.
    pub fn is_replayable(&self) -> bool {
        matches!(self, Self::Empty | Self::Full(_))
    }

    /// A second copy of a replayable body.
    pub fn replay(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Full(bytes) => Some(Self::Full(bytes.clone())),
            Self::Client(_) | Self::Upstream(_) => None,
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Full(bytes)
        }
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Client(body) => body.poll(cx),
            Self::Upstream(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Client(body) => body.is_end(),
            Self::Upstream(body) => body.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Client(body) => body.size(),
            Self::Upstream(body) => body.size(),
        }
    }
}
