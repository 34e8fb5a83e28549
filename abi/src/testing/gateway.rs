//! A gateway that exists for one test.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::{TestExchange, TestSessionStore};
use crate::config::Faults;
use crate::exchange::Side;
use crate::handle::{ActionHandle, MiddlewareHandle};
use crate::plugin::{Entry, Kind, Made, Offer, Plugin, parse};
use crate::services::{
    Histogram, HistogramObject, Purpose, Services, ServicesError, ServicesObject,
};
use crate::session::SessionStore;
use crate::storage::{Storage, StorageHandle};

/// A stand-in for a gateway: keeps what plugins register, and makes exchanges.
#[derive(Clone, Default)]
pub struct TestGateway {
    desk: Arc<Desk>,
}

/// A plugin that was opened in a [`TestGateway`].
pub struct OpenTestPlugin<P> {
    plugin: P,
    offer: Offer<P>,
}

/// What has been registered.
#[derive(Default)]
pub(super) struct Desk {
    state: Mutex<State>,
}

/// How many there were: how long things take is no matter for a test.
#[derive(Default)]
struct Measurements(AtomicU64);

#[derive(Default)]
struct State {
    headers: Vec<String>,
    flags: Vec<String>,
    reserved: Vec<(Side, String)>,
    counters: HashMap<String, &'static AtomicU64>,
    histograms: HashMap<String, &'static Measurements>,
    storages: HashMap<String, StorageHandle>,
    stores: HashMap<String, SessionStore>,
    purpose: Purpose,
}

impl TestGateway {
    /// A gateway without storages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a storage under the name that `storages.yaml` would give it.
    #[must_use]
    pub fn with_storage(self, name: &str, storage: impl Storage) -> Self {
        let handle = StorageHandle::new(Arc::new(storage));
        self.desk.state().storages.insert(name.to_owned(), handle);
        self
    }

    /// Adds a session store under the name of the middleware that would publish it.
    #[must_use]
    pub fn with_session_store(self, name: &str, store: &TestSessionStore) -> Self {
        let store = store.handle();
        self.desk.state().stores.insert(name.to_owned(), store);
        self
    }

    /// Opens plugins for this instead of to serve.
    #[must_use]
    pub fn with_purpose(self, purpose: Purpose) -> Self {
        self.desk.state().purpose = purpose;
        self
    }

    /// What a plugin gets to work with.
    pub fn services(&self) -> Services {
        Services::new(Arc::clone(&self.desk))
    }

    /// Opens a plugin with its `config` of `plugins.yaml`.
    ///
    /// # Errors
    /// What the plugin finds wrong with it.
    pub fn open<P: Plugin>(&self, config: Value) -> Result<OpenTestPlugin<P>, Faults> {
        let plugin = P::open(parse(config)?, self.services())?;
        let offer = Offer::of_plugin();
        Ok(OpenTestPlugin { plugin, offer })
    }

    /// Opens a plugin as a gateway does that reads its configuration anew. `self` is the gateway after that, which
    /// knows nothing of what was registered before.
    ///
    /// # Errors
    /// What the plugin finds wrong with it.
    pub fn reopen<P: Plugin>(
        &self,
        config: Value,
        before: &OpenTestPlugin<P>,
    ) -> Result<OpenTestPlugin<P>, Faults> {
        let plugin = P::reopen(parse(config)?, self.services(), &before.plugin)?;
        let offer = Offer::of_plugin();
        Ok(OpenTestPlugin { plugin, offer })
    }

    /// A request to this gateway, with nothing in it but method and target (path and query).
    pub fn exchange(&self, method: &str, target: &str) -> TestExchange {
        TestExchange::new(Arc::clone(&self.desk), method, target)
    }

    /// What a counter shows, by name and labels as `key=value` lines; 0 if nobody made it.
    pub fn counter(&self, name: &str, labels: &str) -> u64 {
        let key = format!("{name}\n{labels}");
        let counter = self.desk.state().counters.get(&key).copied();
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// How often a histogram was recorded to, by name and labels as `key=value` lines; 0 if nobody made it.
    pub fn recorded(&self, name: &str, labels: &str) -> u64 {
        let key = format!("{name}\n{labels}");
        let histogram = self.desk.state().histograms.get(&key).copied();
        histogram.map_or(0, |histogram| histogram.0.load(Ordering::Relaxed))
    }

    /// The headers that plugins have reserved, in order.
    pub fn reserved(&self) -> Vec<(Side, String)> {
        self.desk.state().reserved.clone()
    }
}

impl<P: Plugin> OpenTestPlugin<P> {
    /// The plugin itself.
    pub const fn plugin(&self) -> &P {
        &self.plugin
    }

    /// Makes a middleware, under its component's name.
    ///
    /// # Errors
    /// What the constructor finds wrong with the configuration.
    pub fn middleware(&self, component: &str, config: Value) -> Result<MiddlewareHandle, Faults> {
        match self.make(Kind::Middlewares, component, config)? {
            Made::Middleware(raw) => Ok(MiddlewareHandle::from_raw(raw)),
            Made::Action(_) | Made::Storage(_) => Err(Faults::at("", "not a middleware")),
        }
    }

    /// Makes an action, under its component's name.
    ///
    /// # Errors
    /// As for [`middleware`](Self::middleware).
    pub fn action(&self, component: &str, config: Value) -> Result<ActionHandle, Faults> {
        match self.make(Kind::Actions, component, config)? {
            Made::Action(raw) => Ok(ActionHandle::from_raw(raw)),
            Made::Middleware(_) | Made::Storage(_) => Err(Faults::at("", "not an action")),
        }
    }

    /// Makes a storage, under its component's name.
    ///
    /// # Errors
    /// As for [`middleware`](Self::middleware).
    pub fn storage(&self, component: &str, config: Value) -> Result<StorageHandle, Faults> {
        match self.make(Kind::Storages, component, config)? {
            Made::Storage(raw) => Ok(StorageHandle::from_raw(raw)),
            Made::Middleware(_) | Made::Action(_) => Err(Faults::at("", "not a storage")),
        }
    }

    fn make(&self, kind: Kind, component: &str, config: Value) -> Result<Made, Faults> {
        let entry = Entry { name: component };
        self.offer
            .make(&self.plugin, (kind, component), entry, config)
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lower-case name behind a number.
    pub(super) fn header_name(&self, number: u32) -> Option<String> {
        self.state().headers.get(number as usize).cloned()
    }
}

impl ServicesObject for Desk {
    fn header(&self, name: &str) -> Result<u32, ServicesError> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(ServicesError::HeaderName);
        }
        Ok(intern(
            &mut self.state().headers,
            &name.to_ascii_lowercase(),
        ))
    }

    fn flag(&self, name: &str) -> Result<u32, ServicesError> {
        let number = intern(&mut self.state().flags, name);
        if number < 64 {
            Ok(number)
        } else {
            Err(ServicesError::Flags)
        }
    }

    fn reserve(&self, side: Side, name: &str) -> Result<(), ServicesError> {
        self.header(name)?;
        self.state().reserved.push((side, name.to_owned()));
        Ok(())
    }

    fn counter(&self, name: &str, _help: &str, labels: &str) -> &'static AtomicU64 {
        let key = format!("{name}\n{labels}");
        self.state()
            .counters
            .entry(key)
            .or_insert_with(|| Box::leak(Box::default()))
    }

    fn histogram(&self, name: &str, _help: &str, labels: &str) -> Option<Histogram> {
        let key = format!("{name}\n{labels}");
        let mut state = self.state();
        let kept = state.histograms.entry(key);
        let kept: &'static Measurements = kept.or_insert_with(|| Box::leak(Box::default()));
        Some(Histogram::new(kept))
    }

    fn storage(&self, name: &str) -> Option<StorageHandle> {
        self.state().storages.get(name).cloned()
    }

    fn storage_names(&self) -> Vec<String> {
        self.state().storages.keys().cloned().collect()
    }

    fn session_store(&self, name: &str) -> Option<SessionStore> {
        self.state().stores.get(name).cloned()
    }

    fn publish(&self, name: &str, store: SessionStore) -> bool {
        let mut state = self.state();
        if state.stores.contains_key(name) {
            return false;
        }
        state.stores.insert(name.to_owned(), store);
        true
    }

    fn purpose(&self) -> Purpose {
        self.state().purpose
    }
}

impl HistogramObject for Measurements {
    fn record(&self, _: Duration) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn intern(names: &mut Vec<String>, name: &str) -> u32 {
    let known = names.iter().position(|known| known == name);
    let index = known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl fmt::Debug for TestGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestGateway(..)")
    }
}

impl<P> fmt::Debug for OpenTestPlugin<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenTestPlugin({:?})", self.offer)
    }
}
