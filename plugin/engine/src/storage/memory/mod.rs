//! Rows in this process: bounded, with real expiry, and gone with it.

mod config;
mod lone_slot;
mod room;
mod row;
mod shard;
mod slot;
mod slots;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use abi::Maybe;
use abi::config::Faults;
use abi::storage::{Expected, Key, Loaded, Unavailable, Written};
use tracing::warn;

use self::shard::{Lease, Shard};
use super::{Rows, Versioned};
use crate::clock::Clock;
use crate::session::Address;

pub use config::MemoryConfig;

/// Keeps rows in a sharded map, as many as [`MemoryConfig`] allows. When it is full, the row that was idle longest
/// makes room; a row whose time has run out is never seen again and is collected by the writes that follow.
///
/// A hit costs the read lock of one shard and one reference count at most. There is no thread: writers sweep, each a bounded
/// slice. Bounds and eviction work per shard, so a storage may be full a few percent before its configured size.
pub struct MemoryStorage {
    shards: Box<[RwLock<Shard>]>,
    clock: Arc<dyn Clock>,
    evicted: AtomicU64,
}

impl MemoryStorage {
    /// Opens an empty storage.
    ///
    /// # Errors
    /// When the configuration leaves no room for anything.
    pub fn open(config: &MemoryConfig, clock: Arc<dyn Clock>) -> Result<Self, Faults> {
        let (count, share) = config.shares()?;
        let shards = (0..count).map(|_| RwLock::new(Shard::new(share))).collect();
        Ok(Self {
            shards,
            clock,
            evicted: AtomicU64::new(0),
        })
    }

    /// How many rows had to make room although their time had not run out. More than none means that sessions are
    /// lost and the limits are too low.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// What all rows take by the storage's own account, in bytes: what `maxBytes` limits.
    pub fn bytes(&self) -> usize {
        let of = |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).bytes;
        self.shards.iter().map(of).sum()
    }

    fn report(&self, evicted: u64) {
        if evicted > 0 && self.evicted.fetch_add(evicted, Ordering::Relaxed) == 0 {
            warn!("memory storage is full, the sessions idle longest make room from now on");
        }
    }

    fn reader(&self, key: &Key) -> RwLockReadGuard<'_, Shard> {
        self.shard(key)
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self, key: &Key) -> RwLockWriteGuard<'_, Shard> {
        self.shard(key)
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The last byte of a key picks the shard, the first eight are its hash: keys are uniform already.
    fn shard(&self, key: &Key) -> &RwLock<Shard> {
        let [.., last] = *key.as_bytes();
        &self.shards[usize::from(last) & (self.shards.len() - 1)]
    }
}

impl Rows for MemoryStorage {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        let key = address.key();
        let found = self.reader(&key).load(&key, self.clock.now());
        found.map_or(Loaded::Absent, Loaded::Found).into()
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        let key = address.key();
        let lease = Lease::new(self.clock.now(), keep);
        let mut shard = self.writer(&key);
        let (written, evicted) = shard.write(key, expected, row, lease);
        drop(shard);
        self.report(evicted);
        written.into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Ok(()).into()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        let now = self.clock.now();
        let clear = |shard: &RwLock<Shard>| {
            shard
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .clear(now)
        };
        Ok(self.shards.iter().map(clear).sum()).into()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage")
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
