//! What stands in for a storage while the faults of a configuration are collected. Nothing is ever served with it.

use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Key, Loaded, Row, Storage, StorageHandle, Unavailable, Written};

/// A storage that does not answer.
pub(super) fn storage() -> StorageHandle {
    StorageHandle::new(Arc::new(Unmade))
}

struct Unmade;

impl Storage for Unmade {
    fn load<'a>(&'a self, _: &'a Key) -> Maybe<'a, Loaded<Row>> {
        Loaded::Unavailable(unmade()).into()
    }

    fn write<'a>(&'a self, _: &'a Key, _: Expected, _: Row, _: Duration) -> Maybe<'a, Written> {
        Written::Unavailable(unmade()).into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Err(unmade()).into()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Err(unmade()).into()
    }
}

fn unmade() -> Unavailable {
    Unavailable::new("it could not be made")
}
