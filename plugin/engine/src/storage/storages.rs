//! The storages of one gateway, by the names that `storages.yaml` gives them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use abi::Services;
use abi::config::Faults;
use abi::storage::StorageHandle;

use super::redis::{RedisConfig, RedisStorage};
use super::{Encoded, Exported, MemoryConfig, MemoryStorage, Rows};
use crate::clock::Clock;
use crate::runtime::Runtime;

/// Finds storages by name: our own without the way through the boundary, those of other plugins through it.
pub struct Storages {
    services: Services,
    clock: Arc<dyn Clock>,
    own: Mutex<HashMap<String, Arc<dyn Rows>>>,
    // One for all that name no storage: they are on the same gateway and may well share a cookie.
    unnamed: OnceLock<Arc<dyn Rows>>,
}

impl Storages {
    /// Starts without any.
    pub fn new(services: Services, clock: Arc<dyn Clock>) -> Self {
        Self {
            services,
            clock,
            own: Mutex::default(),
            unnamed: OnceLock::new(),
        }
    }

    /// The storage of this name; without a name, one in memory.
    ///
    /// # Errors
    /// When no storage has this name.
    pub fn find(&self, name: Option<&str>) -> Result<Arc<dyn Rows>, Faults> {
        let Some(name) = name else {
            return self.unnamed();
        };
        if let Some(rows) = self.own().get(name) {
            return Ok(Arc::clone(rows));
        }
        match self.services.storage(name) {
            Some(storage) => Ok(Arc::new(Encoded::new(storage))),
            None => Err(Faults::at("storage", self.unknown(name))),
        }
    }

    /// Opens a storage in memory.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn memory(&self, name: &str, config: &MemoryConfig) -> Result<StorageHandle, Faults> {
        let rows: Arc<dyn Rows> = Arc::new(MemoryStorage::open(config, Arc::clone(&self.clock))?);
        self.own().insert(name.to_owned(), Arc::clone(&rows));
        Ok(StorageHandle::new(Arc::new(Exported::new(rows))))
    }

    /// Opens a storage in Redis or Valkey. The server need not be there yet.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn redis(
        &self,
        name: &str,
        config: &RedisConfig,
        runtime: Arc<Runtime>,
    ) -> Result<StorageHandle, Faults> {
        let storage = StorageHandle::new(Arc::new(RedisStorage::open(config, runtime)?));
        let rows: Arc<dyn Rows> = Arc::new(Encoded::new(storage.clone()));
        self.own().insert(name.to_owned(), rows);
        Ok(storage)
    }
}

impl Storages {
    fn own(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<dyn Rows>>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
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
        f.debug_set().entries(self.own().keys()).finish()
    }
}
