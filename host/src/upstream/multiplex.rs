//! Connections that carry many requests at a time: HTTP/2.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use super::sweeper::{Kept, Sweeper, look_after};
use crate::body::Body;
use crate::stream::Stream as Io;

/// The HTTP/2 connections of one worker to one upstream.
pub(super) struct Multiplex {
    idle_time: Duration,
    sweeper: Sweeper,
    // Only this worker's thread ever locks it. The first with room is taken, so that the last ones run empty.
    connections: Mutex<Vec<Shared>>,
    /// Held by whoever opens one: the others wait, and find room on it.
    pub(super) opening: tokio::sync::Mutex<()>,
}

/// Room for one request on a connection.
pub(super) struct Stream {
    pub(super) sender: SendRequest<Body>,
    carrier: Arc<Carrier>,
}

struct Shared {
    sender: SendRequest<Body>,
    carrier: Arc<Carrier>,
}

/// What a connection knows of its requests.
struct Carrier {
    opened: Instant,
    /// When its last request ended, in milliseconds since then.
    ended: AtomicU64,
    streams: AtomicUsize,
    /// What the upstream allows at a time.
    limit: AtomicUsize,
    is_retired: AtomicBool,
    /// Lets the connection look at what the upstream allows, which it has said by the time of its first answer.
    look: AtomicWaker,
    has_looked: AtomicBool,
}

/// Opens HTTP/2 on a stream.
pub(super) async fn open(io: Io) -> Result<Stream, hyper::Error> {
    let (sender, driver) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        // An upstream that has gone without a word is noticed while requests wait for it.
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(TokioIo::new(io))
        .await?;
    let carrier = Arc::new(Carrier {
        opened: Instant::now(),
        ended: AtomicU64::new(0),
        streams: AtomicUsize::new(1),
        limit: AtomicUsize::new(MAX_STREAMS),
        is_retired: AtomicBool::new(false),
        look: AtomicWaker::new(),
        has_looked: AtomicBool::new(false),
    });
    let watch = Arc::clone(&carrier);
    tokio::spawn(async move {
        let mut driver = pin!(driver);
        let ended = poll_fn(|cx| {
            watch.look.register(cx.waker());
            let poll = driver.as_mut().poll(cx);
            let allowed = driver.current_max_send_streams().min(MAX_STREAMS);
            watch.limit.store(allowed.max(1), Ordering::Relaxed);
            poll
        });
        if let Err(error) = ended.await {
            tracing::debug!(%error, "upstream connection failed");
        }
    });
    Ok(Stream { sender, carrier })
}

impl Multiplex {
    /// Connections are closed that nobody has needed for `idle_time`.
    pub(super) fn new(idle_time: Duration) -> Self {
        Self {
            idle_time,
            sweeper: Sweeper::default(),
            connections: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
        }
    }

    /// Room on a connection that is open, and not older than `opened`.
    pub(super) fn take(&self, opened: Option<Instant>) -> Option<Stream> {
        let mut connections = self.lock();
        self.forget(&mut connections, Instant::now());
        let is_fit = |shared: &&Shared| shared.has_room() && shared.is_young(opened);
        let shared = connections.iter().find(is_fit)?;
        shared.carrier.streams.fetch_add(1, Ordering::Relaxed);
        Some(Stream {
            sender: shared.sender.clone(),
            carrier: Arc::clone(&shared.carrier),
        })
    }

    /// Lets others use the connection of this stream.
    pub(super) fn share(self: &Arc<Self>, stream: &Stream) {
        self.lock().push(Shared {
            sender: stream.sender.clone(),
            carrier: Arc::clone(&stream.carrier),
        });
        look_after(self);
    }

    /// Forgets those that are closed, and those that nobody has needed for too long.
    fn forget(&self, connections: &mut Vec<Shared>, now: Instant) {
        connections.retain(|shared| shared.is_usable(now, self.idle_time));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Shared>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept for Multiplex {
    fn sweeper(&self) -> &Sweeper {
        &self.sweeper
    }

    fn sweep(&self) -> bool {
        let mut connections = self.lock();
        self.forget(&mut connections, Instant::now());
        connections.is_empty()
    }
}

impl Stream {
    /// The connection takes no more requests; those it has go on.
    pub(super) fn retire(&self) {
        self.carrier.is_retired.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn is_usable(&self, now: Instant, idle_time: Duration) -> bool {
        let is_idle = self.carrier.streams.load(Ordering::Relaxed) == 0;
        let is_forgotten = is_idle && now - self.carrier.idle_since() > idle_time;
        !self.sender.is_closed()
            && !self.carrier.is_retired.load(Ordering::Relaxed)
            && !is_forgotten
    }

    fn is_young(&self, opened: Option<Instant>) -> bool {
        opened.is_none_or(|opened| self.carrier.opened >= opened)
    }

    fn has_room(&self) -> bool {
        let streams = self.carrier.streams.load(Ordering::Relaxed);
        streams < self.carrier.limit.load(Ordering::Relaxed)
    }
}

impl Carrier {
    /// Since when it is idle, where it has no request.
    fn idle_since(&self) -> Instant {
        self.opened + Duration::from_millis(self.ended.load(Ordering::Relaxed))
    }

    fn end(&self) {
        if self.streams.fetch_sub(1, Ordering::Relaxed) == 1 {
            // For longer than there are computers.
            let ended = self.opened.elapsed().as_millis() as u64;
            self.ended.store(ended, Ordering::Relaxed);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.carrier.end();
        if !self.carrier.has_looked.swap(true, Ordering::Relaxed) {
            self.carrier.look.wake();
        }
    }
}

impl fmt::Debug for Multiplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multiplex")
            .field("connections", &self.lock().len())
            .finish_non_exhaustive()
    }
}

// More on one connection, and a lost packet would hold up too many.
pub(super) const MAX_STREAMS: usize = 100;
// What is kept of an answer that its client does not take. At 10 ms to the service and back it lets 25 MB/s through.
const STREAM_WINDOW: u32 = 256 * 1024;
// Room for all streams at a time: what their clients do not take may not hold up the answers of others.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * MAX_STREAMS as u32;
// The reader of answers in HTTP/1.1 takes about as much.
const MAX_HEADER_BYTES: u32 = 256 * 1024;
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);
