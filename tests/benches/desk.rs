//! What plugins ask of a gateway when they start.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::services::{ServicesError, ServicesObject};
use abi::storage::StorageHandle;
use abi::{Services, SessionStore, Side};
use http::HeaderName;

/// Numbers header names, and agrees to everything else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    names: Arc<Names>,
}

#[derive(Debug, Default)]
struct Names(Mutex<Vec<HeaderName>>);

impl Desk {
    /// What a plugin gets to work with.
    pub(crate) fn services(&self) -> Services {
        Services::new(Arc::clone(&self.names))
    }

    /// The names that were asked for until now, by their numbers.
    pub(crate) fn names(&self) -> Box<[HeaderName]> {
        self.names.lock().as_slice().into()
    }
}

impl Names {
    fn lock(&self) -> MutexGuard<'_, Vec<HeaderName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServicesObject for Names {
    fn header(&self, name: &str) -> Result<u32, ServicesError> {
        let name: HeaderName = name.parse().map_err(|_| ServicesError::HeaderName)?;
        let mut names = self.lock();
        let known = names.iter().position(|known| *known == name);
        let number = known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        u32::try_from(number).map_err(|_| ServicesError::HeaderName)
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
