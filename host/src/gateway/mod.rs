//! The gateway: a configuration, its plugins, and the servers that answer by them.

mod assembly;
mod catalogue;
mod library;
mod service;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use abi::plugin::{Description, Kind};
use serde_json::Value;

use self::assembly::Assembly;
use self::library::Libraries;
use self::service::GatewayService;
use crate::admin::Admin;
use crate::config::{self, Address, Config, Fault, Networks};
use crate::metrics::Metrics;
use crate::server::{Server, ServerError, Settings};

/// A complete, checked configuration with its plugins open, ready to serve.
///
/// Several may exist in one process; they share the libraries, and nothing else.
pub struct Gateway {
    config: Config,
    libraries: Libraries,
    assembly: Arc<Assembly>,
    metrics: Arc<Metrics>,
}

/// A gateway that serves. Dropping it orders it to stop, without waiting.
#[derive(Debug)]
pub struct Running {
    server: Server,
    admin: Option<Server>,
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

    /// As [`load`](Self::load), from what [`config::survey`] found: the components of what is right are made in any
    /// case, so that their faults are reported beside those that were found already.
    ///
    /// # Errors
    /// With every fault, those that are passed in first.
    pub fn assemble(config: Option<Config>, mut faults: Vec<Fault>) -> Result<Self, Vec<Fault>> {
        let Some(config) = config else {
            return Err(faults);
        };
        let libraries = Libraries::load(&config);
        faults.extend(libraries.faults.iter().cloned());
        let metrics = Arc::new(Metrics::default());
        let assembled = Assembly::new(&config, &libraries, &metrics);
        let assembly = assembled.map_err(|found| faults.extend(found)).ok();
        match assembly {
            Some(assembly) if faults.is_empty() => Ok(Self {
                config,
                libraries,
                assembly: Arc::new(assembly),
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
        let admin = self
            .config
            .server
            .admin
            .clone()
            .map(|address| self.admin(address));
        let settings = Settings::from(&self.config.server);
        let health = self.config.server.health_check.clone();
        let assembly = self.assembly;
        let server = Server::start(settings, move |worker| {
            GatewayService::new(Arc::clone(&assembly), health.clone(), worker)
        })?;
        Ok(Running {
            server,
            admin: admin.transpose()?,
        })
    }

    fn admin(&self, address: Address) -> Result<Server, ServerError> {
        let settings = Settings {
            addresses: vec![address],
            tls: None,
            // Nobody else's word counts where nobody is asked who they are.
            trusted_proxies: Networks::default(),
            proxy_protocol: false,
            threads: 1,
            ..Settings::from(&self.config.server)
        };
        let admin = Admin::new(Arc::clone(&self.metrics));
        Server::start(settings, move |_| admin.clone())
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

    /// One JSON Schema of all files, the configurations of all components included.
    pub fn schema(&self) -> Value {
        self.libraries.catalogue.complete(config::schema())
    }
}

impl Running {
    /// Where it listens, with the ports the system has chosen.
    pub fn addresses(&self) -> &[Address] {
        self.server.addresses()
    }

    /// Where the operator's listener is.
    pub fn admin_addresses(&self) -> &[Address] {
        self.admin.as_ref().map_or(&[], Server::addresses)
    }

    /// Orders it to stop: no new connections, running requests end, whatever is left after `shutdownGrace` is cut.
    pub fn stop(&self) {
        self.server.stop();
        if let Some(admin) = &self.admin {
            admin.stop();
        }
    }

    /// Waits until it has stopped.
    pub fn join(self) {
        self.server.join();
        if let Some(admin) = self.admin {
            admin.join();
        }
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("dir", &self.config.dir)
            .finish_non_exhaustive()
    }
}
