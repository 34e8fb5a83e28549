//! What an action forwards to: one service, or several that stand in for each other.

use std::sync::Arc;

use http::Response;

use super::balancer::{Balancer, Group};
use super::{Origin, Upstream, UpstreamError};
use crate::body::Body;
use crate::exchange::Exchange;
use crate::server::Tracker;

/// What an action forwards to.
#[derive(Debug)]
pub(crate) enum Service {
    /// This service.
    One(Arc<Origin>),
    /// One of these at a time.
    Many(Arc<Group>),
}

/// The same, as one worker sees it, with connections of its own.
#[derive(Debug)]
pub(crate) enum Forwarder {
    One(Upstream),
    Many(Balancer),
}

impl Forwarder {
    /// `worker` is the number of this worker.
    pub(crate) fn new(service: &Service, tracker: &Tracker, worker: usize) -> Self {
        match service {
            Service::One(origin) => Self::One(Upstream::new(Arc::clone(origin), tracker.clone())),
            Service::Many(group) => Self::Many(Balancer::new(Arc::clone(group), tracker, worker)),
        }
    }

    /// Sends the request of an exchange. Its headers go along; method and target stay readable.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub(crate) async fn send(
        &self,
        exchange: &mut Exchange,
    ) -> Result<Response<Body>, UpstreamError> {
        match self {
            Self::One(upstream) => {
                let request = exchange.take_request();
                upstream.send(request).await
            }
            Self::Many(balancer) => balancer.send(exchange).await,
        }
    }
}
