//! The HTTP/1.1 connections to one upstream that wait for the next request.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::body::Body;

/// The idle connections of one worker to one upstream.
pub(super) struct Pool {
    keep: Keep,
    // Only this worker's thread ever locks it; the newest connection is at the back.
    idle: Mutex<VecDeque<(Http1, Instant)>>,
}

/// A connection that one request after the other has for itself.
pub(super) struct Http1 {
    pub(super) sender: SendRequest<Body>,
    /// For whichever request it has.
    pub(super) alarm: Alarm,
}

/// Opens HTTP/1.1 on a stream.
pub(super) async fn open(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Http1, hyper::Error> {
    let (sender, driver) = Builder::new().handshake(TokioIo::new(io)).await?;
    tokio::spawn(async move {
        if let Err(error) = driver.with_upgrades().await {
            tracing::debug!(%error, "upstream connection failed");
        }
    });
    Ok(Http1 {
        sender,
        alarm: Alarm::default(),
    })
}

/// Which connections are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// How many of one worker may be idle. Above it the upstream would hold more connections than it serves.
    pub idle: usize,
    /// How long one may be idle: less than the upstream waits, because whoever closes first decides whether a request
    /// is lost.
    pub idle_time: Duration,
}

impl Pool {
    pub(super) fn new(keep: Keep) -> Self {
        Self {
            keep,
            idle: Mutex::default(),
        }
    }

    /// Takes the connection that was used last: it is the least likely to be closed by the upstream. A request that
    /// could not be sent again gets one only when it is fresh.
    pub(super) fn take(&self, request: &Request<Body>) -> Option<Http1> {
        let is_safe_to_repeat = request.method().is_idempotent() && request.body().is_replayable();
        let limit = if is_safe_to_repeat {
            self.keep.idle_time
        } else {
            FRESH.min(self.keep.idle_time)
        };
        let mut idle = self.lock();
        let mut unready = None;
        let taken = loop {
            let Some((connection, since)) = idle.pop_back() else {
                break None;
            };
            if connection.sender.is_closed() {
                continue;
            }
            if since.elapsed() > limit {
                idle.push_back((connection, since));
                break None;
            }
            if connection.sender.is_ready() {
                break Some(connection);
            }
            // The end of its last response has not been seen by its own task yet.
            unready = Some((connection, since));
        };
        idle.extend(unready);
        taken
    }

    pub(super) fn put(&self, connection: Http1) {
        if connection.sender.is_closed() {
            return;
        }
        let now = Instant::now();
        let mut idle = self.lock();
        let is_old = |idle: &VecDeque<(Http1, Instant)>| {
            idle.front()
                .is_some_and(|(_, since)| now - *since > self.keep.idle_time)
        };
        while !idle.is_empty() && (idle.len() >= self.keep.idle || is_old(&idle)) {
            idle.pop_front();
        }
        if self.keep.idle > 0 {
            idle.push_back((connection, now));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(Http1, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Keep {
    /// Below the 60 s and 75 s after which common servers close.
    fn default() -> Self {
        Self {
            idle: 1024,
            idle_time: Duration::from_secs(55),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("idle", &self.lock().len())
            .finish()
    }
}

// A request that cannot be repeated goes only where a close in flight is unlikely.
const FRESH: Duration = Duration::from_secs(1);
