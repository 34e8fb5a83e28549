//! One thread of the server.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::server::conn::http2;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::arrival::Socket;
use super::connection::{self, Doorway};
use super::drain::{Alive, Tracker, drain};
use super::http1::Post;
use super::http2::Streams;
use super::listener::{BACKLOG, Bound, Listener};
use super::watched::Seat;
use super::{Peer, Scheme, Service, Settings};
use crate::stream::Stream;
use crate::tls::Certificates;

/// What a service may know about the thread it runs on.
#[derive(Debug)]
pub struct Worker {
    tracker: Tracker,
}

/// What all workers share.
pub(super) struct Plan {
    pub(super) settings: Settings,
    /// `None` when everybody speaks in the clear.
    acceptor: Option<TlsAcceptor>,
    // `None` when connections are not limited.
    seats: Option<Arc<Semaphore>>,
}

pub(super) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Serves until the order to stop, then for the grace time at most.
pub(super) fn run<S: Service>(
    runtime: Runtime,
    listeners: Vec<Bound>,
    (stopping, doors_open): (watch::Receiver<bool>, Sender<Infallible>),
    (plan, make): (Arc<ArcSwap<Plan>>, impl Fn(&Worker) -> S),
) {
    runtime.block_on(async move {
        let (drain, alive) = drain();
        let post = Arc::new(Post::default());
        let delivering = Arc::clone(&post);
        drop(tokio::spawn(async move { delivering.deliver().await }));
        let service = make(&Worker {
            tracker: alive.tracker(),
        });
        let doorway = Arc::new(Doorway {
            service,
            plan: Arc::clone(&plan),
            stopping,
            post,
        });
        let mut doors = JoinSet::new();
        for listener in listeners {
            match listener.register() {
                Ok(listener) => {
                    drop(doors.spawn(accept(listener, Arc::clone(&doorway), alive.clone())))
                }
                Err(error) => tracing::error!(%error, "cannot listen"),
            }
        }
        drop((doorway, alive));
        while doors.join_next().await.is_some() {}
        drop(doors_open);
        let grace = plan.load().settings.grace;
        if timeout(grace, drain.finished()).await.is_err() {
            tracing::warn!("shutdown grace is over, cutting what is still open");
        }
    });
    // Whoever is still waiting for a blocking call will not hold the process back.
    runtime.shutdown_timeout(Duration::ZERO);
}

async fn accept<S: Service>(listener: Listener, doorway: Arc<Doorway<S>>, alive: Alive) {
    let mut stopping = doorway.stopping.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return accept_last(listener, &doorway, &alive),
            next = listener.accept() => next,
        };
        match accepted {
            Ok((stream, address)) => {
                // A listener that waits for a seat accepts nobody else. None sits on a seat while nobody comes to it.
                let seat = tokio::select! {
                    biased;
                    _ = stopping.wait_for(|stop| *stop) => return,
                    seat = seat(&doorway.plan) => seat,
                };
                serve((stream, address), seat, &doorway, &alive);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // Out of file descriptors: trying again at once would only burn the processor.
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves those who are connected as far as they know: the system has accepted them, and would reset them with the
/// listener. It is asked itself, because what the runtime knows of a listener is older.
fn accept_last<S: Service>(listener: Listener, doorway: &Arc<Doorway<S>>, alive: &Alive) {
    let Ok(listener) = listener.unregister() else {
        return;
    };
    // As many as can wait: who comes meanwhile could go on for ever.
    for _ in 0..BACKLOG {
        match listener.accept() {
            Ok(accepted) => {
                let seats = doorway.plan.load().seats.clone();
                let Ok(seat) = seats.map(Semaphore::try_acquire_owned).transpose() else {
                    return;
                };
                serve(accepted, seat, doorway, alive);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // That one is gone.
            Err(_) => {}
        }
    }
}

fn serve<S: Service>(
    (stream, address): (Stream, Option<IpAddr>),
    seat: Option<Seat>,
    doorway: &Arc<Doorway<S>>,
    alive: &Alive,
) {
    let socket = Socket {
        stream,
        address,
        seat,
    };
    // Spawned as it is: a block that awaits it would hold it twice.
    tokio::spawn(connection::serve(
        socket,
        alive.clone(),
        Arc::clone(doorway),
    ));
}

impl Plan {
    pub(super) fn new(settings: Settings) -> Self {
        let seats = match settings.limits.connections {
            0 => None,
            connections => Some(Arc::new(Semaphore::new(connections as usize))),
        };
        let acceptor = settings.tls.as_ref().map(Certificates::acceptor);
        if let Some(certificates) = &settings.tls {
            certificates.report();
        }
        Self {
            settings,
            acceptor,
            seats,
        }
    }

    /// The plan after this one. Whoever has a seat keeps it, and goes on taking it from others. A certificate is replaced
    /// where it is, so that clients that come back are still known.
    pub(super) fn next(&self, mut settings: Settings) -> Self {
        if let (Some(certificates), Some(newer)) = (&self.settings.tls, &settings.tls) {
            certificates.adopt(newer);
            settings.tls = Some(certificates.clone());
        }
        let is_same = settings.limits.connections == self.settings.limits.connections;
        let mut next = Self::new(settings);
        if is_same {
            next.seats.clone_from(&self.seats);
        }
        next
    }

    /// What a connection is secured with. Those over a unix socket never leave the machine, and never are.
    pub(super) fn acceptor(&self, stream: &Stream) -> Option<&TlsAcceptor> {
        match stream {
            Stream::Tcp(_) => self.acceptor.as_ref(),
            Stream::Tls(_) | Stream::Unix(_) => None,
        }
    }

    /// Who is at the other end, as far as an address tells.
    pub(super) fn peer(&self, address: Option<IpAddr>) -> Peer {
        Peer {
            address,
            scheme: Scheme::Http,
            is_trusted: self.settings.trusted_proxies.contains(address),
        }
    }

    /// How long each step before the first request may take.
    pub(super) const fn patience(&self) -> Duration {
        self.settings.timeouts.header_read.get()
    }

    /// The most bytes that the head of a request over HTTP/1.1 may have.
    pub(super) fn header_bytes(&self) -> usize {
        usize::try_from(self.settings.limits.header_bytes.bytes()).unwrap_or(usize::MAX)
    }

    /// How HTTP/2 is spoken on one connection.
    pub(super) fn http2(&self, streams: Streams) -> http2::Builder<Streams> {
        let header_bytes = self.settings.limits.header_bytes.bytes();
        let mut http2 = http2::Builder::new(streams);
        http2
            .enable_connect_protocol()
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER);
        http2
    }
}

/// Waits until one more connection is allowed.
async fn seat(plan: &ArcSwap<Plan>) -> Option<Seat> {
    let seats = plan.load().seats.clone()?;
    seats.acquire_owned().await.ok()
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// Counts tunnels in, so that they are cut when the grace time is over and not before.
    pub fn tracker(&self) -> Tracker {
        self.tracker.clone()
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
// The least that RFC 9113, section 6.5.2 recommends, and what others allow.
const MAX_STREAMS: u32 = 100;
// What a client may send before anybody reads it: of one request, and of all on a connection. Enough for 20 MB/s on a
// way of 25 ms, and all that a client can make a connection hold.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;
// What is held for a client that does not read, of one response.
const SEND_BUFFER: usize = 64 * 1024;
