//! Counters of guesses, and how long each makes somebody wait.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

use crate::session::Timestamp;

/// At most so many counters. When there is no room, those go first that say least.
#[derive(Debug)]
pub(super) struct Table {
    counters: HashMap<Trace, Counter>,
    most: usize,
    traces: RandomState,
}

/// Stands for whom a counter counts: names are not kept, because people type passwords into the wrong field.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Trace(u64);

/// How waits grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    /// Guesses without a wait.
    pub(super) free: u32,
    /// No wait is longer.
    pub(super) longest: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    guesses: u32,
    last: Timestamp,
    until: Timestamp,
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self {
            counters: HashMap::new(),
            most,
            traces: RandomState::new(),
        }
    }

    pub(super) fn trace(&self, whom: impl Hash) -> Trace {
        Trace(self.traces.hash_one(whom))
    }

    /// How long the next guess has to wait.
    pub(super) fn wait(&self, trace: Trace, now: Timestamp) -> Duration {
        let counter = self.counters.get(&trace);
        counter.map_or(Duration::ZERO, |counter| counter.until.since(now))
    }

    pub(super) fn count(&mut self, trace: Trace, backoff: Backoff, now: Timestamp) {
        if !self.counters.contains_key(&trace) {
            self.make_room(now);
        }
        let counter = self
            .counters
            .entry(trace)
            .or_insert_with(|| Counter::new(now));
        if counter.is_forgotten(now) {
            *counter = Counter::new(now);
        }
        counter.guesses = counter.guesses.saturating_add(1);
        counter.last = now;
        counter.until = now.after(backoff.after(counter.guesses));
    }

    pub(super) fn forget(&mut self, trace: Trace) {
        self.counters.remove(&trace);
    }

    /// Counts one less, and waits no longer for it.
    pub(super) fn take_back(&mut self, trace: Trace) {
        if let Some(counter) = self.counters.get_mut(&trace) {
            counter.guesses = counter.guesses.saturating_sub(1);
            counter.until = counter.last;
        }
    }

    /// Whoever floods the table has many counters of one guess each. They go first, and the oldest among them: what
    /// holds somebody back stays.
    fn make_room(&mut self, now: Timestamp) {
        if self.counters.len() < self.most {
            return;
        }
        self.counters
            .retain(|_, counter| !counter.is_forgotten(now));
        if self.counters.len() < self.most {
            return;
        }
        let weight = |counter: &Counter| (counter.guesses, counter.last);
        let mut weights: Vec<_> = self.counters.values().map(weight).collect();
        // A quarter at once, so that not every guess looks at all of them.
        let place = weights.len() / 4;
        let (_, lightest, _) = weights.select_nth_unstable(place);
        let lightest = *lightest;
        self.counters
            .retain(|_, counter| weight(counter) > lightest);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.counters.len()
    }
}

impl Counter {
    const fn new(now: Timestamp) -> Self {
        Self {
            guesses: 0,
            last: now,
            until: now,
        }
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        now.since(self.last) >= MEMORY
    }
}

impl Backoff {
    fn after(self, guesses: u32) -> Duration {
        let Some(beyond) = guesses.checked_sub(self.free) else {
            return Duration::ZERO;
        };
        FIRST
            .saturating_mul(1_u32.checked_shl(beyond).unwrap_or(u32::MAX))
            .min(self.longest)
    }
}

const FIRST: Duration = Duration::from_secs(1);
const MEMORY: Duration = Duration::from_secs(60 * 60);
