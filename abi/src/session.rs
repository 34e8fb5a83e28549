//! The session of a visitor, usable from every plugin.
//!
//! [`Session`] is what a plugin works with: `session.so` attaches one to the exchange, and a login middleware in
//! another library sets `user_id` in it. [`SessionStore`] loads sessions where no middleware did. The two traits are
//! the other side, for a plugin that brings a session engine of its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::raw::session::{RawSession, RawSessionStore};
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

/// A source of sessions, by the name of the middleware that publishes it.
#[derive(Clone)]
pub struct SessionStore {
    raw: RawSessionStore,
}

/// The value of an attribute, borrowed while it is visited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Attribute<'a> {
    /// A text, unescaped.
    Text(&'a str),
    /// A number, as it stands in JSON.
    Number(&'a str),
    /// `true` or `false`.
    Flag(bool),
    /// A list, as JSON.
    List(&'a str),
    /// An object, as JSON.
    Object(&'a str),
}

/// The attribute was refused: its name is empty, or the session would become larger than allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the session does not take this attribute")]
pub struct AttributeError;

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

    /// Whether this session began with this request: no valid session came with it.
    pub fn fresh(&self) -> bool {
        self.raw.fresh()
    }

    /// Gives the session a new id when it is stored; the old one is dead at once, without a time of grace. To be
    /// called at each change of what the session may do.
    pub fn regenerate(&self) {
        self.raw.regenerate();
    }

    /// Ends the session. Nothing that is set afterwards is stored.
    pub fn destroy(&self) {
        self.raw.destroy();
    }

    /// Sets how long this session lives from its next store on, in place of the configured time.
    pub fn set_expiry(&self, life: Duration) {
        self.raw.set_expiry(life);
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

impl Attribute<'_> {
    /// Lends a JSON value as an attribute: how a [`SessionObject`] answers a read. `null` is no attribute.
    pub fn lend(value: &Value, visit: impl FnOnce(Attribute<'_>)) {
        match value {
            Value::Null => {}
            Value::String(text) => visit(Attribute::Text(text)),
            Value::Bool(flag) => visit(Attribute::Flag(*flag)),
            Value::Number(number) => visit(Attribute::Number(&number.to_string())),
            list @ Value::Array(_) => visit(Attribute::List(&list.to_string())),
            object @ Value::Object(_) => visit(Attribute::Object(&object.to_string())),
        }
    }

    /// A copy that outlives the visit.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(*text),
            Self::Flag(flag) => Value::from(*flag),
            Self::Number(json) | Self::List(json) | Self::Object(json) => {
                serde_json::from_str(json).unwrap_or(Value::Null)
            }
        }
    }

    pub(crate) const fn parts(&self) -> (u8, &str) {
        match self {
            Self::Text(text) => (0, text),
            Self::Number(json) => (1, json),
            Self::Flag(false) => (2, ""),
            Self::Flag(true) => (3, ""),
            Self::List(json) => (4, json),
            Self::Object(json) => (5, json),
        }
    }
}

impl<'a> Attribute<'a> {
    pub(crate) const fn from_parts(kind: u8, text: &'a str) -> Option<Self> {
        Some(match kind {
            0 => Self::Text(text),
            1 => Self::Number(text),
            2 => Self::Flag(false),
            3 => Self::Flag(true),
            4 => Self::List(text),
            5 => Self::Object(text),
            _ => return None,
        })
    }
}

/// What stands behind a [`Session`]. The methods mean what those of `Session` mean.
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
    /// [`Session::fresh`].
    fn fresh(&self) -> bool;
    /// [`Session::regenerate`].
    fn regenerate(&self);
    /// [`Session::destroy`].
    fn destroy(&self);
    /// [`Session::set_expiry`].
    fn set_expiry(&self, life: Duration);
    /// [`Session::save`].
    fn save(&self) -> Maybe<'_, Result<(), Failure>>;
    /// [`Session::commit`].
    fn commit<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>>;
}

/// What stands behind a [`SessionStore`].
pub trait SessionStoreObject: Send + Sync + 'static {
    /// [`SessionStore::load`].
    fn load<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<Session, Failure>>;
    /// [`SessionStore::reset`].
    fn reset(&self) -> Maybe<'_, Result<u64, Failure>>;
}
