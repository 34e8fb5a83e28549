//! Whether requests get to the routes that actions answer below their own.
//!
//! A gateway cannot see what stands in front of it, which may send requests elsewhere: it warns, and refuses nothing.

use std::collections::HashMap;

use abi::RouteBelow;
use http::Method;
use serde_json::Value;

use super::catalogue::Entry;
use crate::config::{Config, Declaration, Fault, Reference, Route};

/// What actions answer below their own routes, by the names of the actions.
#[derive(Debug, Default)]
pub(super) struct Below(HashMap<String, Vec<Answered>>);

#[derive(Debug)]
struct Answered {
    route: RouteBelow,
    /// The key for which the action cannot do without it.
    reason: Option<String>,
}

impl Below {
    /// Notes what a declared component answers, whose configuration is settled.
    pub(super) fn note(&mut self, declaration: &Declaration, entry: &Entry, config: &Value) {
        let answered = entry.description.below.iter().map(|route| Answered {
            route: route.clone(),
            reason: route.reason(config).map(ToOwned::to_owned),
        });
        let answered: Vec<_> = answered.collect();
        if !answered.is_empty() {
            self.0.insert(declaration.name.clone(), answered);
        }
    }

    /// All that no request would get to.
    pub(super) fn unreached(&self, config: &Config) -> Vec<Fault> {
        let routes = config.routes.iter();
        let judged = routes.filter_map(|route| {
            let answered = self.0.get(name(&route.action))?;
            Some(unreached(config, route, answered))
        });
        judged.flatten().collect()
    }
}

fn unreached(config: &Config, route: &Route, answered: &[Answered]) -> Vec<Fault> {
    let mut endings = answered
        .iter()
        .filter(|each| route.path.ends_with(each.route.ending()));
    if let Some(below) = endings.next() {
        return refuses(route, below).into_iter().collect();
    }
    let needed = answered
        .iter()
        .filter_map(|each| Some((each, each.reason.as_deref()?)));
    needed
        .filter_map(|(each, reason)| misses(config, route, each, reason))
        .collect()
}

/// A route that is there for what the action answers, and does not let it through.
fn refuses(route: &Route, below: &Answered) -> Option<Fault> {
    let method = below.route.method();
    let takes = |known: &Method| known.as_str() == method;
    let is_open = route.methods.is_empty() || route.methods.iter().any(takes);
    (!is_open).then(|| {
        let message = format!(
            "{} answers {method} at a path that ends in `{}`; expected {method} among the methods",
            shown(&route.action),
            below.route.ending()
        );
        route.origin.fault("", message)
    })
}

/// A route below which there is none, although the action needs one.
fn misses(config: &Config, route: &Route, below: &Answered, reason: &str) -> Option<Fault> {
    // What stands for a parameter is known with the request only.
    let is_fixed = !route.path.contains([':', '*']);
    if !is_fixed {
        return None;
    }
    let path = format!(
        "{}{}",
        route.path.trim_end_matches('/'),
        below.route.ending()
    );
    let method = below.route.method();
    // Any label is as good as another.
    let host = route.host.replacen('*', "any", 1);
    let found = config.router.find(&host, &path, &method.parse().ok()?);
    let leads = found.is_ok_and(|(index, _)| {
        let there = config.routes.get(index);
        there.is_some_and(|there| name(&there.action) == name(&route.action))
    });
    (!leads).then(|| {
        let action = shown(&route.action);
        let message = format!(
            "with `{reason}`, {action} needs a route `{path}` that leads to it and takes {method}"
        );
        route.origin.fault("path", message)
    })
}

/// What an action is known by: for one in place, where that is.
fn name(reference: &Reference) -> &str {
    match reference {
        Reference::Named(name) => name,
        Reference::Inline(declaration) => &declaration.name,
    }
}

fn shown(reference: &Reference) -> String {
    match reference {
        Reference::Named(name) => format!("`{name}`"),
        Reference::Inline(declaration) => format!("`{}`", declaration.component),
    }
}

#[cfg(test)]
mod tests;
