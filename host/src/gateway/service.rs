//! Answers requests: one of these on each worker thread.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use abi::failure::Kind;
use abi::path::normalise;
use abi::storage::Storage;
use futures_util::FutureExt;
use http::Response;
use http::header::HOST;
use http::request::Parts;
use tracing::{error, warn};

use super::generation::{Generation, Lease};
use crate::body::Body;
use crate::config::HealthCheck;
use crate::exchange::{Exchange, Place, Target};
use crate::router::Lookup;
use crate::server::{Answer, Peer, Service, Tracker};
use crate::upstream::Forwarder;
use crate::{health, rescue};

/// A worker's view of the assembly, with upstream connections of its own.
#[derive(Debug)]
pub(crate) struct GatewayService {
    assembly: Lease,
    health: HealthCheck,
    upstreams: Vec<Forwarder>,
    /// By the number of the route.
    places: Vec<Arc<Place>>,
    requests: AtomicU64,
    /// Where the numbers of this worker's requests begin.
    first: u64,
}

impl GatewayService {
    pub(crate) fn new(generation: Generation, tracker: &Tracker) -> Self {
        let Generation { assembly, health } = generation;
        let number = worker_number();
        let services = assembly.upstreams.iter();
        let upstreams = services
            .map(|service| Forwarder::new(service, tracker, number as usize))
            .collect();
        let routes = assembly.routes.iter();
        let places = routes
            .map(|route| {
                Arc::new(Place {
                    desk: Arc::clone(&assembly.desk),
                    route: Arc::clone(&route.pattern),
                })
            })
            .collect();
        Self {
            assembly,
            health,
            upstreams,
            places,
            requests: AtomicU64::new(0),
            first: number << 40,
        }
    }

    async fn answer(&self, peer: Peer, mut request: Parts, mut body: Body) -> Answer {
        // Before anything else, and on every path: what only a mapping may set is gone.
        self.assembly.reserved.scrub_request(&mut request.headers);
        body.reserve(&self.assembly.reserved);
        if let Some(response) = self.health(&request).await {
            return response.into();
        }
        let (number, target) = match self.find(&request) {
            Ok(found) => found,
            Err(response) => return (*response).into(),
        };
        let route = &self.assembly.routes[number];
        let id = self.first + self.requests.fetch_add(1, Ordering::Relaxed);
        let place = (Arc::clone(&self.places[number]), id);
        let mut exchange = Exchange::new(request, body, peer, place).with_target(target);
        route.chain.run(&mut exchange, &self.upstreams).await;
        let response = exchange.into_response();
        let mut response = response.unwrap_or_else(|| rescue::failure(Kind::INTERNAL));
        self.assembly
            .reserved
            .scrub_response(response.headers_mut());
        response.body_mut().reserve(&self.assembly.reserved);
        Answer {
            response,
            request: Some(id),
            route: Some(Arc::clone(&route.counters)),
        }
    }

    fn find(&self, request: &Parts) -> Result<(usize, Target), Box<Response<Body>>> {
        let host = request
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok());
        let path = normalise(request.uri.path());
        let router = &self.assembly.router;
        let found = router.find(host.unwrap_or_default(), &path, &request.method);
        let Lookup::Found(number, parameters) = found else {
            return Err(Box::new(rescue::lookup(&found).unwrap_or_default()));
        };
        let owned = parameters.iter();
        let owned = owned.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = owned.collect();
        let path = match path {
            Cow::Borrowed(_) => None,
            Cow::Owned(path) => Some(path),
        };
        Ok((number, Target { path, parameters }))
    }

    async fn health(&self, request: &Parts) -> Option<Response<Body>> {
        let path = request.uri.path();
        if self.health.disabled || (path != self.health.live && path != self.health.ready) {
            return None;
        }
        let is_ready = path == self.health.ready && self.is_ready().await;
        health::answer(&self.health, path, || is_ready)
    }

    /// Whether every storage can be read and written now.
    async fn is_ready(&self) -> bool {
        for (name, storage) in self.assembly.desk.storages() {
            if let Err(cause) = storage.probe().wait().await {
                warn!(storage = name, %cause, "not ready");
                return false;
            }
        }
        true
    }
}

/// A number for each worker. Its requests have a range of their own by it, so that counting needs no line of memory that
/// workers share.
fn worker_number() -> u64 {
    static WORKERS: AtomicU64 = AtomicU64::new(0);
    WORKERS.fetch_add(1, Ordering::Relaxed)
}

impl Service for GatewayService {
    async fn handle(&self, peer: &Peer, request: Parts, body: Body) -> Answer {
        // Guards in the plugins catch their panics; this is for a library built without them, and for ourselves.
        let answer = AssertUnwindSafe(self.answer(*peer, request, body));
        answer.catch_unwind().await.unwrap_or_else(|_| {
            error!("a request ended in a panic of the gateway");
            rescue::failure(Kind::INTERNAL).into()
        })
    }
}
