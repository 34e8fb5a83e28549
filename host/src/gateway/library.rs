//! From the paths of `plugins.yaml` to loaded libraries. All that fail are reported in one pass.

use std::path::{Path, PathBuf};

use abi::config::Fault as ConfigFault;
use abi::loader::{LoadError, LoadedPlugin};

use super::catalogue::Catalogue;
use super::offered;
use crate::config::{Config, Fault, Plugin};

/// The libraries of a configuration.
#[derive(Debug)]
pub(crate) struct Libraries {
    /// Each with the entry it comes from.
    pub(crate) loaded: Vec<(Plugin, LoadedPlugin)>,
    pub(crate) catalogue: Catalogue,
    pub(crate) faults: Vec<Fault>,
    /// Whether there may be more of them than the configuration names.
    has_gap: bool,
}

impl Libraries {
    pub(crate) fn load(config: &Config) -> Self {
        let mut libraries = Self {
            loaded: Vec::new(),
            catalogue: Catalogue::builtin(),
            faults: Vec::new(),
            has_gap: !config.is_known("plugins"),
        };
        for plugin in &config.plugins {
            match load(&plugin.path) {
                Ok(loaded) => libraries.add(plugin, loaded),
                Err(error) => {
                    let message = format!("{}: {error}", plugin.path.display());
                    libraries.faults.push(plugin.origin.fault("path", message));
                }
            }
        }
        libraries
    }

    fn add(&mut self, plugin: &Plugin, loaded: LoadedPlugin) {
        if let Some(problem) = offered::problem(loaded.description()) {
            let message = format!("{}: {problem}", plugin.path.display());
            self.faults.push(plugin.origin.fault("path", message));
            return;
        }
        let name = &loaded.description().name;
        let others = self.loaded.iter();
        let same = others
            .map(|(_, other)| other)
            .find(|other| other.description().name == *name);
        if let Some(other) = same {
            let message = format!(
                "plugin `{name}` is already loaded from {}",
                other.path().display()
            );
            self.faults.push(plugin.origin.fault("path", message));
            return;
        }
        self.catalogue
            .add_plugin(self.loaded.len(), loaded.description());
        self.loaded.push((plugin.clone(), loaded));
    }

    /// Whether a component is missing only because its plugin is.
    pub(crate) fn explains(&self, component: &str) -> bool {
        let plugin = component
            .strip_prefix("plugins.")
            .and_then(|rest| rest.split('.').next());
        let is_loaded = |name: &str| {
            self.loaded
                .iter()
                .any(|(_, loaded)| loaded.description().name == name)
        };
        let is_one_missing = self.has_gap || !self.faults.is_empty();
        is_one_missing && plugin.is_some_and(|name| !is_loaded(name))
    }
}

/// Loads `session.so`, or `libsession.so` where cargo has left it.
fn load(path: &Path) -> Result<LoadedPlugin, LoadError> {
    match prefixed(path) {
        Some(prefixed) if !path.exists() && prefixed.exists() => LoadedPlugin::load(&prefixed),
        _ => LoadedPlugin::load(path),
    }
}

fn prefixed(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    Some(path.with_file_name(format!("lib{name}")))
}

/// Where a plugin's own configuration is written.
pub(crate) fn config_faults(plugin: &Plugin, faults: abi::config::Faults) -> Vec<Fault> {
    let named: abi::config::Faults = faults
        .into_iter()
        .map(|fault| ConfigFault::under(fault, "config"))
        .collect();
    plugin.origin.faults(named)
}
