//! How a request failed on a connection, and whether it may be sent again.

use std::error::Error;
use std::io;

use http::Request;

use super::attempt::{Extent, Failed};
use super::http1::Lost;
use super::{UpstreamError, WireError};
use crate::body::Body;

/// How a request failed on a connection.
pub(super) struct Failure {
    pub(super) error: UpstreamError,
    pub(super) extent: Extent,
    /// Whether the request is as it was before.
    pub(super) is_whole: bool,
}

impl Failure {
    pub(super) fn lost(lost: Lost) -> Self {
        let (extent, error) = match lost {
            Lost::Client(error) => (Extent::Seen, UpstreamError::Client(error)),
            Lost::Unsent(error) => (Extent::Untouched, UpstreamError::Failed(error.into())),
            Lost::Sent(error) => (Extent::Seen, UpstreamError::Failed(error.into())),
            Lost::Answered(error) => (Extent::Answered, UpstreamError::Failed(error.into())),
        };
        Self {
            error,
            extent,
            // Before anything was sent, nothing was taken from its body either.
            is_whole: extent == Extent::Untouched,
        }
    }

    pub(super) fn http2(error: hyper::Error) -> Self {
        let extent = match is_refused(&error) {
            true => Extent::Untouched,
            false => Extent::Seen,
        };
        Self {
            error: UpstreamError::Failed(error.into()),
            extent,
            is_whole: false,
        }
    }

    pub(super) const fn late() -> Self {
        Self {
            error: UpstreamError::Timeout,
            extent: Extent::Seen,
            is_whole: false,
        }
    }

    /// Whether it is what a kept connection is prone to, and says nothing about the upstream.
    pub(super) fn is_of_connection(&self) -> bool {
        match self.extent {
            Extent::Untouched => true,
            Extent::Seen => is_stale(&self.error),
            Extent::Answered => false,
        }
    }

    /// Whether it does no harm to send the request again (RFC 9110 9.2.2).
    pub(super) fn is_harmless(&self, request: &Request<Body>) -> bool {
        let is_harmless = match self.extent {
            Extent::Untouched => true,
            Extent::Seen => request.method().is_idempotent(),
            Extent::Answered => false,
        };
        self.is_whole && is_harmless
    }

    /// What can be done with it.
    pub(super) fn with(self, request: Request<Body>) -> Failed {
        Failed {
            request: self.is_harmless(&request).then(|| Box::new(request)),
            error: self.error,
            extent: self.extent,
        }
    }
}

/// Whether the upstream says that it has not touched the request (RFC 9113 8.7).
fn is_refused(error: &hyper::Error) -> bool {
    source::<h2::Error>(error).is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        // A stream fails with it only if its number is above the last one that the upstream has taken on.
        let is_after_the_last = error.is_go_away() && error.is_remote();
        is_refused || is_after_the_last
    })
}

/// Whether the connection was closed before any answer came: what a kept connection is prone to.
fn is_stale(error: &UpstreamError) -> bool {
    let UpstreamError::Failed(error) = error else {
        return false;
    };
    match error {
        WireError::Http1(error) => error.is_stale(),
        WireError::Http2(error) => is_http2_stale(error),
    }
}

fn is_http2_stale(error: &hyper::Error) -> bool {
    let http2 = source::<h2::Error>(error);
    let io = source::<io::Error>(error).or_else(|| http2?.get_io());
    let is_broken = matches!(
        io.map(io::Error::kind),
        Some(
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::UnexpectedEof
        )
    );
    error.is_canceled()
        || error.is_closed()
        || error.is_incomplete_message()
        // A connection whose pings nobody answers.
        || error.is_timeout()
        || is_broken
}

fn source<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let chain = std::iter::successors(error.source(), |error| (*error).source());
    chain.into_iter().find_map(<dyn Error>::downcast_ref)
}
