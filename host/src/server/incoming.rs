//! The body of a request, whichever HTTP it comes over.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::http1;
use crate::body::BodyError;

/// What a client is sending.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Over HTTP/1.1.
    Http1(http1::Incoming),
    /// Over HTTP/2.
    Http2(hyper::body::Incoming),
    /// No body.
    Nothing,
}

impl Incoming {
    /// # Errors
    /// When the client is gone, or what it sends is no body.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Http1(incoming) => incoming.poll_frame(cx),
            Self::Http2(incoming) => Pin::new(incoming)
                .poll_frame(cx)
                .map_err(|error| classify(&error)),
            Self::Nothing => Poll::Ready(None),
        }
    }

    pub(crate) fn is_end(&self) -> bool {
        match self {
            Self::Http1(incoming) => incoming.is_end(),
            Self::Http2(incoming) => incoming.is_end_stream(),
            Self::Nothing => true,
        }
    }

    pub(crate) fn size(&self) -> SizeHint {
        match self {
            Self::Http1(incoming) => incoming.size(),
            Self::Http2(incoming) => incoming.size_hint(),
            Self::Nothing => SizeHint::with_exact(0),
        }
    }
}

fn classify(error: &hyper::Error) -> BodyError {
    let gone = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    let kind = source.map(std::io::Error::kind);
    let is_malformed = matches!(
        kind,
        Some(std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData)
    );
    if !gone && (is_malformed || error.is_parse()) {
        BodyError::Malformed
    } else {
        BodyError::ClientGone
    }
}
