//! A session that exists for one test.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::session::{
    Attribute, AttributeError, Session, SessionEntry, SessionObject, SessionStore,
};
use crate::{Exchange, Failure, Maybe};

/// A session that only exists in memory, and remembers what was asked of it. Clones share it.
///
/// ```
/// use abi::testing::TestSession;
/// use serde_json::json;
///
/// let session = TestSession::new(json!({ "user_id": "anna" }));
/// session.handle().set("role", "admin").unwrap();
/// session.handle().destroy();
///
/// assert_eq!(session.handle().get("role"), Some(json!("admin")));
/// assert!(session.is_destroyed());
/// ```
#[derive(Clone, Default)]
pub struct TestSession {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    attributes: Map<String, Value>,
    handle: Option<String>,
    kept_by: Option<String>,
    login: Option<Login>,
    is_renewed: bool,
    is_peeked: bool,
    is_regenerated: bool,
    is_destroyed: bool,
    expiry: Option<Duration>,
}

/// What a store knows about a session of its own.
struct Login {
    store: SessionStore,
    principal: String,
    entry: SessionEntry,
}

impl TestSession {
    /// A session with these attributes. Anything but an object has none.
    pub fn new(attributes: Value) -> Self {
        let attributes = match attributes {
            Value::Object(attributes) => attributes,
            _ => Map::new(),
        };
        let state = State {
            attributes,
            ..State::default()
        };
        Self {
            shared: Arc::new(Shared(Mutex::new(state))),
        }
    }

    /// Gives it the public handle that a stored session has.
    #[must_use]
    pub fn with_handle(self, handle: &str) -> Self {
        self.shared.state().handle = Some(handle.to_owned());
        self
    }

    /// Makes it a session that `principal` has in `store`, where it stands as `entry`.
    pub(super) fn of(self, store: SessionStore, principal: &str, entry: SessionEntry) -> Self {
        let mut state = self.shared.state();
        state.handle = Some(entry.handle.clone());
        state.login = Some(Login {
            store,
            principal: principal.to_owned(),
            entry,
        });
        drop(state);
        self
    }

    /// The session as a plugin sees it, for [`TestExchange::with_session`](super::TestExchange::with_session).
    pub fn handle(&self) -> Session {
        Session::new(Arc::clone(&self.shared))
    }

    /// Whether it was asked for a fresh life.
    pub fn is_renewed(&self) -> bool {
        self.shared.state().is_renewed
    }

    /// Whether the request was only to look.
    pub fn is_peeked(&self) -> bool {
        self.shared.state().is_peeked
    }

    /// Whether a new id was asked for.
    pub fn is_regenerated(&self) -> bool {
        self.shared.state().is_regenerated
    }

    /// Whether its end was asked for.
    pub fn is_destroyed(&self) -> bool {
        self.shared.state().is_destroyed
    }

    /// The life that was asked for.
    pub fn expiry(&self) -> Option<Duration> {
        self.shared.state().expiry
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionObject for Shared {
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>)) {
        let state = self.state();
        let exact = state.attributes.get(path);
        let nested = || {
            let (name, rest) = path.split_once('.')?;
            rest.split('.')
                .try_fold(state.attributes.get(name)?, |value, step| value.get(step))
        };
        if let Some(value) = exact.or_else(nested) {
            Attribute::lend(value, visit);
        }
    }

    fn set(&self, name: &str, value: Value) -> Result<(), AttributeError> {
        if name.is_empty() {
            return Err(AttributeError);
        }
        self.state().attributes.insert(name.to_owned(), value);
        Ok(())
    }

    fn delete(&self, name: &str) -> bool {
        self.state().attributes.remove(name).is_some()
    }

    fn keys(&self) -> Vec<String> {
        self.state().attributes.keys().cloned().collect()
    }

    fn id(&self) -> Option<String> {
        None
    }

    fn handle(&self) -> Option<String> {
        self.state().handle.clone()
    }

    fn principal(&self) -> Option<String> {
        let state = self.state();
        state.login.as_ref().map(|login| login.principal.clone())
    }

    fn store(&self) -> Option<SessionStore> {
        let state = self.state();
        state.login.as_ref().map(|login| login.store.clone())
    }

    fn entry(&self) -> Option<SessionEntry> {
        let state = self.state();
        state.login.as_ref().map(|login| login.entry.clone())
    }

    fn fresh(&self) -> bool {
        false
    }

    fn renew(&self) -> bool {
        let mut state = self.state();
        state.is_renewed = state.login.is_some();
        state.is_renewed
    }

    fn peek(&self) {
        self.state().is_peeked = true;
    }

    fn regenerate(&self) {
        self.state().is_regenerated = true;
    }

    fn destroy(&self) {
        self.state().is_destroyed = true;
    }

    fn set_expiry(&self, life: Duration) {
        self.state().expiry = Some(life);
    }

    fn kept_by(&self) -> Option<String> {
        self.state().kept_by.clone()
    }

    fn reload(&self) -> Maybe<'_, Result<bool, Failure>> {
        let state = self.state();
        Maybe::Ready(Ok(!state.is_destroyed && !state.attributes.is_empty()))
    }

    fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        Maybe::Ready(Ok(()))
    }

    fn commit<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::Ready(Ok(()))
    }
}

impl fmt::Debug for TestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestSession(..)")
    }
}
