//! One connection for one request, whichever HTTP it speaks.

use std::sync::Arc;

use http::Request;
use http::uri::Scheme;

use super::dial::Wire;
use super::multiplex::Stream;
use super::occupancy::Stay;
use super::pool::{Http1, Pool};
use super::{Protocol, form, multiplex, pool};
use crate::body::Body;

/// A connection that a request may be sent on now.
pub(super) enum Connection {
    /// All of it.
    Http1(Http1),
    /// A part of it.
    Http2(Stream),
}

/// A connection on loan for as long as a response is read from it.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    connection: Connection,
    stay: Stay,
}

impl Connection {
    /// Opens HTTP on a wire.
    pub(super) async fn open(wire: Wire, protocol: Protocol) -> Result<Self, hyper::Error> {
        Ok(match (wire, protocol) {
            (Wire::Plain(io), Protocol::Http2) => Self::Http2(multiplex::open(io).await?),
            (Wire::Secure(io), Protocol::Http2) => Self::Http2(multiplex::open(io).await?),
            (Wire::Plain(io), _) => Self::Http1(pool::open(io).await?),
            (Wire::Secure(io), _) => Self::Http1(pool::open(io).await?),
        })
    }

    /// Takes no more requests after one has failed. Says whether there could have been any.
    pub(super) fn give_up(&self) -> bool {
        match self {
            Self::Http1(_) => false,
            Self::Http2(stream) => {
                stream.retire();
                true
            }
        }
    }

    /// Gives a request the form that it has on this connection.
    pub(super) fn form(&self, request: &mut Request<Body>, scheme: Scheme) {
        match self {
            Self::Http1(_) => form::http1(request),
            Self::Http2(_) => form::http2(request, scheme),
        }
    }
}

impl Lease {
    pub(super) fn new(pool: Arc<Pool>, connection: Connection, stay: Stay) -> Self {
        Self {
            pool,
            connection,
            stay,
        }
    }

    /// The response was read to its end.
    pub(crate) fn give_back(self) {
        match self.connection {
            Connection::Http1(connection) => self.pool.put(connection),
            // The others on it never stopped.
            Connection::Http2(stream) => drop(stream),
        }
        drop(self.stay);
    }
}
