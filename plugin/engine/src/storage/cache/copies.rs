//! All copies, as those see them who tell of changes.

use std::time::Duration;

use abi::config::Faults;
use abi::storage::Key;

use super::guarded::Guarded;
use super::shard::{Limits, Shard};
use crate::storage::{Listener, LocalCacheConfig};

/// How many copies there may be, and how old they get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) entries: usize,
    pub(crate) max_staleness: Duration,
}

impl Capacity {
    /// What the configuration asks for; none when it wants no copies.
    ///
    /// # Errors
    /// When copies would count for so long that an operator will regret it: a link that fails in a way that nobody
    /// notices, or `onStorageFailure: stale` in an outage, keeps a session alive for as long after it was revoked.
    pub(crate) fn of(config: &LocalCacheConfig) -> Result<Option<Self>, Faults> {
        let max_staleness = config.max_staleness;
        if max_staleness.get() > LONGEST {
            let message = format!(
                "`{max_staleness}` is how late a revocation may be noticed when a connection fails; at most 1m"
            );
            return Err(Faults::at("maxStaleness", message));
        }
        Ok(config.enabled.then(|| Self {
            entries: config.entries.get() as usize,
            max_staleness: max_staleness.get(),
        }))
    }
}

/// The parts of a cache.
pub(super) struct Copies<L> {
    shards: Box<[L]>,
}

impl<L: Guarded<Shard>> Copies<L> {
    pub(super) fn new(capacity: Capacity) -> Self {
        let affordable = (capacity.entries / MIN_ENTRIES).clamp(1, MAX_SHARDS);
        let count = 1 << affordable.ilog2();
        let limits = Limits {
            entries: capacity.entries / count,
            max_age: capacity.max_staleness,
        };
        Self {
            shards: (0..count).map(|_| L::new(Shard::new(limits))).collect(),
        }
    }

    /// The last byte of a key picks the shard, the first eight are its hash: keys are uniform already.
    pub(super) fn shard(&self, key: &Key) -> &L {
        let [.., last] = *key.as_bytes();
        &self.shards[usize::from(last) & (self.shards.len() - 1)]
    }

    /// Every row is another one now.
    pub(super) fn clear(&self) {
        self.shards
            .iter()
            .for_each(|shard| shard.change(Shard::clear));
    }
}

impl<L: Guarded<Shard>> Listener for Copies<L> {
    fn changed(&self, key: &Key) {
        self.shard(key).change(|shard| shard.forget(key));
    }

    fn gap(&self) {
        self.shards
            .iter()
            .for_each(|shard| shard.change(Shard::gap));
    }
}

// Long enough for a server to restart, or for another to take its place.
const LONGEST: Duration = Duration::from_secs(60);
// As many shards as leave each a room large enough that chance does not fill one long before the others.
const MAX_SHARDS: usize = 256;
const MIN_ENTRIES: usize = 256;
