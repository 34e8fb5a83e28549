//! What plugins come to at start: names, counters, storages, reserved headers.

mod names;
mod reserved;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::services::{ServicesError, ServicesObject};
use abi::storage::StorageHandle;
use abi::{EventLoop, Histogram, Purpose, SessionStore, Side};
use http::HeaderName;

pub(crate) use names::Names;
pub(crate) use reserved::Reserved;

use crate::actions::authorize::ORIGINALS;
use crate::event_loop;
use crate::metrics::Metrics;

/// What the plugins of one gateway register, and what they find.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) names: Names,
    metrics: Arc<Metrics>,
    purpose: Purpose,
    registered: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    flags: Vec<KnownFlag>,
    // `None` from the moment the gateway serves.
    reserved: Option<Reserved>,
    storages: HashMap<String, StorageHandle>,
    /// For every other name.
    stand_in: Option<StorageHandle>,
    stores: HashMap<String, SessionStore>,
}

#[derive(Debug)]
struct KnownFlag {
    name: String,
    /// How often somebody has asked for it, to raise it or to heed it.
    asked: usize,
}

impl Desk {
    pub(crate) fn new(metrics: Arc<Metrics>, purpose: Purpose) -> Self {
        let mut reserved = Reserved::default();
        ORIGINALS.iter().for_each(|name| reserved.add_request(name));
        reserved.add_request(&PROXY);
        let registered = Registered {
            reserved: Some(reserved),
            ..Registered::default()
        };
        Self {
            names: Names::default(),
            metrics,
            purpose,
            registered: Mutex::new(registered),
        }
    }

    /// Makes a storage known. All of them are, before the first middleware is made.
    pub(crate) fn add_storage(&self, name: &str, storage: StorageHandle) {
        self.registered().storages.insert(name.to_owned(), storage);
    }

    /// Lets every other name be that of this storage: they may be in a file that cannot be read.
    pub(crate) fn stand_in(&self, storage: StorageHandle) {
        self.registered().stand_in = Some(storage);
    }

    /// Every storage, for the readiness probe.
    pub(crate) fn storages(&self) -> Vec<(String, StorageHandle)> {
        let registered = self.registered();
        let storages = registered.storages.iter();
        storages
            .map(|(name, storage)| (name.clone(), storage.clone()))
            .collect()
    }

    /// The flags that somebody heeds, if these are raised by `SetMiddleware`, one for each time.
    pub(crate) fn heeded_flags(&self, raised: &[&str]) -> Vec<String> {
        let registered = self.registered();
        let heeded = registered.flags.iter().filter(|flag| {
            let raised = raised.iter().filter(|name| **name == flag.name);
            raised.count() < flag.asked
        });
        heeded.map(|flag| flag.name.clone()).collect()
    }

    /// Every session store, in the order of the names.
    pub(crate) fn session_stores(&self) -> Vec<(String, SessionStore)> {
        let registered = self.registered();
        let stores = registered.stores.iter();
        let mut stores: Vec<_> = stores
            .map(|(name, store)| (name.clone(), store.clone()))
            .collect();
        stores.sort_by(|(one, _), (other, _)| one.cmp(other));
        stores
    }

    /// Ends registration and hands over what was reserved.
    pub(crate) fn close(&self) -> Reserved {
        self.registered().reserved.take().unwrap_or_default()
    }

    /// Lets go of what was registered: it holds plugins, and they hold the desk.
    pub(crate) fn forget(&self) {
        let forgotten = std::mem::take(&mut *self.registered());
        // Only now: what is dropped may come back to the desk.
        drop(forgotten);
    }

    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServicesObject for Desk {
    fn header(&self, name: &str) -> Result<u32, ServicesError> {
        self.names.intern(name)
    }

    fn flag(&self, name: &str) -> Result<u32, ServicesError> {
        let flags = &mut self.registered().flags;
        let known = flags.iter().position(|flag| flag.name == name);
        let number = known.unwrap_or(flags.len());
        if number == MOST_FLAGS {
            return Err(ServicesError::Flags);
        }
        if known.is_none() {
            let name = name.to_owned();
            flags.push(KnownFlag { name, asked: 0 });
        }
        flags[number].asked += 1;
        u32::try_from(number).map_err(|_| ServicesError::Flags)
    }

    fn reserve(&self, side: Side, name: &str) -> Result<(), ServicesError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ServicesError::Reserve)?;
        let mut registered = self.registered();
        let reserved = registered.reserved.as_mut().ok_or(ServicesError::Reserve)?;
        match side {
            Side::Request => reserved.add_request(&name),
            Side::Response => reserved.add_response(name),
        }
        Ok(())
    }

    fn counter(&self, name: &str, help: &str, labels: &str) -> &'static AtomicU64 {
        self.metrics.counter(name, help, &pairs(labels))
    }

    fn histogram(&self, name: &str, help: &str, labels: &str) -> Option<Histogram> {
        let kept = self.metrics.durations(name, help, &pairs(labels));
        Some(Histogram::new(kept))
    }

    fn storage(&self, name: &str) -> Option<StorageHandle> {
        let registered = self.registered();
        let known = registered.storages.get(name);
        known.or(registered.stand_in.as_ref()).cloned()
    }

    fn storage_names(&self) -> Vec<String> {
        self.registered().storages.keys().cloned().collect()
    }

    fn session_store(&self, name: &str) -> Option<SessionStore> {
        self.registered().stores.get(name).cloned()
    }

    fn publish(&self, name: &str, store: SessionStore) -> bool {
        let stores = &mut self.registered().stores;
        if stores.contains_key(name) {
            return false;
        }
        stores.insert(name.to_owned(), store);
        true
    }

    fn purpose(&self) -> Purpose {
        self.purpose
    }

    fn event_loop(&self) -> Option<EventLoop> {
        event_loop::current()
    }
}

fn pairs(labels: &str) -> Vec<(&str, &str)> {
    let lines = labels.lines();
    lines.filter_map(|line| line.split_once('=')).collect()
}

// One bit each in an exchange.
const MOST_FLAGS: usize = 64;
// CGI makes `HTTP_PROXY` of it, which many a library takes for the proxy to go through (httpoxy, CVE-2016-5385).
const PROXY: HeaderName = HeaderName::from_static("proxy");

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn what_services_would_take_for_the_gateways_own_word_is_always_removed() {
        let desk = Desk::new(Arc::default(), Purpose::Serve);
        let reserved = desk.close();
        for name in ["proxy", "pro_xy", "x-original-url", "x-rewrite-url"] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static("evil"));

            reserved.scrub_request(&mut headers);

            assert!(headers.is_empty(), "{name}");
        }
    }
}
