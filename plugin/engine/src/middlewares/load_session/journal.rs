//! What happens to sessions, in the log and as numbers.

use abi::storage::Key;
use abi::{Counter, Services};
use tracing::{debug, info, warn};

use crate::engine::{Event, Observer};

/// Keeps the log target `session` and the counters `session_loads_total` and `session_events_total`.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) found: Counter,
    pub(super) snapshot: Counter,
    pub(super) absent: Counter,
    pub(super) anonymous: Counter,
    /// Served from a copy, in an outage.
    pub(super) stale: Counter,
    /// Served as a stranger, in an outage.
    pub(super) overlooked: Counter,
    pub(super) unavailable: Counter,
    /// Found under a secret that is not the newest: it cannot go yet.
    pub(super) old_secret: Counter,
    events: Vec<(Event, Counter)>,
}

impl Journal {
    pub(super) fn new(services: &Services) -> Self {
        let loads = |outcome| {
            let help = "Requests by what became of their session id.";
            services.counter("session_loads_total", help, &[("outcome", outcome)])
        };
        let event = |event: Event| {
            let labels = [("event", event.name()), ("reason", event.reason())];
            let help = "What happened to sessions, and why.";
            (
                event,
                services.counter("session_events_total", help, &labels),
            )
        };
        Self {
            found: loads("found"),
            snapshot: loads("snapshot"),
            absent: loads("absent"),
            anonymous: loads("anonymous"),
            stale: loads("stale"),
            overlooked: loads("overlooked"),
            unavailable: loads("unavailable"),
            old_secret: services.counter(
                "session_old_secret_loads_total",
                "Sessions that were found under a secret that is not the newest.",
                &[],
            ),
            events: Event::ALL.map(event).into(),
        }
    }
}

/// A life is told at `info`, a theft at `warn`. What strangers can cause as often as they like is told at `debug`.
impl Observer for Journal {
    fn happened(&self, event: Event, key: Key) {
        if let Some((_, counter)) = self.events.iter().find(|(known, _)| *known == event) {
            counter.increment();
        }
        let (name, reason) = (event.name(), event.reason());
        match event {
            Event::ReuseDetected => {
                warn!(target: TARGET, event = name, reason, session = ?key, "a retired session id was used, its session is over");
            }
            Event::Expired(_) | Event::Refused(_) => {
                debug!(target: TARGET, event = name, reason, session = ?key, "session");
            }
            Event::Created | Event::Renewed(_) | Event::Rotated(_) | Event::Revoked(_) => {
                info!(target: TARGET, event = name, reason, session = ?key, "session");
            }
        }
    }
}

pub(super) const TARGET: &str = "session";
