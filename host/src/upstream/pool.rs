//! The connections to one upstream that wait for the next request.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::body::Body;
use crate::stream::Stream;

/// The idle connections of one worker to one upstream.
#[derive(Default)]
pub(crate) struct Pool {
    // Only this worker's thread ever locks it; the newest connection is at the back.
    idle: Mutex<VecDeque<(SendRequest<Body>, Instant)>>,
}

/// A connection on loan for as long as a response is read from it.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    connection: SendRequest<Body>,
}

/// Opens HTTP on a stream.
pub(super) async fn open(stream: Stream) -> Result<SendRequest<Body>, hyper::Error> {
    let (sender, driver) = Builder::new().handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = driver.with_upgrades().await {
            tracing::debug!(%error, "upstream connection failed");
        }
    });
    Ok(sender)
}

impl Pool {
    /// Takes the connection that was used last: it is the least likely to be closed by the upstream. A request that
    /// could not be sent again gets one only when it is fresh.
    pub(super) fn take(&self, method: &Method, body: &Body) -> Option<SendRequest<Body>> {
        let is_safe_to_repeat = method.is_idempotent() && body.is_replayable();
        let limit = if is_safe_to_repeat {
            MAX_IDLE_TIME
        } else {
            FRESH
        };
        let mut idle = self.lock();
        let mut unready = None;
        let taken = loop {
            let Some((connection, since)) = idle.pop_back() else {
                break None;
            };
            if connection.is_closed() {
                continue;
            }
            if since.elapsed() > limit {
                idle.push_back((connection, since));
                break None;
            }
            if connection.is_ready() {
                break Some(connection);
            }
            // The end of its last response has not been seen by its own task yet.
            unready = Some((connection, since));
        };
        idle.extend(unready);
        taken
    }

    fn put(&self, connection: SendRequest<Body>) {
        if connection.is_closed() {
            return;
        }
        let now = Instant::now();
        let mut idle = self.lock();
        let is_old = |idle: &VecDeque<(SendRequest<Body>, Instant)>| {
            idle.front()
                .is_some_and(|(_, since)| now - *since > MAX_IDLE_TIME)
        };
        while idle.len() >= MAX_IDLE || is_old(&idle) {
            idle.pop_front();
        }
        idle.push_back((connection, now));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(SendRequest<Body>, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub(super) fn new(pool: Arc<Pool>, connection: SendRequest<Body>) -> Self {
        Self { pool, connection }
    }

    /// The response was read to its end.
    pub(crate) fn give_back(self) {
        self.pool.put(self.connection);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("idle", &self.lock().len())
            .finish()
    }
}

// Per worker; above it the upstream would hold more idle connections than it serves.
const MAX_IDLE: usize = 1024;
// Below the 60 s and 75 s after which common servers close: whoever closes first decides whether a request is lost.
const MAX_IDLE_TIME: Duration = Duration::from_secs(55);
// A request that cannot be repeated goes only where a close in flight is unlikely.
const FRESH: Duration = Duration::from_secs(1);
