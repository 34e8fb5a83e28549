//! What storages of our own offer beyond the interface.

use std::sync::Arc;

use abi::Maybe;
use abi::storage::{Key, Loaded, Row, Storage, StorageHandle};

use super::FileStorage;
use super::file::Unopened;

/// A storage that may read two rows for the price of one, a session's and the roster's that has to name it, and that
/// knows which of its servers decides.
pub trait Together: Storage {
    /// Reads both rows. None where that is no better than two loads.
    fn load_together(&self, _: [Key; 2]) -> Option<Maybe<'_, [Loaded<Row>; 2]>> {
        None
    }

    /// As [`load`](Storage::load), and never from a replica.
    fn reread<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        self.load(key)
    }
}

impl<S: Together> Together for Arc<S> {
    fn load_together(&self, keys: [Key; 2]) -> Option<Maybe<'_, [Loaded<Row>; 2]>> {
        (**self).load_together(keys)
    }

    fn reread<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        (**self).reread(key)
    }
}

/// Of somebody else's storage no more is known than the interface says.
impl Together for StorageHandle {}

/// What is at hand has no price.
impl Together for FileStorage {}

/// Nobody asks it for anything.
impl Together for Unopened {}
