//! The storages of one gateway, by the names that `storages.yaml` gives them.
//!
//! They survive a gateway that reads its configuration anew: what is opened as it was opened before is the same storage,
//! with its rows, its file, its connections and its copies. It ends with the last configuration that names it.

mod inheritance;
mod settings;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use abi::config::Faults;
use abi::storage::StorageHandle;
use abi::{Purpose, Services};

use self::settings::Settings;
use super::announced::Announced;
use super::cache::{Cached, Capacity};
use super::file::Unopened;
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
    own: Mutex<HashMap<String, Kept>>,
    shared: Mutex<Vec<Shared>>,
    // One for all that name no storage: they are on the same gateway and may well share a cookie.
    unnamed: OnceLock<Arc<dyn Rows>>,
    /// Those of the configuration before, for as long as it serves. Nothing is kept open by this.
    before: Weak<Self>,
}

/// A storage of this plugin, and how it was opened.
struct Kept {
    settings: Settings,
    storage: Own,
}

/// A storage of this plugin.
#[derive(Clone)]
enum Own {
    Decoded(Arc<dyn Rows>),
    File(Arc<FileStorage>),
    /// In a directory that goes with this process.
    TemporaryFile(Arc<FileStorage>),
    /// A file that was only looked at.
    UnopenedFile(Arc<Unopened>),
    Redis(Arc<RedisStorage>, Option<Capacity>),
}

/// Copies of the rows of one storage, for all who open them with the same secrets. Decoded rows are for nobody else.
#[derive(Clone)]
struct Shared {
    storage: Arc<RedisStorage>,
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
            before: Weak::new(),
        }
    }

    /// Starts without any, beside those that are still in use, and shares with them what is opened in the same way.
    pub fn after(before: &Arc<Self>, services: Services, runtime: Arc<Runtime>) -> Self {
        Self {
            before: Arc::downgrade(before),
            ..Self::new(services, Arc::clone(&before.clock), runtime)
        }
    }

    /// The runtime, if it has so many threads.
    pub fn runtime(&self, io_threads: NonZeroUsize) -> Option<Arc<Runtime>> {
        (self.runtime.io_threads() == io_threads).then(|| Arc::clone(&self.runtime))
    }

    /// The storage of this name; without a name, one in memory. What it keeps as bytes is sealed by `keyring`.
    ///
    /// # Errors
    /// When no storage has this name.
    pub fn find(&self, name: Option<&str>, keyring: &Keyring) -> Result<Backing, Faults> {
        let Some(name) = name else {
            return Ok(Backing::private(self.unnamed()?));
        };
        let own = self.own().get(name).map(|kept| kept.storage.clone());
        match own {
            Some(Own::Decoded(rows)) => Ok(Backing::private(rows)),
            Some(Own::File(storage)) => Ok(self.encoded(storage, name, keyring).into()),
            Some(Own::TemporaryFile(storage)) => {
                Ok(Backing::private(self.encoded(storage, name, keyring)))
            }
            Some(Own::UnopenedFile(storage)) => Ok(self.encoded(storage, name, keyring).into()),
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
        self.keep(name, Settings::Memory(config.clone()), || {
            let rows = MemoryStorage::open(config, Arc::clone(&self.clock))?;
            Ok(Own::Decoded(Arc::new(rows)))
        })
    }

    /// Opens a storage in a file; looks at it and leaves it as it is, when there is only to be a check.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn file(&self, name: &str, config: &FileConfig) -> Result<StorageHandle, Faults> {
        let settings = Settings::File(config.clone());
        if let Some(other) = self.other_of_same_file(name, &settings) {
            let message =
                format!("is the directory of `{other}`, and a storage needs one of its own");
            return Err(Faults::at("path", message));
        }
        self.keep(name, settings, || {
            if self.services.purpose() == Purpose::Check {
                return Ok(Own::UnopenedFile(Arc::new(Unopened::look(config)?)));
            }
            let storage = Arc::new(FileStorage::open(config, Arc::clone(&self.clock))?);
            Ok(match config.path.as_os_str().is_empty() {
                true => Own::TemporaryFile(storage),
                false => Own::File(storage),
            })
        })
    }

    /// Opens a storage on Redis or Valkey servers.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn redis(&self, name: &str, config: &RedisConfig) -> Result<StorageHandle, Faults> {
        self.keep(name, Settings::redis(config), || {
            let mut faults = Faults::default();
            let capacity = Capacity::of(&config.local_cache);
            let capacity = faults.absorb(capacity.map_err(|found| found.under("localCache")));
            let storage = RedisStorage::open(config, Arc::clone(&self.runtime));
            match (capacity, faults.absorb(storage)) {
                (Some(capacity), Some(storage)) => Ok(Own::Redis(Arc::new(storage), capacity)),
                _ => Err(faults),
            }
        })
    }

    /// Takes over what is open already, or opens it.
    fn keep(
        &self,
        name: &str,
        settings: Settings,
        open: impl FnOnce() -> Result<Own, Faults>,
    ) -> Result<StorageHandle, Faults> {
        let storage = match self.inherited(name, &settings)? {
            Some(storage) => storage,
            None => open()?,
        };
        let handle = storage.handle();
        self.own()
            .insert(name.to_owned(), Kept { settings, storage });
        Ok(handle)
    }

    fn other_of_same_file(&self, name: &str, settings: &Settings) -> Option<String> {
        let own = self.own();
        let mut others = own.iter().filter(|(other, _)| *other != name);
        let same = others.find(|(_, kept)| kept.settings.is_same_file(settings));
        same.map(|(other, _)| other.clone())
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
        let is_same =
            |known: &&Shared| Arc::ptr_eq(&known.storage, &storage) && known.keyring == *keyring;
        if let Some(known) = shared.iter().find(is_same) {
            return Arc::clone(&known.rows);
        }
        let before = self.before.upgrade();
        let known = before.and_then(|before| lock(&before.shared).iter().find(is_same).cloned());
        if let Some(known) = known {
            shared.push(known.clone());
            return known.rows;
        }
        let changes = storage.changes();
        let encoded = Encoded::new(Arc::clone(&storage), name, keyring.clone(), &self.services);
        let desk = (Arc::clone(&self.clock), &self.services);
        let rows: Arc<dyn Rows> =
            Arc::new(<Cached<_>>::new(encoded, (name, capacity), changes, desk));
        shared.push(Shared {
            storage,
            keyring: keyring.clone(),
            rows: Arc::clone(&rows),
        });
        rows
    }

    fn failovers(&self, storage: &RedisStorage) -> Failovers {
        Failovers::new(storage.moved(), Arc::clone(&self.runtime))
    }

    fn own(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        lock(&self.own)
    }

    fn unnamed(&self) -> Result<Arc<dyn Rows>, Faults> {
        if let Some(rows) = self.unnamed.get() {
            return Ok(Arc::clone(rows));
        }
        let before = self.before.upgrade();
        let known = before.and_then(|before| before.unnamed.get().cloned());
        let rows = match known {
            Some(rows) => rows,
            None => {
                let config = MemoryConfig::default();
                Arc::new(MemoryStorage::open(&config, Arc::clone(&self.clock))?)
            }
        };
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

impl Own {
    /// The storage as other plugins reach it.
    fn handle(&self) -> StorageHandle {
        match self {
            Self::Decoded(rows) => StorageHandle::new(Arc::new(Exported::new(Arc::clone(rows)))),
            Self::File(storage) | Self::TemporaryFile(storage) => {
                StorageHandle::new(Arc::clone(storage))
            }
            Self::UnopenedFile(storage) => StorageHandle::new(Arc::clone(storage)),
            Self::Redis(storage, _) => {
                let (storage, changes) = (Arc::clone(storage), storage.changes());
                StorageHandle::new(Arc::new(Announced::new(storage, changes)))
            }
        }
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
