//! One configuration after the other, each for the requests that come while it is the newest.
//!
//! A worker has a service for the newest one. A request stays with the service that it came to, so the one before ends
//! with its last request, whenever that is. What it had opened is closed by a thread that waits for this: closing a
//! file may take a moment, and a worker has none.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use http::Request;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::assembly::Assembly;
use super::service::GatewayService;
use crate::body::Body;
use crate::config::{self, HealthCheck};
use crate::server::{Answer, Peer, Service, Tracker, Worker};

/// What a service is made of.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    pub(crate) assembly: Lease,
    pub(crate) health: HealthCheck,
    pub(crate) leaving: Leaving,
}

/// Whether nobody will serve at the addresses soon. The same for all generations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaving(Arc<AtomicBool>);

/// The assembly of a generation, in use.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    assembly: Arc<Assembly>,
    // Declared last: whoever waits for its end finds the assembly free.
    _user: mpsc::Sender<Infallible>,
}

/// Where the workers find the newest generation.
#[derive(Debug)]
pub(crate) struct Generations(Mutex<State>);

#[derive(Debug)]
struct State {
    newest: Generation,
    /// Ends when the newest is no longer used by anybody.
    unused: mpsc::Receiver<Infallible>,
    workers: Vec<UnboundedSender<Succession>>,
    closing: Vec<JoinHandle<()>>,
}

/// The order to a worker to serve by another generation. It is followed when this is dropped.
struct Succession {
    next: Generation,
    _followed: mpsc::Sender<Infallible>,
}

/// The service of a worker: always by the newest generation.
#[derive(Debug)]
pub(crate) struct Newest(Arc<ArcSwap<GatewayService>>);

// === impl Generation ===

impl Generation {
    /// Returned with what ends when nobody uses it any more.
    fn new(
        assembly: Assembly,
        server: &config::Server,
        leaving: Leaving,
    ) -> (Self, mpsc::Receiver<Infallible>) {
        let (user, unused) = mpsc::channel();
        let assembly = Lease {
            assembly: Arc::new(assembly),
            _user: user,
        };
        let generation = Self {
            assembly,
            health: server.health_check.clone(),
            leaving,
        };
        (generation, unused)
    }
}

impl Leaving {
    pub(crate) fn is_true(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Deref for Lease {
    type Target = Assembly;

    fn deref(&self) -> &Assembly {
        &self.assembly
    }
}

// === impl Generations ===

impl Generations {
    pub(crate) fn new(assembly: Assembly, server: &config::Server) -> Self {
        let (newest, unused) = Generation::new(assembly, server, Leaving::default());
        Self(Mutex::new(State {
            newest,
            unused,
            workers: Vec::new(),
            closing: Vec::new(),
        }))
    }

    /// The assembly that new requests come to.
    pub(crate) fn newest(&self) -> Lease {
        self.state().newest.assembly.clone()
    }

    /// Replaces the newest. When this returns, all new requests come to the next one.
    pub(crate) fn succeed(&self, assembly: Assembly, server: &config::Server) {
        let mut state = self.state();
        let leaving = state.newest.leaving.clone();
        let (next, unused) = Generation::new(assembly, server, leaving);
        let before = std::mem::replace(&mut state.newest, next);
        let unused_before = std::mem::replace(&mut state.unused, unused);
        state.tell_workers();
        state.closing.retain(|thread| !thread.is_finished());
        state.close(before.assembly.assembly, unused_before);
    }

    /// From now on this process is not ready for more.
    pub(crate) fn leave(&self) {
        self.state().newest.leaving.0.store(true, Ordering::Relaxed);
    }

    /// Waits until everything that is no longer used is closed.
    pub(crate) fn close(&self) {
        let closing = std::mem::take(&mut self.state().closing);
        for thread in closing {
            // A panic on it was reported where it happened.
            let _ = thread.join();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_workers(&mut self) {
        let (followed, all_followed) = mpsc::channel();
        let newest = &self.newest;
        self.workers.retain(|worker| {
            let succession = Succession {
                next: newest.clone(),
                _followed: followed.clone(),
            };
            worker.send(succession).is_ok()
        });
        drop(followed);
        // Nothing is ever sent: the only event is that the last sender is gone.
        let _ = all_followed.recv();
    }

    fn close(&mut self, assembly: Arc<Assembly>, unused: mpsc::Receiver<Infallible>) {
        let close = move || {
            let _ = unused.recv();
            drop(assembly);
        };
        let thread = std::thread::Builder::new().name("closing".to_owned());
        match thread.spawn(close) {
            Ok(thread) => self.closing.push(thread),
            // Then whoever uses it last closes it.
            Err(error) => tracing::warn!(%error, "cannot start a thread"),
        }
    }
}

// === impl Newest ===

impl Newest {
    /// The service of this worker, which it replaces itself whenever there is a newer generation.
    pub(crate) fn on(worker: &Worker, generations: &Generations) -> Self {
        let (tell, told) = unbounded_channel();
        let mut state = generations.state();
        state.workers.push(tell);
        let tracker = worker.tracker();
        let service = GatewayService::new(state.newest.clone(), &tracker);
        let service = Arc::new(ArcSwap::from_pointee(service));
        tokio::spawn(follow(told, tracker, Arc::clone(&service)));
        Self(service)
    }
}

async fn follow(
    mut told: UnboundedReceiver<Succession>,
    tracker: Tracker,
    service: Arc<ArcSwap<GatewayService>>,
) {
    while let Some(Succession { next, _followed }) = told.recv().await {
        service.store(Arc::new(GatewayService::new(next, &tracker)));
    }
}

impl Service for Newest {
    async fn handle(&self, peer: &Peer, request: &mut Request<Body>) -> Answer {
        let service = self.0.load_full();
        service.handle(peer, request).await
    }

    fn is_asked(&self) -> bool {
        self.0.load().is_asked()
    }
}
