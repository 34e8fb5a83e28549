//! The session of a visitor, usable from every plugin.
//!
//! [`Session`] is what a plugin works with: `session.so` attaches one to the exchange, and a login middleware in
//! another library sets `user_id` in it. [`SessionStore`] loads sessions where no middleware did. The two traits are
//! the other side, for a plugin that brings a session engine of its own.

mod attribute;
mod entry;
mod standing;
mod store;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub use attribute::{Attribute, AttributeError};
pub use entry::SessionEntry;
pub use standing::Standing;
pub(crate) use store::unsupported;
pub use store::{SessionStore, SessionStoreObject};

use crate::failure::Kind;
use crate::raw::session::RawSession;
use crate::{Exchange, Failure, Maybe};

/// A session. Cloning it gives another handle to the same one.
///
/// Reading and changing never waits: changes are collected, and the middleware that attached the session stores them
/// in the response phase, before the client hears of them. Two requests that change different attributes at once
/// both succeed; of two that change the same one, the last to be stored wins.
#[repr(transparent)]
#[derive(Clone)]
pub struct Session {
    raw: RawSession,
}

impl Session {
    /// Wraps a session engine's own object.
    pub fn new(session: Arc<impl SessionObject>) -> Self {
        Self {
            raw: RawSession::new(session),
        }
    }

    pub(crate) fn from_raw(raw: RawSession) -> Self {
        Self { raw }
    }

    pub(crate) fn into_raw(self) -> RawSession {
        self.raw
    }

    pub(crate) const fn as_raw(&self) -> &RawSession {
        &self.raw
    }

    /// The attribute called `name`; `None` when there is none.
    pub fn get(&self, name: &str) -> Option<Value> {
        let mut found = None;
        self.read(name, |attribute| found = Some(attribute.to_value()));
        found
    }

    /// Visits the attribute at `path` without copying it. An attribute of exactly this name comes first; otherwise
    /// dots lead into objects: `user.address.city`. Not called when there is none or it is `null`.
    ///
    /// The session is locked meanwhile: `visit` must not use it.
    pub fn read(&self, path: &str, visit: impl FnMut(Attribute<'_>)) {
        self.raw.read(path, visit);
    }

    /// Sets an attribute. Setting what names the user (`user_id`) gives the session a new id.
    ///
    /// # Errors
    /// When the session refuses it; nothing is changed then.
    pub fn set(&self, name: &str, value: impl Into<Value>) -> Result<(), AttributeError> {
        let json = value.into().to_string();
        if self.raw.set(name, &json) {
            Ok(())
        } else {
            Err(AttributeError)
        }
    }

    /// Removes an attribute and says whether it was there.
    pub fn delete(&self, name: &str) -> bool {
        self.raw.delete(name)
    }

    /// The names of all attributes, in no particular order.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        self.raw.each_key(|name| keys.push(name.to_owned()));
        keys
    }

    /// The session id; `None` while nothing is stored.
    ///
    /// # Security
    /// Whoever holds this is the user. Never log it, never send it anywhere but to this client.
    pub fn id(&self) -> Option<String> {
        self.raw.id()
    }

    /// The public handle: what [`SessionStore::sessions`] lists this session by and [`SessionStore::revoke`] ends it by.
    /// It stays the same when the id changes, and another login has another. `None` while nothing is stored, and in an
    /// engine that knows no principals.
    ///
    /// Nothing can be done with it that does not also take the principal; it may be shown to the user it belongs to.
    pub fn handle(&self) -> Option<String> {
        self.raw.handle()
    }

    /// Whom the stored session belongs to: the value of the attribute that names the user (`user_id`, unless the
    /// middleware was told otherwise), as [`SessionStore`] takes it. `None` for a visitor, while a login is not stored yet,
    /// and in an engine that knows no principals.
    pub fn principal(&self) -> Option<String> {
        self.raw.principal()
    }

    /// The store that this session is kept in. `None` in an engine older than this function.
    pub fn store(&self) -> Option<SessionStore> {
        self.raw.store().map(SessionStore::from_raw)
    }

    /// The stored session with its clocks, as it would stand in a list, but without what only the list knows: where the
    /// login came from. `None` while nothing is stored, and in an engine older than this function.
    pub fn entry(&self) -> Option<SessionEntry> {
        self.raw.entry()
    }

    /// Whether this session began with this request: no valid session came with it.
    pub fn fresh(&self) -> bool {
        self.raw.fresh()
    }

    /// Gives the session a new id when it is stored; the old one is dead at once, without a time of grace. To be
    /// called at each change of what the session may do. Together with a write of the attribute that names the user it is
    /// a login, also of who was logged in before: a session of its own, whose life begins.
    pub fn regenerate(&self) {
        self.raw.regenerate();
    }

    /// Gives the session a new id and a fresh life when it is stored, as if it were due for renewal: the old id works on
    /// for the configured time of grace. False, and nothing happens, when there is no stored session, when no response
    /// could carry a new id to the client, and in an engine older than this function.
    pub fn renew(&self) -> bool {
        self.raw.renew()
    }

    /// This request only looks: it does not count as use of the session, nor does it renew one that is due.
    pub fn peek(&self) {
        self.raw.peek();
    }

    /// Ends the session. Nothing that is set afterwards is stored.
    pub fn destroy(&self) {
        self.raw.destroy();
    }

    /// Sets how long this session lives from its next store on, in place of the configured time.
    pub fn set_expiry(&self, life: Duration) {
        self.raw.set_expiry(life);
    }

    /// Whether the session still stands, long after the request that it came with: what a gateway asks before it goes on
    /// with a stream. Ids may have changed meanwhile; asking is no use of the session, and usually takes no waiting.
    ///
    /// An engine older than this function knows of nothing that could end.
    pub fn standing(&self) -> Maybe<'_, Standing> {
        self.raw.standing()
    }

    /// The name under which the store that keeps this session is published: that of its middleware. `None` in an engine
    /// older than this function.
    pub fn kept_by(&self) -> Option<String> {
        self.raw.kept_by()
    }

    /// Asks the storage for what is stored now, never a copy: what others have stored meanwhile is seen from now on, and
    /// what was changed here stays changed. False when nothing is stored, or not any more.
    ///
    /// # Errors
    /// When the storage does not answer, now or when the session was looked for: an outage is no visitor without a
    /// session. `not-supported` in an engine older than this function.
    pub fn reload(&self) -> Maybe<'_, Result<bool, Failure>> {
        self.raw.reload()
    }

    /// Stores what has changed now, instead of in the response phase.
    ///
    /// # Errors
    /// When the storage does not answer, or the session was ended meanwhile.
    pub fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        self.raw.save()
    }

    /// Stores what has changed and writes the cookie into the exchange's response. Needed only on a route without the
    /// middleware that does this by itself, after [`SessionStore::load`].
    ///
    /// # Errors
    /// As for [`save`](Self::save).
    pub fn commit<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        self.raw.commit(exchange.into_raw())
    }
}

/// Never shows anything of the session.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(..)")
    }
}

/// What stands behind a [`Session`]. The methods mean what those of `Session` mean. Those that came later have bodies:
/// an engine written before them compiles and loads as it did.
pub trait SessionObject: Send + Sync + 'static {
    /// [`Session::read`].
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>));
    /// [`Session::set`].
    ///
    /// # Errors
    /// When the attribute is refused.
    fn set(&self, name: &str, value: Value) -> Result<(), AttributeError>;
    /// [`Session::delete`].
    fn delete(&self, name: &str) -> bool;
    /// [`Session::keys`].
    fn keys(&self) -> Vec<String>;
    /// [`Session::id`].
    fn id(&self) -> Option<String>;
    /// [`Session::handle`]. An engine that knows no principals leaves it at `None`.
    fn handle(&self) -> Option<String> {
        None
    }
    /// [`Session::principal`]. An engine that knows no principals leaves it at `None`.
    fn principal(&self) -> Option<String> {
        None
    }
    /// [`Session::store`].
    fn store(&self) -> Option<SessionStore> {
        None
    }
    /// [`Session::entry`].
    fn entry(&self) -> Option<SessionEntry> {
        None
    }
    /// [`Session::fresh`].
    fn fresh(&self) -> bool;
    /// [`Session::regenerate`].
    fn regenerate(&self);
    /// [`Session::renew`].
    fn renew(&self) -> bool {
        false
    }
    /// [`Session::peek`]. An engine that writes no use down leaves it empty.
    fn peek(&self) {}
    /// [`Session::destroy`].
    fn destroy(&self);
    /// [`Session::set_expiry`].
    fn set_expiry(&self, life: Duration);
    /// [`Session::standing`]. An engine that cannot say leaves it at nothing that could end.
    fn standing(&self) -> Maybe<'_, Standing> {
        Standing::Nobodys.into()
    }
    /// [`Session::kept_by`].
    fn kept_by(&self) -> Option<String> {
        None
    }
    /// [`Session::reload`]. An engine that cannot leaves it failing as `not-supported`.
    fn reload(&self) -> Maybe<'_, Result<bool, Failure>> {
        unreloadable()
    }
    /// [`Session::save`].
    fn save(&self) -> Maybe<'_, Result<(), Failure>>;
    /// [`Session::commit`].
    fn commit<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>>;
}

/// What a session answers whose engine was built before it could be asked.
pub(crate) fn unreloadable<'a>() -> Maybe<'a, Result<bool, Failure>> {
    let message = "the plugin behind this session cannot load it again";
    Maybe::Ready(Err(Failure::new(Kind::INTERNAL, "not-supported", message)))
}
