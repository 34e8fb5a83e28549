//! Sessions where no middleware attached one.

use std::fmt;
use std::sync::Arc;

use super::Session;
use crate::raw::session::store::RawSessionStore;
use crate::{Exchange, Failure, Maybe};

/// A source of sessions, by the name of the middleware that publishes it.
#[derive(Clone)]
pub struct SessionStore {
    raw: RawSessionStore,
}

impl SessionStore {
    /// Wraps a session engine's own object.
    pub fn new(store: Arc<impl SessionStoreObject>) -> Self {
        Self {
            raw: RawSessionStore::new(store),
        }
    }

    pub(crate) fn from_raw(raw: RawSessionStore) -> Self {
        Self { raw }
    }

    pub(crate) fn into_raw(self) -> RawSessionStore {
        self.raw
    }

    /// The session that the request belongs to, or a fresh one. Does not attach it.
    ///
    /// # Errors
    /// [`Kind::UNAVAILABLE`](crate::failure::Kind::UNAVAILABLE) when the storage does not answer.
    pub fn load<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<Session, Failure>> {
        self.raw.load(exchange.into_raw())
    }

    /// Ends every session of the storage behind it and says how many there were.
    ///
    /// # Errors
    /// When the storage does not answer; some sessions may have ended then.
    pub fn reset(&self) -> Maybe<'_, Result<u64, Failure>> {
        self.raw.reset()
    }
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionStore(..)")
    }
}

/// What stands behind a [`SessionStore`].
pub trait SessionStoreObject: Send + Sync + 'static {
    /// [`SessionStore::load`].
    fn load<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<Session, Failure>>;
    /// [`SessionStore::reset`].
    fn reset(&self) -> Maybe<'_, Result<u64, Failure>>;
}
