//! From the files of a directory to a [`Config`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::components::{ComponentEntry, Declaration, MiddlewareEntry};
use super::documents::Documents;
use super::expand::Environment;
use super::fault::{Fault, Origin};
use super::plugins::PluginEntry;
use super::routes::{Reference, Route, RouteEntry};
use super::server::ServerSection;
use super::{Config, shape, suggest};
use crate::router::Router;

/// Reads and checks every `*.yaml` of `dir`.
///
/// # Errors
/// With every fault of every file.
pub fn load(dir: &Path) -> Result<Config, Vec<Fault>> {
    load_with(dir, &|name| std::env::var(name).ok())
}

/// The JSON Schema of all sections. The `config` of each component is open in it: that belongs to the plugins.
pub fn schema() -> Value {
    schema_for!(Sections).to_value()
}

/// Everything that may be written, across all files.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[derive(Default)]
struct Sections {
    /// Where the gateway listens and what it puts up with.
    server: ServerSection,
    /// The libraries to load, in order.
    plugins: Vec<PluginEntry>,
    /// Where sessions are kept, by name.
    storages: BTreeMap<String, ComponentEntry>,
    /// What requests pass on their way, by name.
    middlewares: BTreeMap<String, MiddlewareEntry>,
    /// What answers requests, by name.
    actions: BTreeMap<String, ComponentEntry>,
    /// Which requests go where. The most specific one wins, order does not matter.
    routes: Vec<RouteEntry>,
}

pub(super) fn load_with(dir: &Path, environment: Environment<'_>) -> Result<Config, Vec<Fault>> {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let documents = Documents::read(dir, environment)?;
    let mut loading = Loading {
        dir: absolute,
        documents,
        faults: Vec::new(),
    };
    let config = loading.config();
    loading.refuse_the_rest();
    match config {
        Some(config) if loading.faults.is_empty() => Ok(config),
        _ => Err(loading.faults),
    }
}

struct Loading {
    dir: PathBuf,
    documents: Documents,
    faults: Vec<Fault>,
}

impl Loading {
    /// Reads all sections, and only then gives up on those that are wrong, so that every fault is found.
    fn config(&mut self) -> Option<Config> {
        let server = self.server();
        let plugins = self.items("plugins", |entry: PluginEntry, origin| {
            Ok(entry.locate(origin))
        });
        let storages = self.declarations("storages", ComponentEntry::declare);
        let middlewares = self.declarations("middlewares", MiddlewareEntry::declare);
        let actions = self.declarations("actions", ComponentEntry::declare);
        let routes = self.items("routes", |entry: RouteEntry, origin| {
            entry
                .check(origin.clone())
                .map_err(|faults| origin.faults(faults))
        });
        if let (Some(routes), Some(middlewares), Some(actions)) = (&routes, &middlewares, &actions)
        {
            self.references(routes, middlewares, actions);
        }
        self.collisions(routes.as_deref().unwrap_or_default());
        Some(Config {
            dir: self.dir.clone(),
            server: server?,
            plugins: plugins?,
            storages: storages?,
            middlewares: middlewares?,
            actions: actions?,
            routes: routes?,
        })
    }

    fn server(&mut self) -> Option<super::Server> {
        let Some((value, origin)) = self.settled::<ServerSection>("server")? else {
            return self.accept(
                ServerSection::default()
                    .check()
                    .map_err(|faults| Origin::default().faults(faults)),
            );
        };
        let section: ServerSection = self.typed(value, &origin)?;
        self.accept(section.check().map_err(|faults| origin.faults(faults)))
    }

    /// Reads a section that is a list.
    fn items<E: DeserializeOwned + JsonSchema, T>(
        &mut self,
        key: &str,
        build: impl Fn(E, Origin) -> Result<T, Vec<Fault>>,
    ) -> Option<Vec<T>> {
        let Some((value, origin)) = self.settled::<Vec<E>>(key)? else {
            return Some(Vec::new());
        };
        let Value::Array(items) = value else {
            return None;
        };
        let built = items.into_iter().enumerate().map(|(index, item)| {
            let origin = origin.item(index);
            let entry = self.typed(item, &origin)?;
            self.accept(build(entry, origin))
        });
        // Collected in two steps: stopping at the first fault would hide the others.
        built.collect::<Vec<_>>().into_iter().collect()
    }

    /// Reads a section that is a map of components, in file order.
    fn declarations<E: DeserializeOwned + JsonSchema>(
        &mut self,
        key: &str,
        declare: impl Fn(E, String, Origin) -> Declaration,
    ) -> Option<Vec<Declaration>> {
        let Some((value, origin)) = self.settled::<BTreeMap<String, E>>(key)? else {
            return Some(Vec::new());
        };
        let Value::Object(entries) = value else {
            return None;
        };
        let declared = entries.into_iter().map(|(name, entry)| {
            let origin = origin.key(&name);
            Some(declare(self.typed(entry, &origin)?, name, origin))
        });
        declared.collect()
    }

    /// Takes a section and settles it: `None` when it is wrong, `Some(None)` when it is absent.
    #[expect(clippy::option_option, reason = "wrong and absent are two things")]
    fn settled<S: JsonSchema>(&mut self, key: &str) -> Option<Option<(Value, Origin)>> {
        let Some(section) = self.documents.take(key) else {
            return Some(None);
        };
        let schema = schema_for!(S).to_value();
        let settled = shape::settle(&schema, section.value, &self.dir);
        let value = self.accept(settled.map_err(|faults| section.origin.faults(faults)))?;
        Some(Some((value, section.origin)))
    }

    fn typed<T: DeserializeOwned>(&mut self, value: Value, origin: &Origin) -> Option<T> {
        let typed = serde_json::from_value(value);
        self.accept(typed.map_err(|error| vec![origin.fault("", error.to_string())]))
    }

    fn accept<T>(&mut self, result: Result<T, Vec<Fault>>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults)).ok()
    }

    fn collisions(&mut self, routes: &[Route]) {
        let errors = Router::new(routes.iter().map(Route::pattern))
            .err()
            .unwrap_or_default();
        let faults = errors.iter().map(|error| {
            routes[error.route]
                .origin
                .fault(error.key, error.to_string())
        });
        self.faults.extend(faults);
    }

    fn references(
        &mut self,
        routes: &[Route],
        middlewares: &[Declaration],
        actions: &[Declaration],
    ) {
        for route in routes {
            for (index, middleware) in route.middlewares.iter().enumerate() {
                let path = format!("middlewares[{index}]");
                self.reference(route, &path, ("middleware", middleware, middlewares));
            }
            self.reference(route, "action", ("action", &route.action, actions));
        }
    }

    fn reference(
        &mut self,
        route: &Route,
        path: &str,
        (kind, reference, declared): (&str, &Reference, &[Declaration]),
    ) {
        let Reference::Named(name) = reference else {
            return;
        };
        let mut names = declared.iter().map(|declaration| declaration.name.as_str());
        if !names.any(|known| known == name) {
            let known = declared.iter().map(|declaration| declaration.name.as_str());
            let message = format!("unknown {kind} `{name}`, {}", suggest::known(name, known));
            self.faults.push(route.origin.fault(path, message));
        }
    }

    fn refuse_the_rest(&mut self) {
        let unknown = self.documents.rest().map(|(key, origin)| {
            origin.fault(
                "",
                format!("unknown section, {}", suggest::known(key, SECTIONS)),
            )
        });
        self.faults.extend(unknown);
    }
}

const SECTIONS: [&str; 6] = [
    "server",
    "plugins",
    "storages",
    "middlewares",
    "actions",
    "routes",
];
