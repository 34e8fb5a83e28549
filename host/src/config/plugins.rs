//! `plugins:` the libraries to load.

use std::path::PathBuf;

use abi::config::ConfigPath;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::Origin;

/// A library to load. `Debug` leaves its configuration out, which may hold secrets.
#[derive(Clone)]
pub struct Plugin {
    /// The library, absolute.
    pub path: PathBuf,
    /// What the plugin reads for itself; an empty map when absent.
    pub config: Value,
    /// Where it was written.
    pub origin: Origin,
}

/// One library with what it is told.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PluginEntry {
    /// The library: `session.so`.
    path: ConfigPath,
    /// What holds for the whole plugin. Its components have configurations of their own.
    #[serde(default)]
    config: Option<Map<String, Value>>,
}

impl PluginEntry {
    pub(super) fn locate(self, origin: Origin) -> Plugin {
        let config = Value::Object(self.config.unwrap_or_default());
        Plugin {
            path: self.path.into_inner(),
            config,
            origin,
        }
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Plugin");
        shown
            .field("path", &self.path)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
