//! Where rows are kept.
//!
//! Plugin authors implement [`abi::storage::Storage`], which keeps bytes. The engine works on [`Rows`], which keeps
//! decoded states: what lies in this process needs no decoding, and a hit costs one lock and one reference count.
//! [`Encoded`] turns the first into the second.

mod announced;
mod backing;
pub(crate) mod cache;
mod changes;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod dense;
mod encoded;
mod exported;
pub(crate) mod file;
pub(crate) mod memory;
pub mod redis;
mod storages;
mod together;

use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Loaded, Unavailable, Written};

use crate::session::{Address, State};

pub use backing::{Backing, Failovers};
pub use changes::{Changes, Ear, Listener};
pub use encoded::Encoded;
#[cfg(test)]
pub(crate) use encoded::bytes::ByteStorage;
pub use exported::Exported;
pub use file::{Durability, FileConfig, FileStorage};
pub use memory::{MemoryConfig, MemoryStorage};
#[cfg(any(test, feature = "conformance"))]
pub use redis::server;
pub use redis::{LocalCacheConfig, RedisConfig, RedisStorage};
pub use storages::Storages;
pub use together::Together;

/// Rows of decoded states. The contract is that of [`abi::storage::Storage`], word for word; the conformance suite
/// holds every implementation to it.
pub trait Rows: Send + Sync + 'static {
    /// Reads the row at `address`, or a copy that is as good as the row; a row whose time has run out is absent.
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>>;

    /// As [`load`](Self::load), and never from a copy, be it here or at a replica: what operations go by that write.
    fn reread(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.load(address)
    }

    /// Reads two rows with one question. None where there is no such thing: then each is asked for alone.
    fn load_together(&self, _: [Address; 2]) -> Option<Maybe<'_, [Loaded<Versioned>; 2]>> {
        None
    }

    /// A copy of the row that may be outdated, for as long as the storage does not answer; none where no copies are
    /// kept.
    fn recall(&self, _: Address) -> Option<Versioned> {
        None
    }

    /// The version of a row that is there and cannot be read: for whoever loads it, it is absent, and it is in the way of
    /// whoever writes. None where rows are what they were written as.
    fn unreadable(&self, _: Address) -> Maybe<'_, Loaded<u64>> {
        Loaded::Absent.into()
    }

    /// Stores `row` for `keep`, if what is there now is what the caller `expected`; compares and writes in one step.
    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written>;

    /// Proves that rows can be read and written now.
    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>>;

    /// Removes every row and says how many there were.
    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>>;
}

/// What is shared is as good as what is owned.
impl<R: Rows + ?Sized> Rows for Arc<R> {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        (**self).load(address)
    }

    fn reread(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        (**self).reread(address)
    }

    fn load_together(&self, both: [Address; 2]) -> Option<Maybe<'_, [Loaded<Versioned>; 2]>> {
        (**self).load_together(both)
    }

    fn recall(&self, address: Address) -> Option<Versioned> {
        (**self).recall(address)
    }

    fn unreadable(&self, address: Address) -> Maybe<'_, Loaded<u64>> {
        (**self).unreadable(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        (**self).write(address, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        (**self).probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        (**self).reset()
    }
}

/// A state and the number of the write that made it. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Versioned {
    /// Counts the writes of this row, from 1 or from what its first writer chose; below 2^48.
    pub version: u64,
    /// What the row means.
    pub state: State,
}

impl Versioned {
    /// The first state of a row.
    pub fn first(state: State) -> Self {
        Self { version: 1, state }
    }

    /// The state that replaces the one at `version`, which may be any number if somebody else wrote it.
    pub fn after(version: u64, state: State) -> Self {
        Self {
            version: version.wrapping_add(1),
            state,
        }
    }
}
