//! One thread of the server.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use hyper::server::conn::http1;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::{self, Doorway};
use super::drain::{Alive, Tracker, drain};
use super::listener::{Bound, Listener};
use super::{Service, Settings};

/// What a service may know about the thread it runs on.
#[derive(Debug)]
pub struct Worker {
    tracker: Tracker,
}

/// What all workers share.
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) http: http1::Builder,
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
    (plan, make): (Arc<Plan>, impl Fn(&Worker) -> S),
) {
    runtime.block_on(async move {
        let (drain, alive) = drain();
        let grace = plan.settings.grace;
        let service = make(&Worker {
            tracker: alive.tracker(),
        });
        let doorway = Arc::new(Doorway {
            service,
            plan,
            stopping,
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
        let next = async {
            let seat = match &doorway.plan.seats {
                Some(seats) => Arc::clone(seats).acquire_owned().await.ok(),
                None => None,
            };
            (seat, listener.accept().await)
        };
        let (seat, accepted) = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, address)) => {
                let serving = connection::serve(stream, address, Arc::clone(&doorway));
                let alive = alive.clone();
                tokio::spawn(async move {
                    serving.await;
                    drop((seat, alive));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // Out of file descriptors: trying again at once would only burn the processor.
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Plan {
    pub(super) fn new(settings: Settings) -> Self {
        let mut http = http1::Builder::new();
        let header_bytes =
            usize::try_from(settings.limits.header_bytes.bytes()).unwrap_or(usize::MAX);
        // Deadlines are kept by `activity`: hyper has one timer for what are two things here.
        http.header_read_timeout(None)
            .max_header_size(header_bytes)
            .max_buf_size(header_bytes.max(MIN_BUFFER));
        let seats = match settings.limits.connections {
            0 => None,
            connections => Some(Arc::new(Semaphore::new(connections as usize))),
        };
        Self {
            settings,
            http,
            seats,
        }
    }
}

impl Worker {
    /// Counts tunnels in, so that they are cut when the grace time is over and not before.
    pub fn tracker(&self) -> Tracker {
        self.tracker.clone()
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
// Also the largest piece of a body that is read at once.
const MIN_BUFFER: usize = 64 * 1024;
