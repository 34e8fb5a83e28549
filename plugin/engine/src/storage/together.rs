//! Two rows for one question.

use std::sync::Arc;

use abi::Maybe;
use abi::storage::{Key, Loaded, Row, Storage, StorageHandle};

use super::FileStorage;
use super::file::Unopened;

/// A storage that may read two rows for the price of one: a session's and the roster's that has to name it.
pub trait Together: Storage {
    /// Reads both rows. None where that is no better than two loads.
    fn load_together(&self, _: [Key; 2]) -> Option<Maybe<'_, [Loaded<Row>; 2]>> {
        None
    }
}

impl<S: Together> Together for Arc<S> {
    fn load_together(&self, keys: [Key; 2]) -> Option<Maybe<'_, [Loaded<Row>; 2]>> {
        (**self).load_together(keys)
    }
}

/// Of somebody else's storage no more is known than the interface says.
impl Together for StorageHandle {}

/// What is at hand has no price.
impl Together for FileStorage {}

/// Nobody asks it for anything.
impl Together for Unopened {}
