//! Answers requests: one of these on each worker thread.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use abi::failure::Kind;
use abi::path::{normalise, readings};
use abi::storage::Storage;
use futures_util::FutureExt;
use http::header::HOST;
use http::{Request, Response};
use tracing::{error, warn};

use super::assembly::RouteChain;
use super::generation::{Generation, Lease, Leaving};
use super::readiness::Readiness;
use crate::actions::authorize::{self, Asked, OriginalError, Stated};
use crate::body::Body;
use crate::chain::Chain;
use crate::config::HealthCheck;
use crate::exchange::{Exchange, Place, Target};
use crate::health::Question;
use crate::hygiene::Refusal;
use crate::router::NoRoute;
use crate::server::{Answer, Peer, Service, Tracker};
use crate::upstream::Forwarder;
use crate::{health, rescue};

/// A worker's view of the assembly, with upstream connections of its own.
#[derive(Debug)]
pub(crate) struct GatewayService {
    assembly: Lease,
    health: HealthCheck,
    leaving: Leaving,
    readiness: Readiness,
    upstreams: Vec<Forwarder>,
    /// By the number of the route.
    places: Vec<Arc<Place>>,
    /// Whether any route is about requests of others.
    is_asked: bool,
    requests: AtomicU64,
    /// Where the numbers of this worker's requests begin.
    first: u64,
}

impl GatewayService {
    pub(crate) fn new(generation: Generation, tracker: &Tracker) -> Self {
        let Generation {
            assembly,
            health,
            leaving,
        } = generation;
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
                    reserved: Arc::clone(&assembly.reserved),
                    route: Arc::clone(&route.pattern),
                })
            })
            .collect();
        let is_asked = assembly.routes.iter().any(|route| route.inquiry.is_some());
        Self {
            assembly,
            is_asked,
            health,
            leaving,
            readiness: Readiness::default(),
            upstreams,
            places,
            requests: AtomicU64::new(0),
            first: number << 40,
        }
    }

    async fn answer(&self, peer: &Peer, request: &mut Request<Body>) -> Answer {
        let reserved = &self.assembly.reserved;
        let noted = request.extensions_mut().remove();
        let stated = Stated::heard(noted, request.headers(), reserved);
        // Before anything else, and on every path: what only a mapping may set is gone.
        reserved.scrub_request(request.headers_mut());
        request.body_mut().reserve(reserved);
        if let Some(response) = self.health(request.uri().path()).await {
            return response.into();
        }
        let (number, target) = match self.find(request) {
            Ok(found) => found,
            Err(response) => return (*response).into(),
        };
        let route = &self.assembly.routes[number];
        let id = self.first + self.requests.fetch_add(1, Ordering::Relaxed);
        let place = (Arc::clone(&self.places[number]), id);
        let mut exchange = Exchange::new(std::mem::take(request), *peer, place);
        let response = match &route.inquiry {
            None => {
                exchange.set_target(target);
                self.run(&route.chain, &mut exchange).await
            }
            Some(inquiry) => {
                let asked = inquiry.open(stated, &mut exchange.request);
                self.authorize(route, asked, &mut exchange).await
            }
        };
        Answer {
            response,
            request: Some(id),
            route: Some(Arc::clone(&route.counters)),
        }
    }

    /// Answers a proxy that asks about a request of its own.
    async fn authorize(
        &self,
        route: &RouteChain,
        asked: Result<Asked, OriginalError>,
        exchange: &mut Exchange,
    ) -> Response<Body> {
        let Asked { scheme, wording } = match asked {
            Ok(asked) => asked,
            Err(error) => {
                let (route, request) = (&*route.pattern, exchange.id());
                warn!(route, request, reason = error.reason(), "{error}");
                return rescue::original(error);
            }
        };
        let path = path_if_other(normalise(exchange.request.uri.path()));
        exchange.set_target(Target {
            path,
            ..Target::default()
        });
        exchange.set_scheme(scheme);
        let mut response = self.run(&route.chain, exchange).await;
        authorize::reword(&mut response, wording);
        response
    }

    /// Lets middlewares and action answer.
    async fn run(&self, chain: &Chain, exchange: &mut Exchange) -> Response<Body> {
        chain.run(exchange, &self.upstreams).await;
        let response = exchange.take_response();
        let mut response = response.unwrap_or_else(|| rescue::failure(Kind::INTERNAL));
        let reserved = &self.assembly.reserved;
        reserved.scrub_response(response.headers_mut());
        response.body_mut().reserve(reserved);
        response
    }

    fn find(&self, request: &Request<Body>) -> Result<(usize, Target), Box<Response<Body>>> {
        let host = request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok());
        let path = normalise(request.uri().path());
        let router = &self.assembly.router;
        let found = router.find(host.unwrap_or_default(), &path, request.method());
        let (number, parameters) = found.map_err(|error| Box::new(rescue::no_route(error)))?;
        for reading in readings(&path) {
            match router.find(host.unwrap_or_default(), &reading, request.method()) {
                // Nothing is asked for there.
                Err(NoRoute::NotFound) => {}
                Ok((other, _)) if other == number => {}
                Ok(_) | Err(NoRoute::MethodNotAllowed(_)) => {
                    return Err(Box::new(rescue::refusal(Refusal::TwoReadings)));
                }
            }
        }
        let owned = parameters.iter();
        let owned = owned.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = owned.collect();
        let path = path_if_other(path);
        Ok((number, Target { path, parameters }))
    }

    async fn health(&self, path: &str) -> Option<Response<Body>> {
        Some(match Question::of(&self.health, path)? {
            Question::Live => health::well(),
            Question::Ready if self.is_ready().await => health::well(),
            Question::Ready => health::not_ready(),
        })
    }

    /// Whether every storage can be read and written now, and the gateway is not about to end.
    async fn is_ready(&self) -> bool {
        if self.leaving.is_true() {
            return false;
        }
        // In a box: its size would be that of every request.
        self.readiness.ask(Box::pin(self.has_storages())).await
    }

    async fn has_storages(&self) -> bool {
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

/// A path that is spelt in another way than the client's.
fn path_if_other(path: Cow<'_, str>) -> Option<String> {
    match path {
        Cow::Borrowed(_) => None,
        Cow::Owned(path) => Some(path),
    }
}

impl Service for GatewayService {
    async fn handle(&self, peer: &Peer, request: &mut Request<Body>) -> Answer {
        let answer = pin!(self.answer(peer, request));
        // Guards in the plugins catch their panics; this is for a library built without them, and for ourselves.
        let answer = AssertUnwindSafe(answer).catch_unwind();
        answer.await.unwrap_or_else(|_| {
            error!("a request ended in a panic of the gateway");
            rescue::failure(Kind::INTERNAL).into()
        })
    }

    fn is_asked(&self) -> bool {
        self.is_asked
    }
}
