//! What happens to sessions, in the log and as numbers.

use std::fmt;

use abi::storage::Key;
use abi::{Counter, Services};
use tracing::{debug, info, warn};

use crate::engine::{Change, Event, Observer};

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
        let (name, reason, what) = (event.name(), event.reason(), in_words(event));
        let session = Beginning(key);
        match event {
            Event::ReuseDetected => {
                warn!(target: TARGET, event = name, reason, %session, "{what}");
            }
            Event::Expired(_) | Event::Refused(_) | Event::RevokedId => {
                debug!(target: TARGET, event = name, reason, %session, "{what}");
            }
            Event::Created | Event::Renewed(_) | Event::Rotated(_) | Event::Revoked(_) => {
                info!(target: TARGET, event = name, reason, %session, "{what}");
            }
        }
    }
}

/// Enough of the name of a row to tell two of them apart, and too little to find one.
struct Beginning(Key);

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0.as_bytes();
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

const fn in_words(event: Event) -> &'static str {
    match event {
        Event::Created => "a session began",
        Event::Renewed(_) => "a session was renewed under a new id",
        Event::Rotated(Change::Login) => "somebody logged in to a session, under a new id",
        Event::Rotated(Change::Rights) => "a session goes on under an unrelated id",
        Event::ReuseDetected => "a retired session id was used, its session is over",
        Event::Revoked(_) => "a session was ended",
        Event::Expired(_) => "the time of a session was over",
        Event::Refused(_) => "a session was refused",
        Event::RevokedId => "the id of a session was used that was ended",
    }
}

pub(super) const TARGET: &str = "session";
