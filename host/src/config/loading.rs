//! From the files of a directory to a [`Config`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::components::{ComponentEntry, Declaration, MiddlewareEntry};
use super::documents::{Documents, Section};
use super::expand::Environment;
use super::fault::{Fault, Origin};
use super::plugins::PluginEntry;
use super::routes::{Reference, Route, RouteEntry};
use super::server::{HealthCheck, ServerSection};
use super::{Config, shape, suggest};
use crate::health::Question;
use crate::router::{PatternError, Router};

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

/// Reads and checks every `*.yaml` of `dir`, and keeps what is right beside the faults of what is not, so that the
/// components of a configuration can be checked in the same pass.
pub fn survey(dir: &Path) -> (Option<Config>, Vec<Fault>) {
    survey_with(dir, &|name| std::env::var(name).ok())
}

pub(super) fn load_with(dir: &Path, environment: Environment<'_>) -> Result<Config, Vec<Fault>> {
    match survey_with(dir, environment) {
        (Some(config), faults) if faults.is_empty() => Ok(config),
        (_, faults) => Err(faults),
    }
}

fn survey_with(dir: &Path, environment: Environment<'_>) -> (Option<Config>, Vec<Fault>) {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let (documents, faults) = match Documents::read(dir, environment) {
        Ok(read) => read,
        Err(fault) => return (None, vec![fault]),
    };
    let has_routes = documents.has("routes") || !documents.is_complete("routes");
    let mut loading = Loading {
        dir: absolute,
        documents,
        faults,
    };
    let config = loading.config();
    let is_misspelt = loading.refuse_the_rest();
    if !has_routes && !is_misspelt {
        loading
            .faults
            .push(Fault::of_file(&dir.display().to_string(), NOTHING_TO_SERVE));
    }
    (config, loading.faults)
}

struct Loading {
    dir: PathBuf,
    documents: Documents,
    faults: Vec<Fault>,
}

impl Loading {
    /// Reads all sections and leaves out the entries that are wrong. `None` when there is no server to speak of.
    fn config(&mut self) -> Option<Config> {
        // Taken first: a name whose declaration is wrong is not unknown as well.
        let names = ["middlewares", "actions"].map(|key| self.names(key));
        let is_unknown = |key: &&str| !self.documents.is_complete(key);
        let mut unknown: Vec<_> = SECTIONS.into_iter().filter(is_unknown).collect();
        let server = self.server();
        let plugins = self.items("plugins", |entry: PluginEntry, origin| {
            Ok(entry.locate(origin))
        });
        let storages = self.declarations("storages", ComponentEntry::declare);
        let middlewares = self.noting("middlewares", &mut unknown, |loading| {
            loading.declarations("middlewares", MiddlewareEntry::declare)
        });
        let actions = self.declarations("actions", ComponentEntry::declare);
        let routes = self.noting("routes", &mut unknown, |loading| {
            loading.items("routes", |entry: RouteEntry, origin| {
                let checked = entry.check(origin.clone());
                checked.map_err(|faults| origin.faults(faults))
            })
        });
        let [middleware_names, action_names] = names;
        for route in &routes {
            self.references(route, middleware_names.as_deref(), action_names.as_deref());
            self.repetitions(route, &middlewares);
        }
        let router = self.router(&routes);
        if let Some(server) = &server {
            self.hidden(&routes, &server.health_check);
        }
        if server.is_none() {
            unknown.push("server");
        }
        let server = server.or_else(|| ServerSection::default().check().ok())?;
        Some(Config {
            dir: self.dir.clone(),
            server,
            plugins,
            storages,
            middlewares,
            actions,
            routes,
            router: Arc::new(router),
            unknown,
        })
    }

    /// The names of a section; none when there may be more.
    fn names(&self, key: &str) -> Option<Vec<String>> {
        let is_complete = self.documents.is_complete(key);
        is_complete.then(|| self.documents.names(key))
    }

    fn server(&mut self) -> Option<super::Server> {
        let Some(section) = self.documents.take("server") else {
            return ServerSection::default().check().ok();
        };
        let entry: ServerSection = self.entry(section.value, &section.origin)?;
        self.accept(
            entry
                .check()
                .map_err(|faults| section.origin.faults(faults)),
        )
    }

    /// Reads a section, of which not all is known afterwards if anything is wrong with it.
    fn noting<T>(
        &mut self,
        key: &'static str,
        unknown: &mut Vec<&'static str>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let known = self.faults.len();
        let entries = read(self);
        if self.faults.len() > known {
            unknown.push(key);
        }
        entries
    }

    /// Reads a section that is a list.
    fn items<E: DeserializeOwned + JsonSchema, T>(
        &mut self,
        key: &str,
        build: impl Fn(E, Origin) -> Result<T, Vec<Fault>>,
    ) -> Vec<T> {
        let Some(Section { origin, value, .. }) = self.documents.take(key) else {
            return Vec::new();
        };
        let Value::Array(items) = value else {
            self.faults.push(origin.fault("", "expected a list"));
            return Vec::new();
        };
        let built = items.into_iter().enumerate().filter_map(|(index, item)| {
            let origin = origin.item(index);
            let entry = self.entry(item, &origin)?;
            self.accept(build(entry, origin))
        });
        built.collect()
    }

    /// Reads a section that is a map of components, in file order.
    fn declarations<E: DeserializeOwned + JsonSchema>(
        &mut self,
        key: &str,
        declare: impl Fn(E, String, Origin) -> Declaration,
    ) -> Vec<Declaration> {
        let Some(Section { origin, value, .. }) = self.documents.take(key) else {
            return Vec::new();
        };
        let Value::Object(entries) = value else {
            self.faults
                .push(origin.fault("", "expected a map of names"));
            return Vec::new();
        };
        let declared = entries.into_iter().filter_map(|(name, entry)| {
            let origin = origin.key(&name);
            Some(declare(self.entry(entry, &origin)?, name, origin))
        });
        declared.collect()
    }

    /// Holds one entry against its schema and reads it.
    fn entry<E: DeserializeOwned + JsonSchema>(
        &mut self,
        value: Value,
        origin: &Origin,
    ) -> Option<E> {
        let settled = shape::settle(&schema_for!(E).to_value(), value, &self.dir);
        let value = self.accept(settled.map_err(|faults| origin.faults(faults)))?;
        let typed = serde_json::from_value(value);
        self.accept(typed.map_err(|error| vec![origin.fault("", error.to_string())]))
    }

    fn accept<T>(&mut self, result: Result<T, Vec<Fault>>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults)).ok()
    }

    /// Empty when one of the routes is wrong.
    fn router(&mut self, routes: &[Route]) -> Router {
        let patterns = routes.iter().map(Route::pattern);
        let errors = match Router::new(patterns) {
            Ok(router) => return router,
            Err(errors) => errors,
        };
        for error in errors {
            let message = match error.error {
                // The router counts the routes it was given, and those that are wrong were not.
                PatternError::Duplicate(first) => {
                    format!("answers the same requests as {}", routes[first].origin.path)
                }
                other => other.to_string(),
            };
            self.faults
                .push(routes[error.route].origin.fault(error.key, message));
        }
        Router::default()
    }

    /// Refuses routes that would never be asked: health routes come before them.
    fn hidden(&mut self, routes: &[Route], health: &HealthCheck) {
        for route in routes {
            if let Some(question) = Question::of(health, &route.path) {
                let message = format!("is server.{}, which answers there", question.key());
                self.faults.push(route.origin.fault("path", message));
            }
        }
    }

    fn references(
        &mut self,
        route: &Route,
        middlewares: Option<&[String]>,
        actions: Option<&[String]>,
    ) {
        for (index, middleware) in route.middlewares.iter().enumerate() {
            let path = format!("middlewares[{index}]");
            let fault = unknown(middleware, "middleware", middlewares);
            self.faults
                .extend(fault.map(|message| route.origin.fault(&path, message)));
        }
        let fault = unknown(&route.action, "action", actions);
        self.faults
            .extend(fault.map(|message| route.origin.fault("action", message)));
    }

    /// A middleware that runs twice on a request meets what it did itself.
    fn repetitions(&mut self, route: &Route, declared: &[Declaration]) {
        let everywhere = declared
            .iter()
            .filter(|declaration| declaration.any_request);
        let mut before: Vec<_> = everywhere
            .map(|declaration| (declaration.name.as_str(), "by its anyRequest: true"))
            .collect();
        for (index, middleware) in route.middlewares.iter().enumerate() {
            let Reference::Named(name) = middleware else {
                continue;
            };
            if let Some((_, why)) = before.iter().find(|(known, _)| known == name) {
                let message = format!("`{name}` runs on this route already, {why}");
                let path = format!("middlewares[{index}]");
                self.faults.push(route.origin.fault(&path, message));
            }
            before.push((name, "as it is there twice"));
        }
    }

    /// Returns whether there was anything.
    fn refuse_the_rest(&mut self) -> bool {
        let unknown = self.documents.rest().map(|(key, origin)| {
            origin.fault(
                "",
                format!("unknown section, {}", suggest::known(key, SECTIONS)),
            )
        });
        let known = self.faults.len();
        self.faults.extend(unknown);
        self.faults.len() > known
    }
}

/// What to say about a name that is not declared.
fn unknown(reference: &Reference, kind: &str, names: Option<&[String]>) -> Option<String> {
    let (Reference::Named(name), Some(names)) = (reference, names) else {
        return None;
    };
    let is_known = names.contains(name);
    let known = || suggest::known(name, names.iter().map(String::as_str));
    (!is_known).then(|| format!("unknown {kind} `{name}`, {}", known()))
}

// A file that is empty because it is just being written must not pass for a gateway that serves nothing.
const NOTHING_TO_SERVE: &str =
    "no file has `routes:`, so there is nothing to serve; `routes: []` if this is meant";

const SECTIONS: [&str; 6] = [
    "server",
    "plugins",
    "storages",
    "middlewares",
    "actions",
    "routes",
];
