//! The storages of one gateway, by the names that `storages.yaml` gives them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use abi::Services;
use abi::config::Faults;
use abi::storage::StorageHandle;

use super::announced::Announced;
use super::cache::{Cached, Capacity};
use super::{
    Backing, Encoded, Exported, Failovers, FileConfig, FileStorage, MemoryConfig, MemoryStorage,
    RedisConfig, RedisStorage, Rows, Together,
};
use crate::clock::Clock;
use crate::runtime::Runtime;
use crate::session::Keyring;

/// Finds storages by name: those that keep bytes from whichever plugin, and ours without the way through the boundary.
pub struct Storages {
    services: Services,
    clock: Arc<dyn Clock>,
    runtime: Arc<Runtime>,
    own: Mutex<HashMap<String, Own>>,
    shared: Mutex<Vec<Shared>>,
    // One for all that name no storage: they are on the same gateway and may well share a cookie.
    unnamed: OnceLock<Arc<dyn Rows>>,
}

/// A storage of this plugin.
#[derive(Clone)]
enum Own {
    Decoded(Arc<dyn Rows>),
    File(Arc<FileStorage>),
    /// In a directory that goes with this process.
    TemporaryFile(Arc<FileStorage>),
    Redis(Arc<RedisStorage>, Option<Capacity>),
}

/// Copies of the rows of one storage, for all who open them with the same secrets. Decoded rows are for nobody else.
struct Shared {
    name: String,
    keyring: Keyring,
    rows: Arc<dyn Rows>,
}

impl Storages {
    /// Starts without any. Those behind a network run on `runtime`.
    pub fn new(services: Services, clock: Arc<dyn Clock>, runtime: Arc<Runtime>) -> Self {
        Self {
            services,
            clock,
            runtime,
            own: Mutex::default(),
            shared: Mutex::default(),
            unnamed: OnceLock::new(),
        }
    }

    /// The storage of this name; without a name, one in memory. What it keeps as bytes is sealed by `keyring`.
    ///
    /// # Errors
    /// When no storage has this name.
    pub fn find(&self, name: Option<&str>, keyring: &Keyring) -> Result<Backing, Faults> {
        let Some(name) = name else {
            return Ok(Backing::private(self.unnamed()?));
        };
        let own = self.own().get(name).cloned();
        match own {
            Some(Own::Decoded(rows)) => Ok(Backing::private(rows)),
            Some(Own::File(storage)) => Ok(self.encoded(storage, name, keyring).into()),
            Some(Own::TemporaryFile(storage)) => {
                Ok(Backing::private(self.encoded(storage, name, keyring)))
            }
            Some(Own::Redis(storage, None)) => Ok(Backing {
                failovers: Some(self.failovers(&storage)),
                ..self.encoded(storage, name, keyring).into()
            }),
            Some(Own::Redis(storage, Some(capacity))) => Ok(Backing {
                failovers: Some(self.failovers(&storage)),
                has_copies: true,
                ..self.cached((storage, capacity), name, keyring).into()
            }),
            None => match self.services.storage(name) {
                Some(storage) => Ok(self.encoded(storage, name, keyring).into()),
                None => Err(Faults::at("storage", self.unknown(name))),
            },
        }
    }

    /// Opens a storage in memory.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn memory(&self, name: &str, config: &MemoryConfig) -> Result<StorageHandle, Faults> {
        let rows: Arc<dyn Rows> = Arc::new(MemoryStorage::open(config, Arc::clone(&self.clock))?);
        self.add(name, Own::Decoded(Arc::clone(&rows)));
        Ok(StorageHandle::new(Arc::new(Exported::new(rows))))
    }

    /// Opens a storage in a file.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn file(&self, name: &str, config: &FileConfig) -> Result<StorageHandle, Faults> {
        let storage = Arc::new(FileStorage::open(config, Arc::clone(&self.clock))?);
        let own = match config.path.as_os_str().is_empty() {
            true => Own::TemporaryFile(Arc::clone(&storage)),
            false => Own::File(Arc::clone(&storage)),
        };
        self.add(name, own);
        Ok(StorageHandle::new(storage))
    }

    /// Opens a storage on Redis or Valkey servers.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn redis(&self, name: &str, config: &RedisConfig) -> Result<StorageHandle, Faults> {
        let mut faults = Faults::default();
        let capacity = Capacity::of(&config.local_cache).map_err(|found| found.under("localCache"));
        let capacity = faults.absorb(capacity);
        let storage = faults.absorb(RedisStorage::open(config, Arc::clone(&self.runtime)));
        let (Some(capacity), Some(storage)) = (capacity, storage.map(Arc::new)) else {
            return Err(faults);
        };
        self.add(name, Own::Redis(Arc::clone(&storage), capacity));
        let changes = storage.changes();
        Ok(StorageHandle::new(Arc::new(Announced::new(
            storage, changes,
        ))))
    }

    fn add(&self, name: &str, storage: Own) {
        self.own().insert(name.to_owned(), storage);
    }

    fn encoded(&self, storage: impl Together, name: &str, keyring: &Keyring) -> Arc<dyn Rows> {
        let keyring = keyring.clone();
        Arc::new(Encoded::new(storage, name, keyring, &self.services))
    }

    fn cached(
        &self,
        (storage, capacity): (Arc<RedisStorage>, Capacity),
        name: &str,
        keyring: &Keyring,
    ) -> Arc<dyn Rows> {
        let mut shared = lock(&self.shared);
        let is_same = |known: &&Shared| known.name == name && known.keyring == *keyring;
        if let Some(known) = shared.iter().find(is_same) {
            return Arc::clone(&known.rows);
        }
        let changes = storage.changes();
        let encoded = Encoded::new(storage, name, keyring.clone(), &self.services);
        let desk = (Arc::clone(&self.clock), &self.services);
        let rows: Arc<dyn Rows> =
            Arc::new(<Cached<_>>::new(encoded, (name, capacity), changes, desk));
        shared.push(Shared {
            name: name.to_owned(),
            keyring: keyring.clone(),
            rows: Arc::clone(&rows),
        });
        rows
    }

    fn failovers(&self, storage: &RedisStorage) -> Failovers {
        Failovers::new(storage.moved(), Arc::clone(&self.runtime))
    }

    fn own(&self) -> MutexGuard<'_, HashMap<String, Own>> {
        lock(&self.own)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
