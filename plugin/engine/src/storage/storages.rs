//! The storages of one gateway, by the names that `storages.yaml` gives them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use abi::Services;
use abi::config::Faults;
use abi::storage::StorageHandle;

use super::{Encoded, Exported, MemoryConfig, MemoryStorage, Rows};
use crate::clock::Clock;
use crate::session::Keyring;

/// Finds storages by name: those that keep bytes from whichever plugin, and ours that keep decoded rows without the
/// way through the boundary.
pub struct Storages {
    services: Services,
    clock: Arc<dyn Clock>,
    decoded: Mutex<HashMap<String, Arc<dyn Rows>>>,
    // One for all that name no storage: they are on the same gateway and may well share a cookie.
    unnamed: OnceLock<Arc<dyn Rows>>,
}

impl Storages {
    /// Starts without any.
    pub fn new(services: Services, clock: Arc<dyn Clock>) -> Self {
        Self {
            services,
            clock,
            decoded: Mutex::default(),
            unnamed: OnceLock::new(),
        }
    }

    /// The storage of this name; without a name, one in memory. What it keeps as bytes is sealed by `keyring`.
    ///
    /// # Errors
    /// When no storage has this name.
    pub fn find(&self, name: Option<&str>, keyring: &Keyring) -> Result<Arc<dyn Rows>, Faults> {
        let Some(name) = name else {
            return self.unnamed();
        };
        if let Some(rows) = self.decoded().get(name) {
            return Ok(Arc::clone(rows));
        }
        let Some(storage) = self.services.storage(name) else {
            return Err(Faults::at("storage", self.unknown(name)));
        };
        let rows = Encoded::new(storage, name, keyring.clone(), &self.services);
        Ok(Arc::new(rows))
    }

    /// Opens a storage in memory.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn memory(&self, name: &str, config: &MemoryConfig) -> Result<StorageHandle, Faults> {
        let rows: Arc<dyn Rows> = Arc::new(MemoryStorage::open(config, Arc::clone(&self.clock))?);
        self.decoded().insert(name.to_owned(), Arc::clone(&rows));
        Ok(StorageHandle::new(Arc::new(Exported::new(rows))))
    }
}

impl Storages {
    fn decoded(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn Rows>>> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unnamed(&self) -> Result<Arc<dyn Rows>, Faults> {
        if let Some(rows) = self.unnamed.get() {
            return Ok(Arc::clone(rows));
        }
        let config = MemoryConfig::default();
        let rows: Arc<dyn Rows> = Arc::new(MemoryStorage::open(&config, Arc::clone(&self.clock))?);
        Ok(Arc::clone(self.unnamed.get_or_init(|| rows)))
    }

    fn unknown(&self, name: &str) -> String {
        let known = self.services.storage_names();
        if known.is_empty() {
            return format!("no storage is called `{name}`; `storages` names none at all");
        }
        format!(
            "no storage is called `{name}`; there are: {}",
            known.join(", ")
        )
    }
}

impl fmt::Debug for Storages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.decoded().keys()).finish()
    }
}
