//! Reads under way, so that those who want the same row at the same time share one.

use std::sync::{Arc, Weak};
use std::time::Duration;

use abi::storage::{Key, Loaded};
use tokio::sync::OnceCell;

use crate::session::Timestamp;
use crate::storage::Versioned;

/// One read, and everybody who waits for it.
///
/// Whoever comes first reads for all. If they go away before the answer comes, as a client does that breaks off, the
/// next one reads anew.
#[derive(Debug)]
pub(super) struct Flight {
    began: Timestamp,
    answer: OnceCell<Loaded<Versioned>>,
}

impl Flight {
    /// Waits for the answer, or reads for everybody.
    pub(super) async fn answer<F>(&self, read: impl FnOnce() -> F) -> Loaded<Versioned>
    where
        F: Future<Output = Loaded<Versioned>>,
    {
        self.answer.get_or_init(read).await.clone()
    }
}

/// The reads that others may still join. Those who wait keep a read alive; this only knows of it.
#[derive(Debug, Default)]
pub(super) struct Flights(Vec<(Key, Weak<Flight>)>);

impl Flights {
    /// The read of this row that is under way, if it began less than `max_age` ago; else a new one.
    pub(super) fn join(&mut self, key: Key, now: Timestamp, max_age: Duration) -> Arc<Flight> {
        let mut known = self.0.iter().filter(|(of, _)| *of == key);
        let flight = known.find_map(|(_, flight)| flight.upgrade());
        if let Some(flight) = flight.filter(|flight| now.since(flight.began) < max_age) {
            return flight;
        }
        self.0
            .retain(|(of, flight)| *of != key && flight.strong_count() > 0);
        let flight = Arc::new(Flight {
            began: now,
            answer: OnceCell::new(),
        });
        self.0.push((key, Arc::downgrade(&flight)));
        flight
    }

    /// Nobody joins a read of this row any more: what it brings may be older than what those know who come from now on.
    pub(super) fn close(&mut self, key: &Key) {
        self.0.retain(|(of, _)| of != key);
    }

    /// As [`close`](Self::close), for all rows.
    pub(super) fn close_all(&mut self) {
        self.0.clear();
    }
}
