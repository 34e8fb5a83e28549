//! Rows in a storage that keeps bytes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};
use tracing::warn;

use super::{Rows, Versioned};
use crate::session::{Address, decode, encode};

/// Any [`Storage`], with states encoded on the way in and decoded on the way out.
pub struct Encoded<S> {
    storage: S,
    quarantined: AtomicU64,
}

impl<S: Storage> Encoded<S> {
    /// Keeps rows in `storage`.
    pub const fn new(storage: S) -> Self {
        Self {
            storage,
            quarantined: AtomicU64::new(0),
        }
    }

    /// How often a row was met that could not be decoded. Rows of a newer gateway count here, and so does tampering.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.load(Ordering::Relaxed)
    }

    /// An undecodable row is quarantined: for its session it is as good as absent, and it stays where it is until
    /// its time runs out. It must not become an error page, because whoever can write one row could then take the
    /// service away from its user, and never a second attempt with a weaker decoder.
    fn read(&self, key: Key, row: &Row) -> Loaded<Versioned> {
        match decode(&row.payload) {
            Ok(state) => Loaded::Found(Versioned {
                version: row.version,
                state,
            }),
            Err(error) => {
                self.quarantined.fetch_add(1, Ordering::Relaxed);
                warn!(?key, %error, "row is quarantined");
                Loaded::Absent
            }
        }
    }
}

impl<S: Storage> Rows for Encoded<S> {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        let key = address.key();
        Maybe::task(async move {
            match self.storage.load(&key).wait().await {
                Loaded::Found(row) => self.read(key, &row),
                Loaded::Absent => Loaded::Absent,
                Loaded::Unavailable(cause) => Loaded::Unavailable(cause),
            }
        })
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        let key = address.key();
        let row = Row {
            version: row.version,
            payload: encode(&row.state),
        };
        Maybe::task(async move { self.storage.write(&key, expected, row, keep).wait().await })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.storage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.storage.reset()
    }
}

impl<S> fmt::Debug for Encoded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("quarantined", &self.quarantined)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
