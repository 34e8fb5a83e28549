//! Accepts connections and hands their requests to a service.
//!
//! One thread per core, each with a runtime, listeners and a service of its own, so that nothing on the path of a
//! request is shared between threads. A connection arrives (`arrival`: TLS, and which HTTP), is served (`connection`), and is
//! cut when it is overdue (`watchdog`, `activity`).

mod activity;
mod arrival;
mod connection;
mod drain;
mod exchange;
mod frames;
pub mod http1;
mod http2;
mod incoming;
mod listener;
mod peer;
pub mod proxy_protocol;
mod semantics;
mod signal;
mod stop;
mod switch;
mod watchdog;
mod watched;
mod worker;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Request, Response};
use tokio::sync::watch;

use crate::body::Body;
use crate::config::{Address, Limits, Networks, Timeouts};
use crate::metrics::{RouteCounters, Traffic};
use crate::succession::Inherited;
use crate::tls::Certificates;
use crate::trace::Tracing;

pub(crate) use activity::Busy;
pub use drain::{Alive, Tracker};
pub(crate) use incoming::Incoming;
pub use peer::{Peer, Scheme};
pub use signal::{Order, Orders};
pub(crate) use switch::{Awaited, Switch};
pub use worker::Worker;

/// Answers requests. There is one per worker thread.
pub trait Service: Send + Sync + 'static {
    /// Answers one request, which is clean of what belongs to the client's connection, and may be taken from where it
    /// is. The future is dropped when the client goes away.
    fn handle(
        &self,
        peer: &Peer,
        request: &mut Request<Body>,
    ) -> impl Future<Output = Answer> + Send;

    /// Whether proxies ask about requests of theirs: what those say of them is then noted before it is cleaned away.
    fn is_asked(&self) -> bool {
        false
    }
}

/// A response, and the route it is counted for.
#[derive(Debug)]
pub struct Answer {
    /// What the client gets.
    pub response: Response<Body>,
    /// The number by which other log lines name the request.
    pub request: Option<u64>,
    /// The route that answered; `None` for what no route answered.
    pub route: Option<Arc<RouteCounters>>,
}

/// How to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub addresses: Vec<Address>,
    /// The permissions of socket files; `None` leaves them to the umask.
    pub socket_mode: Option<u32>,
    /// What connections over TCP are secured with; `None` leaves them in the clear.
    pub tls: Option<Certificates>,
    /// Whose word about a client is taken.
    pub trusted_proxies: Networks,
    /// Whether connections from `trusted_proxies` begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// Worker threads; 0 means one per core.
    pub threads: u16,
    /// What a client may send.
    pub limits: Limits,
    /// How long anything may take.
    pub timeouts: Timeouts,
    /// How long running requests and tunnels may go on after the order to stop.
    pub grace: Duration,
    /// What is made of the traces that requests come with.
    pub tracing: Tracing,
    /// Where connections and requests are counted.
    pub traffic: Traffic,
}

/// A running server. Dropping it orders it to stop, without waiting.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<Address>,
    order: watch::Sender<bool>,
    /// Ends when the last worker has closed its listeners.
    doors_closed: Mutex<mpsc::Receiver<Infallible>>,
    /// To be handed over. Gone from the order to stop on.
    sockets: Mutex<Vec<OwnedFd>>,
    workers: Vec<JoinHandle<()>>,
    plan: Arc<ArcSwap<worker::Plan>>,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Somebody else listens there, or nobody may.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: Address,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The system gives no more threads or file descriptors.
    #[error("cannot start a worker thread")]
    Thread(#[source] io::Error),
}

impl Server {
    /// Binds every address, then starts the workers. `make` is called once on each of them.
    ///
    /// # Errors
    /// When an address is taken or no thread can be started. Nothing is left running then.
    pub fn start<S: Service>(
        settings: Settings,
        make: impl Fn(&Worker) -> S + Clone + Send + 'static,
    ) -> Result<Self, ServerError> {
        Self::inherit(&mut Inherited::default(), settings, make)
    }

    /// As [`start`](Self::start), on those of the inherited sockets that are at one of the addresses.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn inherit<S: Service>(
        inherited: &mut Inherited,
        settings: Settings,
        make: impl Fn(&Worker) -> S + Clone + Send + 'static,
    ) -> Result<Self, ServerError> {
        let threads = match settings.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => usize::from(threads),
        };
        let (listeners, addresses) = listener::bind(
            &settings.addresses,
            settings.socket_mode,
            threads,
            inherited,
        )?;
        let copies = listeners.iter().flatten().map(listener::Bound::copy);
        let copies = copies
            .collect::<io::Result<_>>()
            .map_err(ServerError::Thread)?;
        let (order, stopping) = watch::channel(false);
        let (doors_open, doors_closed) = mpsc::channel();
        let plan = Arc::new(ArcSwap::from_pointee(worker::Plan::new(settings)));
        let mut server = Self {
            addresses,
            order,
            doors_closed: Mutex::new(doors_closed),
            sockets: Mutex::new(copies),
            workers: Vec::with_capacity(threads),
            plan: Arc::clone(&plan),
        };
        for (index, listeners) in listeners.into_iter().enumerate() {
            let (make, plan) = (make.clone(), Arc::clone(&plan));
            let signals = (stopping.clone(), doors_open.clone());
            let runtime = worker::runtime().map_err(ServerError::Thread)?;
            let thread = std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || worker::run(runtime, listeners, signals, (plan, make)))
                .map_err(ServerError::Thread)?;
            server.workers.push(thread);
        }
        Ok(server)
    }

    /// Where it listens, with the ports the system has chosen.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Serves connections that are accepted from now on by other settings. Addresses and threads stay what they are.
    pub fn renew(&self, settings: Settings) {
        let next = self.plan.load().next(settings);
        self.plan.store(Arc::new(next));
    }

    /// Orders it to stop: idle connections are closed, running requests end, tunnels and whatever is left are cut
    /// after the grace time. When this returns, nothing is accepted any more.
    pub fn stop(&self) {
        drop(std::mem::take(&mut *self.sockets()));
        self.order.send_replace(true);
        let doors = self.doors_closed.lock();
        // Nothing is ever sent: the only event is that the last sender is gone.
        let _ = doors.unwrap_or_else(PoisonError::into_inner).recv();
    }

    /// Further descriptors of its sockets, for a process that is to listen on them as well.
    ///
    /// # Errors
    /// When the system has no more descriptors.
    pub fn copies(&self) -> io::Result<Vec<OwnedFd>> {
        self.sockets().iter().map(OwnedFd::try_clone).collect()
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<OwnedFd>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has stopped.
    ///
    /// # Panics
    /// When a worker has panicked, which is a bug of the gateway.
    pub fn join(mut self) {
        for worker in self.workers.drain(..) {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Serves one connection of a test.
#[cfg(test)]
pub(crate) async fn serve_for_test(
    stream: crate::stream::Stream,
    service: impl Service,
    settings: Settings,
    stopping: watch::Receiver<bool>,
) {
    let plan = Arc::new(ArcSwap::from_pointee(worker::Plan::new(settings)));
    let doorway = Arc::new(connection::Doorway {
        service,
        plan,
        stopping,
        post: Arc::default(),
    });
    let post = Arc::clone(&doorway.post);
    let mut delivering = tokio::task::JoinSet::new();
    delivering.spawn(async move { post.deliver().await });
    let address = Some([192, 0, 2, 1].into());
    let socket = arrival::Socket {
        stream,
        address,
        seat: None,
    };
    let (_drain, alive) = drain::drain();
    connection::serve(socket, alive, doorway).await;
}

impl Drop for Server {
    fn drop(&mut self) {
        self.order.send_replace(true);
    }
}

impl From<Response<Body>> for Answer {
    fn from(response: Response<Body>) -> Self {
        Self {
            response,
            request: None,
            route: None,
        }
    }
}

impl From<&crate::config::Server> for Settings {
    fn from(server: &crate::config::Server) -> Self {
        Self {
            addresses: server.addresses.clone(),
            socket_mode: server.socket_mode,
            tls: server.tls.clone(),
            trusted_proxies: server.trusted_proxies.clone(),
            proxy_protocol: server.proxy_protocol,
            threads: server.threads,
            limits: server.limits,
            timeouts: server.timeouts,
            grace: server.shutdown_grace,
            tracing: server.tracing,
            traffic: Traffic::default(),
        }
    }
}

/// What every connection of HTTP/2 begins with (RFC 9113, section 3.4).
const HTTP_2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
