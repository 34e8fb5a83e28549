//! Copies of decoded rows in this process: a row that nobody wrote since it was read need not be read again.
//!
//! What makes a copy as good as its row are the news that servers tell of every write of others. A token is taken before
//! a row is asked for. If news came before the token, the write came before the question and is in the answer; if they
//! come after the token and before the answer, the answer is not kept; and if they come later, they end the copy. Four
//! rules follow:
//!
//! - Nothing is kept and nothing counts unless every connection [hears](super::Changes::is_heard). A gap ends the
//!   freshness of all copies.
//! - What this process writes is kept when the storage has said so, and doubted from then on when it said nothing.
//! - No copy counts longer than `maxStaleness`, from when its row was asked for: if a server falls silent in a way that
//!   nobody notices, that is how late a revocation may be seen.
//! - An absent row is never kept: whoever makes up ids must not fill the cache.

mod copies;
mod flights;
mod guarded;
mod shard;
mod writing;

use std::fmt;
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use abi::storage::{Expected, Key, Loaded, Unavailable, Written};
use abi::{Counter, Maybe, Services};

use self::copies::Copies;
use self::guarded::Guarded;
use self::shard::{Shard, Token};
use self::writing::{Clearing, Writing};
use super::{Changes, Listener, Rows, Versioned};
use crate::clock::Clock;
use crate::session::Address;

pub(crate) use self::copies::Capacity;

/// Rows of which copies are kept.
///
/// A hit costs what one costs in the memory storage: a read lock and a reference count. Everybody who wants a row that
/// is being read waits for the same answer.
pub(crate) struct Cached<R, L = RwLock<Shard>> {
    rows: R,
    copies: Arc<Copies<L>>,
    changes: Changes,
    clock: Arc<dyn Clock>,
    hits: Counter,
    misses: Counter,
}

// === impl Cached ===

impl<R: Rows, L: Guarded<Shard>> Cached<R, L> {
    /// Keeps copies of `rows`, of which `changes` tells. `storages.yaml` calls the storage `name`.
    pub(crate) fn new(
        rows: R,
        (name, capacity): (&str, Capacity),
        changes: Changes,
        (clock, services): (Arc<dyn Clock>, &Services),
    ) -> Self {
        let copies = Arc::new(Copies::new(capacity));
        changes.subscribe(Arc::downgrade(&copies) as Weak<dyn Listener>);
        let loads = |outcome| {
            let labels = [("storage", name), ("outcome", outcome)];
            services.counter(LOADS, LOADS_HELP, &labels)
        };
        Self {
            rows,
            copies,
            changes,
            clock,
            hits: loads("hit"),
            misses: loads("miss"),
        }
    }

    /// Reads for everybody who asks until the answer comes.
    async fn read_together(&self, address: Address) -> Loaded<Versioned> {
        let (key, now) = (address.key(), self.clock.now());
        let flight = self.shard(&key).change(|shard| shard.join(key, now));
        flight
            .answer(|| self.read(address, |rows| rows.load(address)))
            .await
    }

    async fn read<'a>(
        &'a self,
        address: Address,
        ask: impl FnOnce(&'a R) -> Maybe<'a, Loaded<Versioned>>,
    ) -> Loaded<Versioned> {
        let (key, token) = (address.key(), self.token(&address.key()));
        let loaded = ask(&self.rows).wait().await;
        self.shard(&key).change(|shard| {
            // Asked in here, so that whatever ends the hearing finds the copy, or none counts.
            let token = match self.changes.is_heard() {
                true => token,
                false => token.unheard(),
            };
            shard.land(key, &loaded, token);
        });
        loaded
    }

    fn token(&self, key: &Key) -> Token {
        let now = self.clock.now();
        self.shard(key).look(|shard| shard.token(now))
    }

    fn shard(&self, key: &Key) -> &L {
        self.copies.shard(key)
    }
}

impl<R: Rows, L: Guarded<Shard>> Rows for Cached<R, L> {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        let (key, now) = (address.key(), self.clock.now());
        if let Some(row) = self.shard(&key).look(|shard| shard.fresh(&key, now)) {
            self.hits.increment();
            return Loaded::Found(row).into();
        }
        self.misses.increment();
        match self.changes.is_heard() {
            true => Maybe::task(self.read_together(address)),
            // Without news nobody may be given what was asked for before they came.
            false => Maybe::task(self.read(address, move |rows| rows.load(address))),
        }
    }

    fn reread(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::task(self.read(address, move |rows| rows.reread(address)))
    }

    fn recall(&self, address: Address) -> Option<Versioned> {
        let (key, now) = (address.key(), self.clock.now());
        self.shard(&key).look(|shard| shard.stale(&key, now))
    }

    fn unreadable(&self, address: Address) -> Maybe<'_, Loaded<u64>> {
        self.rows.unreadable(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        let writing = Writing::begin(self, address.key(), row.clone());
        let written = self.rows.write(address, expected, row, keep);
        written.map(|written| writing.end(written))
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        let clearing = Clearing(&self.copies, &self.changes);
        self.rows.reset().map(|removed| {
            drop(clearing);
            removed
        })
    }
}

impl<R, L> fmt::Debug for Cached<R, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

const LOADS: &str = "session_cache_loads_total";
const LOADS_HELP: &str = "Rows that were asked for, by whether a copy was at hand.";

#[cfg(test)]
mod tests;
