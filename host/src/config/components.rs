//! `storages:`, `middlewares:` and `actions:` named components with their configuration.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::{Fault, Origin};
use super::shape;

/// A component to create. `Debug` leaves its configuration out, which may hold secrets.
#[derive(Clone)]
pub struct Declaration {
    /// The name that routes and other components use. For an inline declaration the place it stands in, such as
    /// `routes[2].action`.
    pub name: String,
    /// Which component: `plugins.session.middlewares.LoadSessionMiddleware`.
    pub component: String,
    /// Its configuration as written; an empty map when absent.
    pub config: Value,
    /// Whether a middleware runs on every route.
    pub any_request: bool,
    /// Where it was written.
    pub origin: Origin,
}

/// A storage or an action.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ComponentEntry {
    /// Which component: `gateway.actions.HttpAction`, `plugins.session.storages.RedisStorage`.
    r#use: String,
    /// Its configuration.
    #[serde(default)]
    config: Option<Map<String, Value>>,
}

/// A middleware.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MiddlewareEntry {
    /// Which component: `plugins.session.middlewares.LoadSessionMiddleware`.
    r#use: String,
    /// Its configuration.
    #[serde(default)]
    config: Option<Map<String, Value>>,
    /// Runs on every route, in file order, before the route's own.
    #[serde(default)]
    any_request: bool,
}

impl Declaration {
    /// Checks the configuration against the schema of the component and settles it: secrets are read from their
    /// files, relative paths become absolute against `dir`.
    ///
    /// # Errors
    /// With every fault, at its place in the file.
    pub fn settle(&self, schema: &Value, dir: &Path) -> Result<Value, Vec<Fault>> {
        let settled = shape::settle(schema, self.config.clone(), dir);
        settled.map_err(|faults| self.config_origin().faults(faults))
    }

    /// Where the configuration was written: what a constructor finds wrong belongs below it.
    pub fn config_origin(&self) -> Origin {
        self.origin.key("config")
    }
}

impl ComponentEntry {
    pub(super) fn declare(self, name: String, origin: Origin) -> Declaration {
        let entry = MiddlewareEntry {
            r#use: self.r#use,
            config: self.config,
            any_request: false,
        };
        entry.declare(name, origin)
    }
}

impl MiddlewareEntry {
    pub(super) fn declare(self, name: String, origin: Origin) -> Declaration {
        Declaration {
            name,
            component: self.r#use,
            config: Value::Object(self.config.unwrap_or_default()),
            any_request: self.any_request,
            origin,
        }
    }
}

impl std::fmt::Debug for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Declaration")
            .field("name", &self.name)
            .field("component", &self.component)
            .field("any_request", &self.any_request)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
