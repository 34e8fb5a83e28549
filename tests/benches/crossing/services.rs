//! What plugins ask of a gateway when they start.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use abi::services::{ServicesError, ServicesObject};
use abi::storage::StorageHandle;
use abi::{SessionStore, Side};
use http::HeaderName;

/// Numbers header names, and agrees to everything else.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    names: Mutex<Vec<HeaderName>>,
}

impl Desk {
    /// The names by their numbers.
    pub(crate) fn names(&self) -> Vec<HeaderName> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HeaderName>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServicesObject for Desk {
    fn header(&self, name: &str) -> Result<u32, ServicesError> {
        let name: HeaderName = name.parse().map_err(|_| ServicesError::HeaderName)?;
        let mut names = self.lock();
        let index = names
            .iter()
            .position(|known| *known == name)
            .unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
        u32::try_from(index).map_err(|_| ServicesError::HeaderName)
    }

    fn flag(&self, _: &str) -> Result<u32, ServicesError> {
        Ok(0)
    }

    fn reserve(&self, _: Side, _: &str) -> Result<(), ServicesError> {
        Ok(())
    }

    fn counter(&self, _: &str, _: &str, _: &str) -> &'static AtomicU64 {
        Box::leak(Box::default())
    }

    fn storage(&self, _: &str) -> Option<StorageHandle> {
        None
    }

    fn storage_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn session_store(&self, _: &str) -> Option<SessionStore> {
        None
    }

    fn publish(&self, _: &str, _: SessionStore) -> bool {
        true
    }
}
