//! The HTTP/1.1 connections to one upstream that wait for the next request.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use tokio::time::Instant;

use super::http1::Http1;
use super::sweeper::{Kept, Sweeper, look_after};
use crate::body::Body;

/// The idle connections of one worker to one upstream.
pub(super) struct Pool {
    keep: Keep,
    // Only this worker's thread ever locks it; the newest connection is at the back.
    idle: Mutex<VecDeque<Box<Http1>>>,
    sweeper: Sweeper,
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
            sweeper: Sweeper::default(),
        }
    }

    /// Takes the connection that was used last: it is the least likely to be closed by the upstream. A request that
    /// could not be sent again gets one only when it is fresh.
    pub(super) fn take(&self, request: &Request<Body>) -> Option<Box<Http1>> {
        let is_safe_to_repeat = request.method().is_idempotent() && request.body().is_replayable();
        let limit = if is_safe_to_repeat {
            self.keep.idle_time
        } else {
            FRESH.min(self.keep.idle_time)
        };
        let now = Instant::now();
        let mut idle = self.lock();
        while let Some(mut connection) = idle.pop_back() {
            if now - connection.since > limit {
                idle.push_back(connection);
                break;
            }
            if connection.is_resting() {
                connection.since = now;
                return Some(connection);
            }
        }
        None
    }

    pub(super) fn put(self: &Arc<Self>, mut connection: Box<Http1>) {
        let now = Instant::now();
        connection.since = now;
        let mut idle = self.lock();
        let is_old = |idle: &VecDeque<Box<Http1>>| {
            let front = idle.front();
            front.is_some_and(|front| now - front.since > self.keep.idle_time)
        };
        while !idle.is_empty() && (idle.len() >= self.keep.idle || is_old(&idle)) {
            idle.pop_front();
        }
        if self.keep.idle > 0 {
            idle.push_back(connection);
            drop(idle);
            look_after(self);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Box<Http1>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept for Pool {
    fn sweeper(&self) -> &Sweeper {
        &self.sweeper
    }

    fn sweep(&self) -> bool {
        let mut idle = self.lock();
        let limit = self.keep.idle_time;
        idle.retain_mut(|connection| {
            connection.since.elapsed() <= limit && connection.is_resting()
        });
        idle.is_empty()
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
