//! One connection for one request, whichever HTTP it speaks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http::uri::Scheme;
use http_body::{Body as _, Frame, SizeHint};

use super::http1::{self, Http1};
use super::multiplex::{self, Stream};
use super::occupancy::Stay;
use super::pool::Pool;
use super::{Protocol, WireError, form};
use crate::body::Body;
use crate::stream;

/// A connection that a request may be sent on now.
pub(super) enum Connection {
    /// All of it.
    Http1(Box<Http1>),
    /// A part of it.
    Http2(Stream),
}

/// The body of an answer, with what it comes on.
pub(super) enum Incoming {
    Http1(http1::Incoming),
    /// The others on the connection never stop.
    Http2(
        hyper::body::Incoming,
        #[expect(dead_code, reason = "it is counted until it is dropped")] Stream,
    ),
}

/// The body of an answer as it arrives. Its connection goes back to where it came from at its end; before that, it is
/// closed with the body, because the rest of it is still to come.
pub(crate) struct Received {
    incoming: Incoming,
    pool: Arc<Pool>,
    stay: Stay,
}

impl Connection {
    /// Opens HTTP on a stream.
    pub(super) async fn open(
        stream: stream::Stream,
        protocol: Protocol,
    ) -> Result<Self, hyper::Error> {
        Ok(match protocol {
            Protocol::Http2 => Self::Http2(multiplex::open(stream).await?),
            Protocol::Either | Protocol::Http1 => Self::Http1(Http1::new(stream)),
        })
    }

    /// Gives a request the form that it has on this connection.
    pub(super) fn form(&self, request: &mut Request<Body>, scheme: Scheme) {
        match self {
            Self::Http1(_) => form::http1(request),
            Self::Http2(_) => form::http2(request, scheme),
        }
    }
}

impl Received {
    pub(super) const fn new(incoming: Incoming, pool: Arc<Pool>, stay: Stay) -> Self {
        Self {
            incoming,
            pool,
            stay,
        }
    }

    /// # Errors
    /// When the upstream has closed the connection within it, or said what is no body.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WireError>>> {
        match &mut self.incoming {
            Incoming::Http1(incoming) => incoming.poll_frame(cx).map_err(Into::into),
            Incoming::Http2(incoming, _) => Pin::new(incoming).poll_frame(cx).map_err(Into::into),
        }
    }

    /// All of it, if it has come with the head of the answer.
    pub(crate) fn whole(&mut self) -> Option<Bytes> {
        match &mut self.incoming {
            Incoming::Http1(incoming) => incoming.whole(),
            Incoming::Http2(incoming, _) => incoming.is_end_stream().then(Bytes::new),
        }
    }

    pub(crate) fn is_end(&self) -> bool {
        match &self.incoming {
            Incoming::Http1(incoming) => incoming.is_end(),
            Incoming::Http2(incoming, _) => incoming.is_end_stream(),
        }
    }

    pub(crate) fn size(&self) -> SizeHint {
        match &self.incoming {
            Incoming::Http1(incoming) => incoming.size(),
            Incoming::Http2(incoming, _) => incoming.size_hint(),
        }
    }

    /// It was read to its end.
    pub(crate) fn give_back(self) {
        if let Incoming::Http1(incoming) = self.incoming
            && let Some(connection) = incoming.into_connection()
        {
            self.pool.put(connection);
        }
        drop(self.stay);
    }
}
