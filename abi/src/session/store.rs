//! Sessions where no middleware attached one.

use std::fmt;
use std::sync::Arc;

use super::{Session, SessionEntry};
use crate::failure::Kind;
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

    /// Whether other processes see the same sessions: false where they live in the memory of this one. True also in an
    /// engine older than this function, which cannot tell.
    pub fn is_shared(&self) -> bool {
        self.raw.is_shared()
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

    /// The live sessions of a principal, newest login first: those whose attribute that names the user (`user_id`,
    /// unless the middleware was told otherwise) has this value. An unknown principal has none.
    ///
    /// # Errors
    /// [`Kind::UNAVAILABLE`] when the storage does not answer; `not-supported` when the plugin behind this store was
    /// built before there was such a list.
    ///
    /// # Security
    /// Whoever calls this has checked that the list is shown to the principal, or to somebody who may see it.
    pub fn sessions<'a>(
        &'a self,
        principal: &'a str,
    ) -> Maybe<'a, Result<Vec<SessionEntry>, Failure>> {
        self.raw.sessions(principal)
    }

    /// Ends the session that a principal's list has under `handle`. From then on it is refused, wherever it is used.
    /// False when there is no such session, be it over or somebody else's: ending is repeatable.
    ///
    /// # Errors
    /// As for [`sessions`](Self::sessions). The session may live on then: say so, and try again.
    pub fn revoke<'a>(
        &'a self,
        principal: &'a str,
        handle: &'a str,
    ) -> Maybe<'a, Result<bool, Failure>> {
        self.raw.revoke(principal, handle)
    }

    /// Ends all sessions of a session's principal but this one, at once, and says how many there were. A new login
    /// meanwhile is ended or not, as if it came before or after.
    ///
    /// # Errors
    /// [`Kind::UNAUTHORIZED`] when the session is not stored, has ended or has no principal, or when its principal
    /// has been set and not yet stored: nothing is ended then. Otherwise as for [`revoke`](Self::revoke).
    pub fn revoke_others<'a>(&'a self, session: &'a Session) -> Maybe<'a, Result<u64, Failure>> {
        self.raw.revoke_others(session.as_raw())
    }

    /// Ends all sessions of a principal, at once, and says how many there were: a password was changed, an account
    /// was closed.
    ///
    /// # Errors
    /// As for [`revoke`](Self::revoke).
    pub fn revoke_all<'a>(&'a self, principal: &'a str) -> Maybe<'a, Result<u64, Failure>> {
        self.raw.revoke_all(principal)
    }
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionStore(..)")
    }
}

/// What stands behind a [`SessionStore`]. The methods mean what those of `SessionStore` mean. Those that came later have
/// bodies, which fail as `not-supported`: an engine written before them compiles and loads as it did.
pub trait SessionStoreObject: Send + Sync + 'static {
    /// [`SessionStore::is_shared`].
    fn is_shared(&self) -> bool {
        true
    }
    /// [`SessionStore::load`].
    fn load<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<Session, Failure>>;
    /// [`SessionStore::reset`].
    fn reset(&self) -> Maybe<'_, Result<u64, Failure>>;
    /// [`SessionStore::sessions`].
    fn sessions<'a>(
        &'a self,
        _principal: &'a str,
    ) -> Maybe<'a, Result<Vec<SessionEntry>, Failure>> {
        unsupported()
    }
    /// [`SessionStore::revoke`].
    fn revoke<'a>(
        &'a self,
        _principal: &'a str,
        _handle: &'a str,
    ) -> Maybe<'a, Result<bool, Failure>> {
        unsupported()
    }
    /// [`SessionStore::revoke_others`]. The session may be another engine's: what it says of itself is a claim.
    fn revoke_others<'a>(&'a self, _session: &'a Session) -> Maybe<'a, Result<u64, Failure>> {
        unsupported()
    }
    /// [`SessionStore::revoke_all`].
    fn revoke_all<'a>(&'a self, _principal: &'a str) -> Maybe<'a, Result<u64, Failure>> {
        unsupported()
    }
}

/// What a store answers that was built before there were principals.
pub(crate) fn unsupported<'a, T>() -> Maybe<'a, Result<T, Failure>> {
    let message = "the plugin behind this session store cannot list or end the sessions of a user";
    Maybe::Ready(Err(Failure::new(Kind::INTERNAL, "not-supported", message)))
}
