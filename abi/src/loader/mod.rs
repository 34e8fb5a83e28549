//! How a gateway opens a plugin: checks first, code later, and one line for each reason to refuse.
//!
//! The order is what makes it safe. The file is read and found to be a whole library for this machine (a truncated
//! one would end the process inside `dlopen`); it is opened with every symbol resolved; its manifest says which
//! interface it was built for and that its panics unwind; the layout of every table is compared. Only then is
//! anything of it called; its initialisers ran when it was opened. A library is never unloaded: threads, `&'static` texts and thread-locals of it may be anywhere.

mod elf;
mod error;
pub(crate) mod layout;

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use error::LoadError;

use crate::Services;
use crate::config::Faults;
use crate::handle::{ActionHandle, MiddlewareHandle};
use crate::plugin::{Description, Kind, Made};
use crate::raw::library::{Library, Started};
use crate::storage::StorageHandle;

/// A library that passed every check. Its code is mapped and stays so.
#[derive(Debug)]
pub struct LoadedPlugin {
    path: PathBuf,
    library: Library,
    description: Description,
}

/// A plugin that was started for one gateway.
pub struct OpenPlugin {
    started: Started,
}

impl LoadedPlugin {
    /// Loads the library at `path`.
    ///
    /// # Errors
    /// See [`LoadError`]. A refused library leaves nothing behind that a later load could trip over.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let path = path.canonicalize().map_err(LoadError::Read)?;
        elf::check(&path)?;
        let library = Library::open(&path)?;
        let description = library.describe().map_err(LoadError::Start)?;
        let description = serde_json::from_str(&description)
            .map_err(|cause| LoadError::Start(format!("its description: {cause}")))?;
        Ok(Self {
            path,
            library,
            description,
        })
    }

    /// Where it was loaded from, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// Starts the plugin for one gateway.
    ///
    /// # Errors
    /// What the plugin finds wrong with its configuration, or the panic of its constructor.
    pub fn open(&self, services: Services, config: &Value) -> Result<OpenPlugin, Faults> {
        self.start(services, config, None)
    }

    /// Starts the plugin anew for a gateway in which `before` serves. It may share with that one what has to survive;
    /// if that was started by another library, such as an older release, it begins from nothing.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn reopen(
        &self,
        services: Services,
        config: &Value,
        before: &OpenPlugin,
    ) -> Result<OpenPlugin, Faults> {
        self.start(services, config, Some(&before.started))
    }

    fn start(
        &self,
        services: Services,
        config: &Value,
        before: Option<&Started>,
    ) -> Result<OpenPlugin, Faults> {
        let started = self.library.start(services, &config.to_string(), before);
        let started = started.map_err(|json| faults(&json))?;
        Ok(OpenPlugin { started })
    }
}

impl OpenPlugin {
    /// Makes a middleware. `entry` is the name that the user gave it.
    ///
    /// # Errors
    /// What the component finds wrong with its configuration, or the panic of its constructor.
    pub fn middleware(
        &self,
        component: &str,
        entry: &str,
        config: &Value,
    ) -> Result<MiddlewareHandle, Faults> {
        match self.make(Kind::Middlewares, component, entry, config)? {
            Made::Middleware(raw) => Ok(MiddlewareHandle::from_raw(raw)),
            Made::Action(_) | Made::Storage(_) => Err(other_kind()),
        }
    }

    /// Makes an action.
    ///
    /// # Errors
    /// As for [`middleware`](Self::middleware).
    pub fn action(
        &self,
        component: &str,
        entry: &str,
        config: &Value,
    ) -> Result<ActionHandle, Faults> {
        match self.make(Kind::Actions, component, entry, config)? {
            Made::Action(raw) => Ok(ActionHandle::from_raw(raw)),
            Made::Middleware(_) | Made::Storage(_) => Err(other_kind()),
        }
    }

    /// Makes a storage.
    ///
    /// # Errors
    /// As for [`middleware`](Self::middleware).
    pub fn storage(
        &self,
        component: &str,
        entry: &str,
        config: &Value,
    ) -> Result<StorageHandle, Faults> {
        match self.make(Kind::Storages, component, entry, config)? {
            Made::Storage(raw) => Ok(StorageHandle::from_raw(raw)),
            Made::Middleware(_) | Made::Action(_) => Err(other_kind()),
        }
    }

    fn make(
        &self,
        kind: Kind,
        component: &str,
        entry: &str,
        config: &Value,
    ) -> Result<Made, Faults> {
        self.started
            .raw
            .make((kind, component), entry, &config.to_string())
            .map_err(|json| faults(&json))
    }
}

fn faults(json: &str) -> Faults {
    serde_json::from_str(json).unwrap_or_else(|_| Faults::at("", "the plugin gave no reason"))
}

fn other_kind() -> Faults {
    Faults::at("", "the component is of another kind")
}

impl fmt::Debug for OpenPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenPlugin(..)")
    }
}
