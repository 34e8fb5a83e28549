//! What stands behind sessions, for others in this plugin: what has to be done about a stored session, not about a
//! request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::Session;
use tracing::warn;

use super::store::Store;
use crate::engine::Engine;
use crate::session::SessionId;

/// The sessions of one `LoadSessionMiddleware`, as they are stored. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keeper(Arc<Store>);

/// All keepers of a gateway, by the names of their middlewares.
#[derive(Debug, Default)]
pub struct Keepers(Mutex<HashMap<String, Keeper>>);

impl Keeper {
    pub(super) const fn new(store: Arc<Store>) -> Self {
        Self(store)
    }

    /// The name of the middleware.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What can be done with the sessions.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Whether a browser that another site sends here leaves the session's cookie out.
    pub fn is_strict(&self) -> bool {
        self.0.is_strict
    }

    /// What is promised otherwise by another one, if an id of one is good in the other.
    fn difference(&self, other: &Self) -> Option<String> {
        self.0.terms.difference(&other.0.terms)
    }
}

impl Keepers {
    /// Makes one known. Says where it keeps its sessions with another one and promises something else: whoever has an id
    /// may take it to the one that suits them.
    pub fn add(&self, keeper: Keeper) {
        let mut all = self.all();
        for other in all.values() {
            if let Some(differing) = other.difference(&keeper) {
                let (one, other) = (other.name(), keeper.name());
                warn!("`{one}` and `{other}` share their sessions and differ in {differing}");
            }
        }
        all.insert(keeper.name().to_owned(), keeper);
    }

    /// All that are known, in the order of their names.
    pub fn known(&self) -> Vec<Keeper> {
        let mut known: Vec<_> = self.all().values().cloned().collect();
        known.sort_by(|one, other| one.name().cmp(other.name()));
        known
    }

    /// The one that keeps a session; none for the session of another plugin.
    pub fn of(&self, session: &Session) -> Option<Keeper> {
        self.all().get(&session.kept_by()?).cloned()
    }

    /// Where a session is stored: its keeper, its id and its handle. Nowhere for the session of another plugin, and for
    /// one that is not stored.
    pub fn place_of(&self, session: &Session) -> Option<(Keeper, SessionId, String)> {
        let keeper = self.of(session)?;
        let id = SessionId::parse(session.id()?.as_bytes())?;
        Some((keeper, id, session.handle()?))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Keeper>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
