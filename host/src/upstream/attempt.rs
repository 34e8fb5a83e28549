//! One attempt to have a request answered by one service.

use http::{Request, Response};

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
}

impl Manner {
    pub(super) fn of(upgrade: Option<&tunnel::Request>, spare: Spare) -> Self {
        // HTTP/2 has another form for upgrades, which few services understand.
        let protocol = upgrade.map(|_| Protocol::Http1);
        Self { protocol, spare }
    }
}

impl Failed {
    /// Nothing of the request was sent.
    pub(super) fn before(request: Request<Body>, error: UpstreamError) -> Self {
        Self {
            error,
            request: Some(Box::new(request)),
            extent: Extent::Untouched,
        }
    }
}
