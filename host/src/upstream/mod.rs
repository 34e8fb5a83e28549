//! Sends requests to a service behind the gateway, over connections that are kept.
//!
//! One pool per worker thread and upstream: connections never cross threads. A request that did not reach the wire
//! is sent again whatever it is; one that may have been seen is sent again once, and only when that is harmless.

mod attempt;
mod balancer;
mod config;
mod connection;
mod dial;
mod endpoint;
mod exchange;
mod failure;
mod flow;
mod form;
mod forwarder;
pub mod http1;
mod multiplex;
mod occupancy;
mod origin;
mod pool;
mod protocol;
mod sweeper;
mod tls;
mod tunnel;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response, StatusCode, Uri, Version};
use tokio::time::{Instant, timeout};

use self::attempt::{Delivered, Failed, Manner, Spare, Tries};
use self::connection::{Connection, Incoming};
use self::multiplex::Multiplex;
use self::occupancy::Stay;
use self::pool::Pool;
use crate::body::{Body, BodyError};
use crate::config::Timeouts;
use crate::hygiene;
use crate::server::Tracker;

pub(crate) use balancer::{Check, Group, Policy, Retry, Rules, Sticky, Streak, Tolerance};
pub(crate) use config::ConnectionConfig;
pub(crate) use connection::Received;
pub use endpoint::{Endpoint, EndpointError};
pub(crate) use forwarder::{Forwarder, Service};
pub use origin::Origin;
pub use pool::Keep;
pub use protocol::Protocol;
pub(crate) use tls::TlsConfig;

/// A service behind the gateway, as one worker sees it.
#[derive(Debug)]
pub struct Upstream {
    origin: Arc<Origin>,
    pool: Arc<Pool>,
    multiplex: Arc<Multiplex>,
    // Where the origin chooses, whether its latest choice was HTTP/1.1. Until it is, one at a time connects: what that opens may
    // have room for the others.
    is_http1: AtomicBool,
    tracker: Tracker,
}

/// How long an upstream may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To accept a connection.
    pub connect: Duration,
    /// To answer once it has the request, and for each part of the body.
    pub read: Duration,
    /// To take the next part of a request body.
    pub write: Duration,
}

/// Why there is no answer from an upstream.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It switched protocols without being asked, or to another one.
    #[error("the upstream switched to a protocol that it was not asked for")]
    BadUpgrade,
    /// It has as many requests as it may have, and had no place for this one in time.
    #[error("the upstream has as many requests as it may have")]
    Busy,
    /// The body of the request failed; the upstream did nothing wrong.
    #[error("the request could not be sent")]
    Client(#[source] BodyError),
    /// It cannot be reached.
    #[error("cannot connect to the upstream")]
    Connect(#[source] io::Error),
    /// It did not accept a connection in time.
    #[error("the upstream did not accept a connection in time")]
    ConnectTimeout,
    /// It went away, or what it said is not HTTP.
    #[error("the upstream did not answer")]
    Failed(#[source] WireError),
    /// None of those that stand in for each other can be reached.
    #[error("none of the upstreams can be reached; the last one: {0}")]
    NoneLeft(#[source] Box<Self>),
    /// It did not take the request, or did not answer it, in time.
    #[error("the upstream did not answer in time")]
    Timeout,
}

/// Why an answer is not HTTP, or not there.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Over HTTP/1.1.
    #[error(transparent)]
    Http1(#[from] http1::Error),
    /// Over HTTP/2.
    #[error(transparent)]
    Http2(#[from] hyper::Error),
}

impl Upstream {
    /// Prepares to talk to a service; connects with the first request. `tracker` belongs to the worker, which stays
    /// until its tunnels are closed.
    pub fn new(origin: Arc<Origin>, tracker: Tracker) -> Self {
        Self {
            pool: Arc::new(Pool::new(origin.keep)),
            multiplex: Arc::new(Multiplex::new(origin.keep.idle_time)),
            is_http1: AtomicBool::new(origin.protocol == Protocol::Http1),
            origin,
            tracker,
        }
    }

    /// Sends a request whose headers are already clean of what belongs to the client's connection, except for the
    /// opening of a WebSocket, which comes with a [`Switch`](crate::server::Switch).
    ///
    /// The future may be dropped at any point; the connection, or its part of it, is then closed.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub fn send(
        &self,
        mut request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Body>, UpstreamError>> {
        let upgrade = tunnel::Request::take(&mut request);
        *request.uri_mut() = self.origin.endpoint.target(request.uri());
        self.origin.endpoint.name_host(request.headers_mut());
        exchange::frame(&mut request);
        hygiene::mark(request.headers_mut());
        let manner = Manner::of(upgrade.as_ref(), Spare::None);
        let attempt = self.attempt(request, manner);
        attempt.map(|attempt| match attempt {
            Ok(delivered) => self.finish(delivered, upgrade),
            Err(failed) => Err(failed.error),
        })
    }

    /// Tries kept connections until one takes the request, then a new one.
    #[expect(
        clippy::manual_async_fn,
        reason = "in the future of an async fn there would be room for the request twice"
    )]
    fn attempt(
        &self,
        mut request: Request<Body>,
        manner: Manner,
    ) -> impl Future<Output = Result<Delivered, Failed>> {
        async move {
            let mut tries = Tries::default();
            let place = match &self.origin.occupancy {
                None => None,
                Some(occupancy) => match occupancy.enter(self.origin.patience.connect).await {
                    None => return Err(tries.end(request, UpstreamError::Busy)),
                    place => place,
                },
            };
            let stay = Stay {
                _place: place,
                _present: self.origin.counters.request(),
            };
            let protocol = manner.protocol.unwrap_or(self.origin.protocol);
            loop {
                let kept = match tries.may_reuse() {
                    true => self.kept(&request, protocol),
                    false => None,
                };
                let is_kept = kept.is_some();
                let connection = match kept {
                    Some(connection) => {
                        self.origin.counters.reused();
                        connection
                    }
                    // In a box: its size would be that of every request.
                    None => match Box::pin(self.connect(protocol, tries.since())).await {
                        Ok(connection) => connection,
                        Err(error) => return Err(tries.end(request, error)),
                    },
                };
                connection.form(&mut request, self.origin.endpoint.scheme());
                let spare = if is_kept { Spare::Keep } else { manner.spare };
                let patience = &self.origin.patience;
                match exchange::run(connection, &mut request, spare, patience).await {
                    Ok(mut answered) => {
                        if manner.spare == Spare::None {
                            answered.recycle(&mut request);
                        }
                        let is_spare = answered.is_whole && manner.spare == Spare::Keep;
                        return Ok(Delivered {
                            response: answered.response,
                            stay,
                            copy: is_spare.then_some(request),
                        });
                    }
                    Err(failure) => {
                        // The upstream closed the connection as the request arrived: it was idle for too long.
                        let is_excused = is_kept && failure.is_of_connection();
                        if !(is_excused && failure.is_harmless(&request)) {
                            return Err(failure.with(request));
                        }
                        tries.failed(failure.extent);
                    }
                }
            }
        }
    }

    /// Makes an answer one of the gateway's.
    fn finish(
        &self,
        delivered: Delivered,
        upgrade: Option<tunnel::Request>,
    ) -> Result<Response<Body>, UpstreamError> {
        let (mut head, incoming) = delivered.response.into_parts();
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let asked = upgrade.filter(|upgrade| upgrade.is_accepted(&head.headers));
            let (Some(upgrade), Incoming::Http1(incoming)) = (asked, incoming) else {
                return Err(UpstreamError::BadUpgrade);
            };
            let alive = (self.tracker.track(), delivered.stay);
            return Ok(upgrade.accept(head, incoming.into_tunnel(), alive));
        }
        hygiene::strip_response(&mut head.headers);
        // What an upstream speaks is between it and the gateway.
        head.version = Version::HTTP_11;
        let received = Received::new(incoming, Arc::clone(&self.pool), delivered.stay);
        let body = Body::from_upstream(received, self.origin.patience.read);
        Ok(Response::from_parts(head, body))
    }

    /// Makes a request one for this service. It may have been made one for another before; `asked` is its target
    /// before that.
    fn address(&self, request: &mut Request<Body>, asked: &Uri) {
        form::http1(request);
        *request.uri_mut() = self.origin.endpoint.target(asked);
        self.origin.endpoint.name_host(request.headers_mut());
    }

    /// A connection that is open already.
    fn kept(&self, request: &Request<Body>, protocol: Protocol) -> Option<Connection> {
        if protocol != Protocol::Http1
            && let Some(stream) = self.multiplex.take(None)
        {
            return Some(Connection::Http2(stream));
        }
        self.pool.take(request).map(Connection::Http1)
    }

    /// A new connection, or room on one that is not older than `since`.
    async fn connect(
        &self,
        protocol: Protocol,
        since: Option<Instant>,
    ) -> Result<Connection, UpstreamError> {
        let connecting = async {
            if protocol == Protocol::Http1 || self.is_http1.load(Ordering::Relaxed) {
                return self.open(protocol).await;
            }
            let _turn = self.multiplex.opening.lock().await;
            match self.multiplex.take(since) {
                Some(stream) => {
                    self.origin.counters.reused();
                    Ok(Connection::Http2(stream))
                }
                None => self.open(protocol).await,
            }
        };
        let connected = timeout(self.origin.patience.connect, connecting).await;
        let connected = connected.unwrap_or(Err(UpstreamError::ConnectTimeout));
        connected.inspect_err(|_| self.origin.counters.failed())
    }

    async fn open(&self, protocol: Protocol) -> Result<Connection, UpstreamError> {
        let connection = self.origin.open(protocol).await?;
        self.origin.counters.opened();
        if protocol == Protocol::Either {
            let is_http1 = matches!(connection, Connection::Http1(_));
            self.is_http1.store(is_http1, Ordering::Relaxed);
        }
        if let Connection::Http2(stream) = &connection {
            self.multiplex.share(stream);
        }
        Ok(connection)
    }
}

impl UpstreamError {
    /// Whether the service is at fault, and not the client or the gateway.
    const fn is_of_upstream(&self) -> bool {
        !matches!(self, Self::Client(_) | Self::Busy)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::from(&Timeouts::default())
    }
}

impl From<&Timeouts> for Patience {
    fn from(timeouts: &Timeouts) -> Self {
        Self {
            connect: timeouts.connect.get(),
            read: timeouts.upstream_read.get(),
            write: timeouts.upstream_write.get(),
        }
    }
}
