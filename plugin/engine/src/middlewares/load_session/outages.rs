//! Outages of the storage, each told once and not with every request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use abi::storage::Unavailable;
use tracing::{info, warn};

use super::journal::TARGET;
use crate::session::Timestamp;

/// Whether there is an outage, as far as requests have noticed.
#[derive(Debug, Default)]
pub(super) struct Outages {
    is_on: AtomicBool,
    /// When a request last met it, in milliseconds of Unix time.
    last_met: AtomicU64,
    requests: AtomicU64,
}

impl Outages {
    /// The storage did not answer a request; `policy` is what the operator wants to become of those.
    pub(super) fn met(&self, cause: &Unavailable, policy: &'static str, now: Timestamp) {
        self.last_met.store(now.as_millis(), Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !self.is_on.swap(true, Ordering::Relaxed) {
            warn!(target: TARGET, event = "outage-began", reason = policy, %cause, "the storage does not answer");
        }
    }

    /// The storage answered. The outage is over when it has done so for a while: where a part of the servers is away,
    /// answers and failures come by turns.
    pub(super) fn over(&self, now: Timestamp) {
        if !self.is_on.load(Ordering::Relaxed) {
            return;
        }
        let last_met = Timestamp::from_millis(self.last_met.load(Ordering::Relaxed));
        if now.since(last_met) >= QUIET && self.is_on.swap(false, Ordering::Relaxed) {
            let requests = self.requests.swap(0, Ordering::Relaxed);
            info!(target: TARGET, event = "outage-ended", requests, "the storage answers again");
        }
    }
}

/// So long does a part that is away go unnoticed at most where there are requests for it: longer than any answer takes.
const QUIET: Duration = Duration::from_secs(5);
