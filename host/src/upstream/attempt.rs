//! One attempt to have a request answered by one service.

use http::{Request, Response};
use tokio::time::Instant;

use super::connection::Incoming;
use super::occupancy::Stay;
use super::{Protocol, UpstreamError, tunnel};
use crate::body::Body;

/// How a request is to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// `None` for what the service speaks.
    pub(super) protocol: Option<Protocol>,
    pub(super) spare: Spare,
}

/// Whether somebody has a use for a copy of the request after it was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spare {
    /// To send it to another service.
    Keep,
    /// This service is the only one.
    None,
}

/// An answer.
pub(super) struct Delivered {
    pub(super) response: Response<Incoming>,
    pub(super) stay: Stay,
    /// The request, if it can be sent again.
    pub(super) copy: Option<Request<Body>>,
}

/// Why there is no answer, and the request, if it can be sent again.
pub(super) struct Failed {
    pub(super) error: UpstreamError,
    pub(super) request: Option<Box<Request<Body>>>,
    pub(super) extent: Extent,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extent {
    /// The service has not seen it, or says that it has not touched it.
    Untouched,
    /// The service may have acted on it.
    Seen,
    /// The service has begun to answer it.
    Answered,
}

/// What has come of a request so far, at one service.
#[derive(Default)]
pub(super) struct Tries {
    refusals: u8,
    /// When it failed and may have been seen.
    seen: Option<Instant>,
}

impl Manner {
    pub(super) fn of(upgrade: Option<&tunnel::Request>, spare: Spare) -> Self {
        // HTTP/2 has another form for upgrades, which few services understand.
        let protocol = upgrade.map(|_| Protocol::Http1);
        Self { protocol, spare }
    }
}

impl Tries {
    /// Whether the next one may be on a connection that is kept. A service that closes connections because of what is
    /// asked would get the request on each one that there is.
    pub(super) const fn may_reuse(&self) -> bool {
        self.seen.is_none() && self.refusals < MAX_REFUSALS
    }

    /// Since when a connection must have been open, at the earliest.
    pub(super) const fn since(&self) -> Option<Instant> {
        self.seen
    }

    /// Takes notice of a failure after which there is another try.
    pub(super) fn failed(&mut self, extent: Extent) {
        match extent {
            Extent::Untouched => self.refusals += 1,
            Extent::Seen | Extent::Answered => self.seen = Some(Instant::now()),
        }
    }

    /// There is no connection for the next one.
    pub(super) fn end(&self, request: Request<Body>, error: UpstreamError) -> Failed {
        let extent = match self.seen {
            Some(_) => Extent::Seen,
            None => Extent::Untouched,
        };
        Failed {
            error,
            request: Some(Box::new(request)),
            extent,
        }
    }
}

// Of one request by connections that are kept, before it gets a new one.
const MAX_REFUSALS: u8 = 3;
