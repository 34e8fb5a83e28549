//! One part of the cache: what may be kept, and for how long it counts. Pure: whoever calls brings the time.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use abi::storage::{Key, Loaded};

use super::flights::{Flight, Flights};
use crate::session::Timestamp;
use crate::storage::Versioned;
use crate::storage::dense::{Dense, Keyed, Pages, ShortKey};

/// Copies of rows. One is *fresh* while every write of its row would have been heard of since it was read.
pub(crate) struct Shard {
    entries: Dense<Pages<Entry>>,
    flights: Flights,
    limits: Limits,
    /// Counts what was heard. What was read before the last of it may be outdated, whoever it was about.
    generation: u64,
    /// Counts the gaps, from 1: no entry from before the last one is fresh.
    epoch: u64,
}

/// What a shard may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) entries: usize,
    /// No entry counts for longer, fresh or not, from when its row was asked for.
    pub(super) max_age: Duration,
}

/// What was true when a row was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    generation: u64,
    at: Timestamp,
}

impl Token {
    /// The same, for what was asked for while news may have been missed.
    pub(super) const fn unheard(self) -> Self {
        Self {
            generation: UNHEARD,
            ..self
        }
    }
}

struct Entry {
    key: ShortKey,
    row: Versioned,
    read_at: Timestamp,
    epoch: u64,
}

impl Shard {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            entries: Dense::new(),
            flights: Flights::default(),
            limits,
            generation: 0,
            epoch: 1,
        }
    }

    /// The row, if the copy is as good as the row.
    pub(super) fn fresh(&self, key: &Key, now: Timestamp) -> Option<Versioned> {
        let entry = self.entries.find(key)?;
        (entry.epoch == self.epoch && self.counts(entry, now)).then(|| entry.row.clone())
    }

    /// The row as it was not long ago.
    pub(super) fn stale(&self, key: &Key, now: Timestamp) -> Option<Versioned> {
        let entry = self.entries.find(key)?;
        self.counts(entry, now).then(|| entry.row.clone())
    }

    /// To be taken before a row is asked for or written.
    pub(super) const fn token(&self, now: Timestamp) -> Token {
        Token {
            generation: self.generation,
            at: now,
        }
    }

    /// The read of this row that is under way, or a new one.
    pub(super) fn join(&mut self, key: Key, now: Timestamp) -> Arc<Flight> {
        self.flights.join(key, now, self.limits.max_age)
    }

    /// Takes what a read brought. It is kept unless something newer is here, and it is fresh unless something was heard
    /// since. What is not fresh still says that nothing older is: a read of the same row that is under way may have been
    /// answered before this one.
    pub(super) fn land(&mut self, key: Key, loaded: &Loaded<Versioned>, token: Token) {
        self.flights.close(&key);
        let Loaded::Found(row) = loaded else {
            return;
        };
        let is_fresh = token.generation == self.generation;
        let known = self.floor(&key, token.at);
        if known < Some(row.version) || (is_fresh && known == Some(row.version)) {
            let epoch = if is_fresh { self.epoch } else { NEVER };
            self.keep((key, epoch), row.clone(), token.at);
        }
    }

    /// The version that nobody may be given an older one than. After a gap a row may have begun anew.
    fn floor(&self, key: &Key, now: Timestamp) -> Option<u64> {
        let entry = self.entries.find(key)?;
        let is_since_the_gap = [self.epoch, NEVER].contains(&entry.epoch);
        (is_since_the_gap && self.counts(entry, now)).then_some(entry.row.version)
    }

    /// Takes what this process wrote. It is kept unless something was heard since: of two writes nobody knows which
    /// came first.
    pub(super) fn wrote(&mut self, key: Key, row: Versioned, token: Token) {
        let is_last = token.generation == self.generation;
        self.forget(&key);
        if is_last {
            self.keep((key, self.epoch), row, token.at);
        }
    }

    /// This process may have written the row, or not: its copy is fresh no more.
    pub(super) fn doubt(&mut self, key: &Key) {
        self.hear(key);
        if let Some(entry) = self.take(key) {
            self.entries.insert(Entry {
                epoch: NEVER,
                ..entry
            });
        }
    }

    /// The row is another one now.
    pub(super) fn forget(&mut self, key: &Key) {
        self.hear(key);
        self.take(key);
    }

    /// Writes may have been missed.
    pub(super) fn gap(&mut self) {
        self.generation += 1;
        self.epoch += 1;
        self.flights.close_all();
    }

    /// Every row is another one now.
    pub(super) fn clear(&mut self) {
        self.gap();
        self.entries = Dense::new();
    }

    fn hear(&mut self, key: &Key) {
        self.generation += 1;
        self.flights.close(key);
    }

    fn take(&mut self, key: &Key) -> Option<Entry> {
        let at = self.entries.position(key)?;
        self.entries.remove(at)
    }

    fn keep(&mut self, (key, epoch): (Key, u64), row: Versioned, read_at: Timestamp) {
        self.take(&key);
        self.make_room(read_at);
        self.entries.insert(Entry {
            key: (&key).into(),
            row,
            read_at,
            epoch,
        });
    }

    /// Drops some of the entries that count no more, and the oldest if that was not enough.
    fn make_room(&mut self, now: Timestamp) {
        let Limits { entries, max_age } = self.limits;
        self.entries
            .sweep(|entry| now.since(entry.read_at) >= max_age, drop);
        while self.entries.len() >= entries {
            let Some(oldest) = self.entries.first_to_go(|entry| Reverse(entry.read_at)) else {
                return;
            };
            self.entries.remove(oldest);
        }
    }

    fn counts(&self, entry: &Entry, now: Timestamp) -> bool {
        now.since(entry.read_at) < self.limits.max_age
    }
}

impl Keyed for Entry {
    fn key(&self) -> ShortKey {
        self.key
    }
}

/// An epoch that no shard is in.
const NEVER: u64 = 0;
/// A generation that no shard comes to.
const UNHEARD: u64 = u64::MAX;

#[cfg(test)]
mod tests;
