//! Sends requests to a service behind the gateway, over connections that are kept.
//!
//! One pool per worker thread and upstream: connections never cross threads. A request that did not reach the wire
//! is sent again whatever it is; one that may have been seen is sent again only when that is harmless.

mod config;
mod connection;
mod dial;
mod endpoint;
mod exchange;
mod form;
mod multiplex;
mod origin;
mod pool;
mod protocol;
mod tls;
mod tunnel;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tokio::time::timeout;

use self::connection::Connection;
use self::multiplex::Multiplex;
use self::pool::Pool;
use crate::body::{Body, BodyError};
use crate::config::Timeouts;
use crate::server::Tracker;

pub(crate) use config::ConnectionConfig;
pub(crate) use connection::Lease;
pub use endpoint::{Endpoint, EndpointError};
pub use origin::Origin;
pub use pool::Keep;
pub use protocol::Protocol;
pub(crate) use tls::TlsConfig;

/// A service behind the gateway, as one worker sees it.
#[derive(Debug)]
pub struct Upstream {
    origin: Arc<Origin>,
    pool: Arc<Pool>,
    multiplex: Multiplex,
    // Where the origin chooses, whether its latest choice was HTTP/2: until it is known, one at a time asks.
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
    /// It switched protocols without being asked.
    #[error("the upstream switched protocols without being asked")]
    BadUpgrade,
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
    Failed(#[source] hyper::Error),
    /// It did not take the request, or did not answer it, in time.
    #[error("the upstream did not answer in time")]
    Timeout,
}

/// An answer, and the connection that its body comes on.
struct Delivered {
    response: Response<Incoming>,
    connection: Connection,
}

impl Upstream {
    /// Prepares to talk to a service; connects with the first request. `tracker` belongs to the worker, which stays
    /// until its tunnels are closed.
    pub fn new(origin: Arc<Origin>, tracker: Tracker) -> Self {
        Self {
            pool: Arc::new(Pool::new(origin.keep)),
            multiplex: Multiplex::default(),
            is_http1: AtomicBool::new(origin.protocol == Protocol::Http1),
            origin,
            tracker,
        }
    }

    /// Sends a request whose headers are already clean of what belongs to the client's connection, except for an
    /// upgrade, which is recognised by the extension hyper leaves and by `Upgrade`.
    ///
    /// The future may be dropped at any point; the connection, or its part of it, is then closed.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub async fn send(
        &self,
        mut parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, UpstreamError> {
        let upgrade = tunnel::Request::take(&mut parts);
        parts.uri = self.origin.endpoint.target(&parts.uri);
        parts.version = Version::HTTP_11;
        self.origin.endpoint.name_host(&mut parts.headers);
        exchange::frame(&mut parts, &body);
        // HTTP/2 has another form for upgrades, which few services understand.
        let protocol = match &upgrade {
            Some(_) => Protocol::Http1,
            None => self.origin.protocol,
        };
        let request = Request::from_parts(parts, body);
        let delivered = self.deliver(request, protocol).await?;
        if delivered.response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let upgrade = upgrade.ok_or(UpstreamError::BadUpgrade)?;
            return Ok(upgrade.accept(delivered.response, self.tracker.track()));
        }
        Ok(self.pass(delivered))
    }

    /// Makes an answer one of the gateway's.
    fn pass(&self, delivered: Delivered) -> Response<Body> {
        let (mut head, incoming) = delivered.response.into_parts();
        crate::hygiene::strip_response(&mut head.headers);
        // What an upstream speaks is between it and the gateway.
        head.version = Version::HTTP_11;
        let lease = Lease::new(Arc::clone(&self.pool), delivered.connection);
        let body = Body::from_upstream(incoming, self.origin.patience.read, lease);
        Response::from_parts(head, body)
    }

    /// Tries kept connections until one takes the request, then a new one.
    async fn deliver(
        &self,
        mut request: Request<Body>,
        protocol: Protocol,
    ) -> Result<Delivered, UpstreamError> {
        let mut refusals = 0;
        while refusals < MAX_REFUSALS
            && let Some(mut connection) = self.kept(&request, protocol)
        {
            connection.form(&mut request, self.origin.endpoint.scheme());
            let copy = exchange::copy(&request, &connection);
            match exchange::run(&mut connection, request, &self.origin.patience).await {
                Ok(response) => {
                    return Ok(Delivered {
                        response,
                        connection,
                    });
                }
                Err(exchange::Failure::Unsent(unsent, _)) => request = *unsent,
                // The upstream closed the connection as the request arrived: it was idle for too long.
                Err(exchange::Failure::Sent(error)) => match copy {
                    Some(copy) if exchange::may_repeat(&error, copy.method()) => request = copy,
                    _ => return Err(error),
                },
            }
            if let Connection::Http2(stream) = &connection {
                stream.retire();
                refusals += 1;
            }
        }
        let mut connection = self.connect(protocol).await?;
        connection.form(&mut request, self.origin.endpoint.scheme());
        match exchange::run(&mut connection, request, &self.origin.patience).await {
            Ok(response) => Ok(Delivered {
                response,
                connection,
            }),
            Err(exchange::Failure::Unsent(_, error)) => Err(UpstreamError::Failed(error)),
            Err(exchange::Failure::Sent(error)) => Err(error),
        }
    }

    /// A connection that is open already.
    fn kept(&self, request: &Request<Body>, protocol: Protocol) -> Option<Connection> {
        if protocol != Protocol::Http1
            && let Some(stream) = self.multiplex.take(self.origin.keep.idle_time)
        {
            return Some(Connection::Http2(stream));
        }
        self.pool.take(request).map(Connection::Http1)
    }

    async fn connect(&self, protocol: Protocol) -> Result<Connection, UpstreamError> {
        let connecting = async {
            if protocol == Protocol::Http1 || self.is_http1.load(Ordering::Relaxed) {
                return self.open(protocol).await;
            }
            let _turn = self.multiplex.opening.lock().await;
            match self.multiplex.take(self.origin.keep.idle_time) {
                Some(stream) => Ok(Connection::Http2(stream)),
                None => self.open(protocol).await,
            }
        };
        let connected = timeout(self.origin.patience.connect, connecting).await;
        connected.map_err(|_| UpstreamError::ConnectTimeout)?
    }

    async fn open(&self, protocol: Protocol) -> Result<Connection, UpstreamError> {
        let (wire, chosen) = self.origin.dial(protocol).await.map_err(unreachable)?;
        let opened = Connection::open(wire, chosen).await;
        let connection = opened.map_err(UpstreamError::Failed)?;
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

fn unreachable(error: io::Error) -> UpstreamError {
    match error.kind() {
        io::ErrorKind::TimedOut => UpstreamError::ConnectTimeout,
        _ => UpstreamError::Connect(error),
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

// Of one request by connections that are kept, before it gets a new one.
const MAX_REFUSALS: usize = 3;
