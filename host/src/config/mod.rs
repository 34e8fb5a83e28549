//! What the user wrote: every YAML file of a directory, checked as a whole.
//!
//! A configuration is either complete and consistent or a list of everything that is wrong with it. What only a
//! component can judge, its own `config`, is judged by [`Declaration::settle`] once its plugin is loaded.

mod address;
mod components;
mod documents;
mod expand;
mod fault;
mod loading;
mod networks;
mod plugins;
mod routes;
mod server;
pub mod shape;
mod suggest;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

pub use address::{Address, AddressError};
pub use components::Declaration;
pub use fault::{Fault, Origin};
pub use loading::{load, schema, survey};
pub use networks::Networks;
pub use plugins::Plugin;
pub use routes::{Reference, Route};
pub use server::{HealthCheck, Limits, Log, LogFormat, Server, Timeouts};
pub use suggest::known as suggest;

use crate::router::Router;

/// Everything the user wrote.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory it was read from, absolute.
    pub dir: PathBuf,
    /// Where to listen and what to put up with.
    pub server: Server,
    /// The libraries to load, in order.
    pub plugins: Vec<Plugin>,
    /// The storages, in file order.
    pub storages: Vec<Declaration>,
    /// The middlewares, in file order, which is the order of those that run on every route.
    pub middlewares: Vec<Declaration>,
    /// The actions, in file order.
    pub actions: Vec<Declaration>,
    /// The routes, in file order.
    pub routes: Vec<Route>,
    /// Finds one of them by its place in that order.
    pub router: Arc<Router>,
    /// The sections of which not all is known, because it is wrong or in a file that cannot be read. There are faults
    /// then, and nothing is to be held against what these sections lack.
    pub unknown: Vec<&'static str>,
}

impl Config {
    /// Whether all that is written in a section is known.
    pub fn is_known(&self, section: &str) -> bool {
        !self.unknown.contains(&section)
    }
}
