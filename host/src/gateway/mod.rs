//! The gateway: a configuration, its plugins, and the servers that answer by them.

mod assembly;
mod below;
mod catalogue;
mod generation;
mod library;
mod offered;
mod ownership;
mod raised;
mod readiness;
mod running;
mod service;
mod sessions;
#[cfg(test)]
mod tests;
mod unmade;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use abi::SessionStore;
use abi::plugin::{Description, Kind};
use serde_json::Value;

use self::assembly::{Assembly, Occasion};
use self::library::Libraries;
use crate::config::{self, Config, Fault};
use crate::metrics::Metrics;
use crate::server::ServerError;
use crate::succession::Inherited;

#[cfg(test)]
pub(crate) use self::generation::Newest;
pub use self::running::{Reloaded, Running};

/// A complete, checked configuration with its plugins open, ready to serve.
///
/// Several may exist in one process; they share the libraries, and nothing else.
pub struct Gateway {
    config: Config,
    libraries: Libraries,
    assembly: Assembly,
    metrics: Arc<Metrics>,
}

impl Gateway {
    /// Reads the `*.yaml` files of a directory, loads the plugins they name and makes every component. Listens to
    /// nothing.
    ///
    /// # Errors
    /// With every fault of all files at once.
    pub fn load(dir: &Path) -> Result<Self, Vec<Fault>> {
        let (config, faults) = config::survey(dir);
        Self::assemble(config, faults)
    }

    /// As [`load`](Self::load), for a look at it: nothing is made that stays and nothing is locked, so that it can be
    /// done beside a gateway that serves by it.
    ///
    /// # Errors
    /// With every fault of all files at once.
    pub fn check(dir: &Path) -> Result<Self, Vec<Fault>> {
        Self::made(Occasion::Check, config::survey(dir), Arc::default())
    }

    /// As [`load`](Self::load), from what [`config::survey`] found: the components of what is right are made in any
    /// case, so that their faults are reported beside those that were found already.
    ///
    /// # Errors
    /// With every fault, those that are passed in first.
    pub fn assemble(config: Option<Config>, faults: Vec<Fault>) -> Result<Self, Vec<Fault>> {
        Self::made(Occasion::Start, (config, faults), Arc::default())
    }

    fn made(
        occasion: Occasion<'_>,
        (config, mut faults): (Option<Config>, Vec<Fault>),
        metrics: Arc<Metrics>,
    ) -> Result<Self, Vec<Fault>> {
        let Some(config) = config else {
            return Err(faults);
        };
        let libraries = Libraries::load(&config);
        faults.extend(libraries.faults.iter().cloned());
        let assembled = Assembly::new(&config, &libraries, &metrics, occasion);
        let assembly = assembled.map_err(|found| faults.extend(found)).ok();
        match assembly {
            Some(assembly) if faults.is_empty() => Ok(Self {
                config,
                libraries,
                assembly,
                metrics,
            }),
            _ => Err(faults),
        }
    }

    /// What the user wrote.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Starts to serve.
    ///
    /// # Errors
    /// When an address is taken. Nothing is left running then.
    pub fn start(self) -> Result<Running, ServerError> {
        self.inherit(&mut Inherited::default())
    }

    /// As [`start`](Self::start), on those of the inherited sockets that are at one of its addresses.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn inherit(self, inherited: &mut Inherited) -> Result<Running, ServerError> {
        Running::start((self.config, self.assembly), self.metrics, inherited)
    }

    /// What each plugin says of itself, in the order of the configuration.
    pub fn plugins(&self) -> impl Iterator<Item = (&Path, &Description)> {
        let loaded = self.libraries.loaded.iter();
        loaded.map(|(_, plugin)| (plugin.path(), plugin.description()))
    }

    /// Every component by its full name, with its line of help.
    pub fn components(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.libraries.catalogue.of_kind(kind);
        entries.map(|(name, entry)| (name, entry.description.help.as_str()))
    }

    /// The sessions of each middleware that has any, by its name.
    pub fn session_stores(&self) -> Vec<(String, SessionStore)> {
        self.assembly.desk.session_stores()
    }

    /// One JSON Schema of all files, the configurations of all components included.
    pub fn schema(&self) -> Value {
        self.libraries.catalogue.complete(config::schema())
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("dir", &self.config.dir)
            .finish_non_exhaustive()
    }
}
