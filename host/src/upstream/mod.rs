//! Sends requests to a service behind the gateway, over connections that are kept.
//!
//! One pool per worker thread and upstream: connections never cross threads. A request that did not reach the wire
//! is sent again whatever it is; one that may have been seen is sent again only when that is harmless.

mod endpoint;
mod exchange;
mod pool;
mod tunnel;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

use crate::body::{Body, BodyError};
use crate::config::Timeouts;
use crate::server::Tracker;

pub use endpoint::{Endpoint, EndpointError};
pub(crate) use pool::Lease;
use pool::Pool;

/// A service behind the gateway.
#[derive(Debug)]
pub struct Upstream {
    endpoint: Endpoint,
    patience: Patience,
    pool: Arc<Pool>,
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

impl Upstream {
    /// Prepares to talk to a service; connects with the first request. `tracker` belongs to the worker, which stays
    /// until its tunnels are closed.
    pub fn new(endpoint: Endpoint, patience: Patience, tracker: Tracker) -> Self {
        Self {
            endpoint,
            patience,
            pool: Arc::default(),
            tracker,
        }
    }

    /// Sends a request whose headers are already clean of what belongs to the client's connection, except for an
    /// upgrade, which is recognised by the extension hyper leaves and by `Upgrade`.
    ///
    /// The future may be dropped at any point; the connection is then closed.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub async fn send(
        &self,
        mut parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, UpstreamError> {
        let upgrade = tunnel::Request::take(&mut parts);
        parts.uri = self.endpoint.target(&parts.uri);
        parts.version = Version::HTTP_11;
        self.endpoint.name_host(&mut parts.headers);
        exchange::frame(&mut parts, &body);
        let (response, connection) = self.deliver(Request::from_parts(parts, body)).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let upgrade = upgrade.ok_or(UpstreamError::BadUpgrade)?;
            return Ok(upgrade.accept(response, self.tracker.track()));
        }
        let (mut head, incoming) = response.into_parts();
        crate::hygiene::strip_response(&mut head.headers);
        // What an upstream speaks is between it and the gateway.
        head.version = Version::HTTP_11;
        let lease = Lease::new(Arc::clone(&self.pool), connection);
        let body = Body::from_upstream(incoming, self.patience.read, lease);
        Ok(Response::from_parts(head, body))
    }

    /// Tries pooled connections until one takes the request, then a new one.
    async fn deliver(
        &self,
        mut request: Request<Body>,
    ) -> Result<(Response<Incoming>, SendRequest<Body>), UpstreamError> {
        while let Some(connection) = self.pool.take(request.method(), request.body()) {
            let copy = exchange::copy(&request);
            match exchange::run(connection, request, &self.patience).await {
                Ok(answer) => return Ok(answer),
                Err(exchange::Failure::Unsent(unsent, _)) => request = *unsent,
                // The upstream closed the connection as the request arrived: it was idle for too long.
                Err(exchange::Failure::Sent(error)) if exchange::is_stale(&error) => match copy {
                    Some(copy) => request = copy,
                    None => return Err(error),
                },
                Err(exchange::Failure::Sent(error)) => return Err(error),
            }
        }
        let connection = self.connect().await?;
        exchange::run(connection, request, &self.patience)
            .await
            .map_err(exchange::Failure::into_error)
    }

    async fn connect(&self) -> Result<SendRequest<Body>, UpstreamError> {
        let connecting = timeout(self.patience.connect, self.endpoint.connect()).await;
        let stream = connecting.map_err(|_| UpstreamError::ConnectTimeout)?;
        pool::open(stream.map_err(UpstreamError::Connect)?)
            .await
            .map_err(UpstreamError::Failed)
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
