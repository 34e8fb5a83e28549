//! `routes:` which requests go through which middlewares to which action.

use abi::config::Faults;
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;

use super::components::{ComponentEntry, Declaration};
use super::fault::Origin;
use crate::router::Pattern;

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The path pattern: static, `:param`, or with a trailing `/*`.
    pub path: String,
    /// The methods it answers; empty means all but TRACE.
    pub methods: Vec<Method>,
    /// The host it answers for, exact or `*.suffix`; empty means any.
    pub host: String,
    /// What a request passes on its way, in this order, after the middlewares of every route.
    pub middlewares: Vec<Reference>,
    /// What answers it.
    pub action: Reference,
    /// Where it was written.
    pub origin: Origin,
}

/// A component by its name, or declared in place.
#[derive(Clone, Debug)]
pub enum Reference {
    /// Declared in place.
    Inline(Declaration),
    /// By its name in `middlewares:` or `actions:`.
    Named(String),
}

/// One route.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RouteEntry {
    /// Static (`/a`), with parameters (`/users/:id`), or everything below (`/files/*`). The most specific one wins.
    path: String,
    /// The method it answers; absent = all but TRACE, which has to be named.
    #[serde(default)]
    method: Option<String>,
    /// The methods it answers, when there are several.
    #[serde(default)]
    methods: Option<Vec<String>>,
    /// The host it answers for, exact or `*.suffix`; absent or empty = any.
    #[serde(default)]
    host: String,
    /// Names of middlewares, or middlewares declared in place, in the order they run.
    #[serde(default)]
    middlewares: Vec<ReferenceEntry>,
    /// The name of an action, or one declared in place.
    action: ReferenceEntry,
}

/// A component by its name, or declared in place.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum ReferenceEntry {
    Named(String),
    Inline(ComponentEntry),
}

impl Route {
    /// What the router matches requests against.
    pub fn pattern(&self) -> Pattern<'_> {
        Pattern {
            host: &self.host,
            path: &self.path,
            methods: &self.methods,
        }
    }
}

impl RouteEntry {
    /// Reads what the schema cannot express.
    pub(super) fn check(self, origin: Origin) -> Result<Route, Faults> {
        let mut faults = Faults::default();
        let methods = methods(self.method, self.methods, &mut faults);
        let middlewares = self.middlewares.into_iter().enumerate();
        let middlewares = middlewares
            .map(|(index, entry)| entry.locate(origin.key(&format!("middlewares[{index}]"))));
        let route = Route {
            path: self.path,
            methods,
            host: self.host,
            middlewares: middlewares.collect(),
            action: self.action.locate(origin.key("action")),
            origin,
        };
        faults.or(route)
    }
}

impl ReferenceEntry {
    fn locate(self, origin: Origin) -> Reference {
        match self {
            Self::Named(name) => Reference::Named(name),
            Self::Inline(entry) => Reference::Inline(entry.declare(origin.path.clone(), origin)),
        }
    }
}

fn methods(one: Option<String>, many: Option<Vec<String>>, faults: &mut Faults) -> Vec<Method> {
    let names = match (one, many) {
        (Some(_), Some(_)) => {
            faults.push("methods", "cannot be given together with method");
            return Vec::new();
        }
        (Some(name), None) => vec![("method".to_owned(), name)],
        (None, Some(names)) if names.is_empty() => {
            faults.push(
                "methods",
                "an empty list answers nothing; leave it out for all methods",
            );
            return Vec::new();
        }
        (None, many) => {
            let names = many.unwrap_or_default().into_iter().enumerate();
            names
                .map(|(index, name)| (format!("methods[{index}]"), name))
                .collect()
        }
    };
    let known = |(path, name): (String, String)| {
        let method = METHODS.into_iter().find(|method| method.as_str() == name);
        if method.is_none() {
            let allowed = super::suggest::known(&name, METHODS.iter().map(Method::as_str));
            faults.push(path, format!("`{name}` is not a method, {allowed}"));
        }
        method
    };
    names.into_iter().filter_map(known).collect()
}

// CONNECT is refused before any route is looked at.
const METHODS: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];
