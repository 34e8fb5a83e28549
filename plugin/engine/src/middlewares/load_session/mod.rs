//! `LoadSessionMiddleware`: from the key that a request carries to the session that everybody behind it can use.
//!
//! On the way in the key is found, taken out of what is forwarded, and exchanged for the session. On the way out what
//! changed is stored, a session that is due gets a new id, and only then the client is told. What an outage of the
//! storage makes of a request is for `onStorageFailure` to say; it never clears a cookie.
//!
//! With `strategy: cookieCache`, most requests that only read are answered from a second cookie instead: `snapshots.rs`
//! says for how long, and what that costs.

mod attention;
mod basis;
mod caches;
mod config;
mod cookie_header;
mod instruction;
mod journal;
mod keeper;
mod ledger;
mod outages;
mod presented;
mod published;
mod sinks;
mod snapshots;
mod store;
mod visit;

use std::sync::Arc;

use abi::config::Faults;
use abi::session::SessionObject as _;
use abi::{
    Entry, Exchange, Failure, Flow, HeaderName, Maybe, Middleware, Services, Session, SessionStore,
    Side,
};
use tracing::{error, warn};

use self::instruction::Instruction;
use self::published::Published;
use self::store::Store;
use crate::clock::Clock;
use crate::header_names::is_taken;
use crate::runtime::Task;
use crate::session::Keyring;
use crate::storage::{Backing, Failovers};

pub use self::config::{
    CookieCacheConfig, GlobError, KeyLookupText, LoadSessionConfig, OnLimit, OnStorageFailure,
    PathGlob, PathGlobs, Preset, SameSiteText, SnapshotEncoding, Strategy,
};
pub use self::keeper::{Keeper, Keepers};
pub use self::visit::Visit;

/// Loads the session of each request and stores what becomes of it.
#[derive(Debug)]
pub struct LoadSessionMiddleware {
    store: Arc<Store>,
    is_hidden: bool,
    response_header: Option<HeaderName>,
    /// Ends again what a failover brought back.
    _failovers: Option<Task>,
}

impl LoadSessionMiddleware {
    /// Checks the configuration, publishes the sessions under the entry's name and says what is weak. `open` finds the
    /// storage that the configuration names.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(
        entry: Entry<'_>,
        config: &LoadSessionConfig,
        open: impl FnOnce(&Keyring) -> Result<Backing, Faults>,
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let response_header = response_header(&config.response_header, services, &mut faults);
        let settings = faults.absorb(config.settle());
        let keyring = settings.as_ref().map(|settings| &settings.policy.keyring);
        let backing = faults.absorb(open(keyring.unwrap_or(&Keyring::plain())));
        let (Some(settings), Some(backing)) = (settings, backing) else {
            return Err(faults);
        };
        if settings.on_storage_failure == OnStorageFailure::Stale && !backing.has_copies {
            faults.push(
                "onStorageFailure",
                "`stale` needs a storage with a localCache: RedisStorage or ValkeyStorage has one",
            );
        }
        let store = faults.absorb(Store::new(entry.name, &settings, &backing, clock, services));
        let Some(store) = store.map(Arc::new) else {
            return Err(faults);
        };
        let shared = SessionStore::new(Arc::new(Published(Arc::clone(&store))));
        if !services.publish(entry.name, shared) {
            faults.push("", "another middleware publishes sessions under this name");
        }
        for warning in &settings.warnings {
            warn!(middleware = entry.name, "{warning}");
        }
        let failovers = backing
            .failovers
            .map(|failovers| attend(&failovers, &store));
        faults.or(Self {
            store,
            is_hidden: config.disable_session_forward,
            response_header,
            _failovers: failovers.transpose()?,
        })
    }

    /// The stored sessions, for others in this plugin.
    pub fn keeper(&self) -> Keeper {
        Keeper::new(Arc::clone(&self.store))
    }

    fn enter(&self, mut exchange: Exchange<'_>, mut visit: Visit) -> Flow<Arc<Visit>> {
        visit.note_agent(&exchange);
        let visit = Arc::new(visit);
        if !self.is_hidden {
            exchange.attach_session(Session::new(Arc::clone(&visit)));
        }
        Flow::Next(visit)
    }

    /// Applies what the upstream wrote. A mistake of the upstream is logged and changes nothing.
    fn obey(&self, exchange: &Exchange<'_>, visit: &Visit) {
        let Some(header) = self.response_header else {
            return;
        };
        for value in exchange.headers(Side::Response, header) {
            match Instruction::parse(value) {
                Ok(Instruction::Destroy) => visit.destroy(),
                Ok(Instruction::Merge(attributes)) => visit.merge(attributes),
                Err(problem) => {
                    error!(route = exchange.route(), %problem, "the upstream's session header is ignored");
                }
            }
        }
    }
}

impl Middleware for LoadSessionMiddleware {
    type State = Arc<Visit>;

    fn on_request<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<Arc<Visit>>, Failure>> {
        match self.store.open(&mut exchange) {
            Maybe::Ready(opened) => Maybe::Ready(opened.map(|visit| self.enter(exchange, visit))),
            Maybe::Pending(opening) => Maybe::task(async move {
                let visit = opening.await?;
                Ok(self.enter(exchange, visit))
            }),
        }
    }

    fn on_response<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
        visit: Arc<Visit>,
    ) -> Maybe<'a, Result<(), Failure>> {
        self.obey(&exchange, &visit);
        visit.part_caches(&mut exchange);
        if visit.is_settled() {
            return Maybe::Ready(Ok(()));
        }
        Maybe::task(async move { visit.finish(exchange).await })
    }
}

/// Ends again after each failover what it brought back, for as long as there is the store.
fn attend(failovers: &Failovers, store: &Arc<Store>) -> Result<Task, Faults> {
    let store = Arc::downgrade(store);
    let task = failovers.each(move || {
        let store = store.upgrade();
        async move {
            if let Some(store) = store {
                store.end_again().await;
            }
        }
    });
    task.map_err(|error| Faults::at("storage", format!("cannot start threads for it: {error}")))
}

fn response_header(name: &str, services: &Services, faults: &mut Faults) -> Option<HeaderName> {
    if name.is_empty() {
        return None;
    }
    if is_taken(Side::Response, name) {
        let message = "belongs to the connection or the gateway; name one of your own, such as `X-Session-Set`";
        faults.push("responseHeader", format!("`{name}` {message}"));
        return None;
    }
    let reserved = services.reserve(Side::Response, name);
    let resolved = reserved.and_then(|()| services.header(name));
    resolved
        .map_err(|error| faults.push("responseHeader", format!("`{name}`: {error}")))
        .ok()
}

#[cfg(test)]
mod tests;
