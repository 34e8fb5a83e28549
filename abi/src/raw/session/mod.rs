//! Sessions across the boundary: how one plugin works with the sessions of another.

pub mod store;

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::{ROption, RResult, RString};

use self::store::RawSessionStore;
use crate::raw::exchange::{RawExchange, RawFailure, lift, lower};
use crate::raw::future::RawMaybe;
use crate::raw::guard::contain;
use crate::raw::object::{Object, release, retain, shared_handle};
use crate::raw::view::{View, Visit, lend};
use crate::session::{Attribute, SessionEntry, SessionObject, Standing, unreloadable};
use crate::{Exchange, Failure, Maybe, Session, SessionStore};

/// What can be done with a session.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = SessionTableRef, prefix_fields = SessionTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct SessionTable {
    /// Visits the attribute at a path as (one byte of kind, bytes). Not called when there is none.
    pub read: unsafe extern "C" fn(*const c_void, path: View, *mut c_void, Visit),
    /// Sets an attribute to a JSON text. 0 = done, 1 = refused.
    pub set: unsafe extern "C" fn(*const c_void, name: View, json: View) -> u8,
    /// Removes an attribute; says whether it was there.
    pub delete: unsafe extern "C" fn(*const c_void, name: View) -> bool,
    /// Visits the name of every attribute.
    pub each_key: unsafe extern "C" fn(*const c_void, *mut c_void, Visit),
    /// The session id; none while there is no stored session.
    pub id: unsafe extern "C" fn(*const c_void) -> ROption<RString>,
    /// Whether the session began with this request.
    pub fresh: unsafe extern "C" fn(*const c_void) -> bool,
    /// Asks for a new id.
    pub regenerate: unsafe extern "C" fn(*const c_void),
    /// Asks for the end of the session.
    pub destroy: unsafe extern "C" fn(*const c_void),
    /// Sets the life of this session.
    pub set_expiry: unsafe extern "C" fn(*const c_void, milliseconds: u64),
    /// Stores what has changed, now.
    pub save: for<'a> unsafe extern "C" fn(Object<'a>) -> RawMaybe<'a, RResult<(), RawFailure>>,
    /// Stores what has changed and tells the client through the exchange's response.
    pub commit: for<'a> unsafe extern "C" fn(
        *const c_void,
        RawExchange<'a>,
    ) -> RawMaybe<'a, RResult<(), RawFailure>>,
    /// One more owner.
    pub retain: unsafe extern "C" fn(*const c_void),
    /// One owner less.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
    /// The public handle; none while there is no stored session.
    #[sabi(missing_field(option))]
    pub handle: unsafe extern "C" fn(*const c_void) -> ROption<RString>,
    /// Whom the stored session belongs to.
    #[sabi(missing_field(option))]
    pub principal: unsafe extern "C" fn(*const c_void) -> ROption<RString>,
    /// The store it is kept in.
    #[sabi(missing_field(option))]
    pub store: unsafe extern "C" fn(*const c_void) -> ROption<RawSessionStore>,
    /// A `SessionEntry` as JSON, which may gain fields; none while there is no stored session.
    #[sabi(missing_field(option))]
    pub entry: unsafe extern "C" fn(*const c_void) -> ROption<RString>,
    /// Asks for a new id with a time of grace for the old one; says whether it can be had.
    #[sabi(missing_field(option))]
    pub renew: unsafe extern "C" fn(*const c_void) -> bool,
    /// Takes this request for no use of the session.
    #[sabi(missing_field(option))]
    pub peek: unsafe extern "C" fn(*const c_void),
    /// Whether it still stands, as a code of `Standing`.
    #[sabi(missing_field(option))]
    pub standing: for<'a> unsafe extern "C" fn(Object<'a>) -> RawMaybe<'a, u8>,
    /// The name that its store is published under.
    #[sabi(missing_field(option))]
    pub kept_by: unsafe extern "C" fn(*const c_void) -> ROption<RString>,
    /// Asks the storage for what is stored now; says whether there is anything.
    #[sabi(missing_field(option))]
    pub reload: for<'a> unsafe extern "C" fn(Object<'a>) -> RawMaybe<'a, RResult<bool, RawFailure>>,
}

shared_handle! {
    /// A session as it crosses.
    RawSession, SessionTableRef
}

// === the side that calls ===

impl RawSession {
    pub(crate) fn new<S: SessionObject>(session: Arc<S>) -> Self {
        Self {
            object: Arc::into_raw(session).cast(),
            table: TableOf::<S>::TABLE,
        }
    }

    pub(crate) const fn as_session(&self) -> &Session {
        // SAFETY: `Session` is a transparent wrapper of `RawSession`.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    pub(crate) fn read(&self, path: &str, mut visit: impl FnMut(Attribute<'_>)) {
        let visit = |kind: View, bytes: View| {
            // SAFETY: both views are lent for the length of this call.
            let (kind, text) = unsafe { (kind.bytes(), bytes.text()) };
            if let (Some(&[kind]), Some(text)) = (kind, text)
                && let Some(attribute) = Attribute::from_parts(kind, text)
            {
                visit(attribute);
            }
        };
        let path = View::of(path.as_bytes());
        lend(visit, |context, call| {
            // SAFETY: `object` and `table` belong together; `context` and `call` were passed on together.
            unsafe { (self.table.read())(self.object, path, context, call) }
        });
    }

    pub(crate) fn set(&self, name: &str, json: &str) -> bool {
        let (name, json) = (View::of(name.as_bytes()), View::of(json.as_bytes()));
        // SAFETY: as in `read`; both are read during the call.
        unsafe { (self.table.set())(self.object, name, json) == 0 }
    }

    pub(crate) fn delete(&self, name: &str) -> bool {
        // SAFETY: as in `set`.
        unsafe { (self.table.delete())(self.object, View::of(name.as_bytes())) }
    }

    pub(crate) fn each_key(&self, mut visit: impl FnMut(&str)) {
        let visit = |name: View, _: View| {
            // SAFETY: lent for the length of this call.
            if let Some(name) = unsafe { name.text() } {
                visit(name);
            }
        };
        lend(visit, |context, call| {
            // SAFETY: as in `read`.
            unsafe { (self.table.each_key())(self.object, context, call) }
        });
    }

    pub(crate) fn id(&self) -> Option<String> {
        // SAFETY: as in `read`.
        unsafe { (self.table.id())(self.object) }
            .into_option()
            .map(RString::into_string)
    }

    pub(crate) fn handle(&self) -> Option<String> {
        // SAFETY: as in `read`.
        let handle = unsafe { (self.table.handle()?)(self.object) };
        handle.into_option().map(RString::into_string)
    }

    pub(crate) fn principal(&self) -> Option<String> {
        // SAFETY: as in `read`.
        let principal = unsafe { (self.table.principal()?)(self.object) };
        principal.into_option().map(RString::into_string)
    }

    pub(crate) fn store(&self) -> Option<RawSessionStore> {
        // SAFETY: as in `read`.
        unsafe { (self.table.store()?)(self.object) }.into_option()
    }

    pub(crate) fn entry(&self) -> Option<SessionEntry> {
        // SAFETY: as in `read`.
        let entry = unsafe { (self.table.entry()?)(self.object) };
        serde_json::from_str(&entry.into_option()?).ok()
    }

    pub(crate) fn renew(&self) -> bool {
        let Some(renew) = self.table.renew() else {
            return false;
        };
        // SAFETY: as in `read`.
        unsafe { renew(self.object) }
    }

    pub(crate) fn peek(&self) {
        if let Some(peek) = self.table.peek() {
            // SAFETY: as in `read`.
            unsafe { peek(self.object) }
        }
    }

    pub(crate) fn fresh(&self) -> bool {
        // SAFETY: as in `read`.
        unsafe { (self.table.fresh())(self.object) }
    }

    pub(crate) fn regenerate(&self) {
        // SAFETY: as in `read`.
        unsafe { (self.table.regenerate())(self.object) }
    }

    pub(crate) fn destroy(&self) {
        // SAFETY: as in `read`.
        unsafe { (self.table.destroy())(self.object) }
    }

    pub(crate) fn set_expiry(&self, life: Duration) {
        let milliseconds = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: as in `read`.
        unsafe { (self.table.set_expiry())(self.object, milliseconds) }
    }

    pub(crate) fn standing(&self) -> Maybe<'_, Standing> {
        let Some(standing) = self.table.standing() else {
            return Standing::Nobodys.into();
        };
        // SAFETY: as in `read`; `self` outlives the future.
        unsafe { standing(Object::lend(self.object)) }.into_maybe(Standing::from_code)
    }

    pub(crate) fn kept_by(&self) -> Option<String> {
        // SAFETY: as in `read`.
        let name = unsafe { (self.table.kept_by()?)(self.object) };
        name.into_option().map(RString::into_string)
    }

    pub(crate) fn reload(&self) -> Maybe<'_, Result<bool, Failure>> {
        let Some(reload) = self.table.reload() else {
            return unreloadable();
        };
        // SAFETY: as in `read`; `self` outlives the future.
        unsafe { reload(Object::lend(self.object)) }.into_maybe(lift)
    }

    pub(crate) fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        // SAFETY: as in `read`; `self` outlives the future.
        unsafe { (self.table.save())(Object::lend(self.object)) }.into_maybe(lift)
    }

    pub(crate) fn commit<'a>(
        &'a self,
        exchange: RawExchange<'a>,
    ) -> Maybe<'a, Result<(), Failure>> {
        // SAFETY: as in `save`.
        unsafe { (self.table.commit())(self.object, exchange) }.into_maybe(lift)
    }
}

// === the side that implements ===

struct TableOf<S>(PhantomData<S>);

impl<S: SessionObject> TableOf<S> {
    const PREFIX: &'static WithMetadata<SessionTable> = &WithMetadata::new(SessionTable {
        read: read::<S>,
        set: set::<S>,
        delete: delete::<S>,
        each_key: each_key::<S>,
        id: id::<S>,
        fresh: fresh::<S>,
        regenerate: regenerate::<S>,
        destroy: destroy::<S>,
        set_expiry: set_expiry::<S>,
        save: save::<S>,
        commit: commit::<S>,
        retain: retain::<S>,
        release: release::<S>,
        handle: handle::<S>,
        principal: principal::<S>,
        store: store::<S>,
        entry: entry::<S>,
        renew: renew::<S>,
        peek: peek::<S>,
        standing: standing::<S>,
        kept_by: kept_by::<S>,
        reload: reload::<S>,
    });
    const TABLE: SessionTableRef = SessionTableRef(Self::PREFIX.static_as_prefix());
}

/// # Safety
/// `object` must be a live `S` that outlives `'a`: the handle it was called through does.
unsafe fn object<'a, S>(object: *const c_void) -> &'a S {
    // SAFETY: the caller's promise.
    unsafe { &*object.cast() }
}

unsafe extern "C" fn read<S: SessionObject>(
    session: *const c_void,
    path: View,
    context: *mut c_void,
    visit: Visit,
) {
    // SAFETY: called through the table of a live handle; `path` is lent for the call.
    let (session, path) = unsafe { (object::<S>(session), path.text()) };
    let read = || {
        session.read(path.unwrap_or_default(), &mut |attribute| {
            let (kind, text) = attribute.parts();
            // SAFETY: `context` and `visit` came together, and are lent for this call.
            unsafe { visit.visit(context, View::of(&[kind]), View::of(text.as_bytes())) }
        });
    };
    crate::raw::guard::quietly("session read", read);
}

unsafe extern "C" fn set<S: SessionObject>(session: *const c_void, name: View, json: View) -> u8 {
    // SAFETY: called through the table of a live handle; both views are lent for the call.
    let (session, name, json) = unsafe { (object::<S>(session), name.text(), json.text()) };
    let set = || {
        let value = serde_json::from_str(json?).ok()?;
        session.set(name?, value).ok()
    };
    u8::from(!matches!(contain("session set", set), Ok(Some(()))))
}

unsafe extern "C" fn delete<S: SessionObject>(session: *const c_void, name: View) -> bool {
    // SAFETY: called through the table of a live handle; `name` is lent for the call.
    let (session, name) = unsafe { (object::<S>(session), name.text()) };
    contain("session delete", || {
        session.delete(name.unwrap_or_default())
    })
    .unwrap_or(false)
}

unsafe extern "C" fn each_key<S: SessionObject>(
    session: *const c_void,
    context: *mut c_void,
    visit: Visit,
) {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    crate::raw::guard::quietly("session keys", || {
        for name in session.keys() {
            // SAFETY: `context` and `visit` came together, and are lent for this call.
            unsafe { visit.visit(context, View::of(name.as_bytes()), View::ABSENT) }
        }
    });
}

unsafe extern "C" fn id<S: SessionObject>(session: *const c_void) -> ROption<RString> {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session id", || session.id())
        .ok()
        .flatten()
        .map(RString::from)
        .into()
}

unsafe extern "C" fn handle<S: SessionObject>(session: *const c_void) -> ROption<RString> {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session handle", || session.handle())
        .ok()
        .flatten()
        .map(RString::from)
        .into()
}

unsafe extern "C" fn principal<S: SessionObject>(session: *const c_void) -> ROption<RString> {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session principal", || session.principal())
        .ok()
        .flatten()
        .map(RString::from)
        .into()
}

unsafe extern "C" fn store<S: SessionObject>(session: *const c_void) -> ROption<RawSessionStore> {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session store", || session.store())
        .ok()
        .flatten()
        .map(SessionStore::into_raw)
        .into()
}

unsafe extern "C" fn entry<S: SessionObject>(session: *const c_void) -> ROption<RString> {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session entry", || {
        serde_json::to_string(&session.entry()?).ok()
    })
    .ok()
    .flatten()
    .map(RString::from)
    .into()
}

unsafe extern "C" fn renew<S: SessionObject>(session: *const c_void) -> bool {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session renew", || session.renew()).unwrap_or(false)
}

unsafe extern "C" fn peek<S: SessionObject>(session: *const c_void) {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    crate::raw::guard::quietly("session peek", || session.peek());
}

unsafe extern "C" fn fresh<S: SessionObject>(session: *const c_void) -> bool {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session fresh", || session.fresh()).unwrap_or(true)
}

unsafe extern "C" fn regenerate<S: SessionObject>(session: *const c_void) {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    crate::raw::guard::quietly("session regenerate", || session.regenerate());
}

unsafe extern "C" fn destroy<S: SessionObject>(session: *const c_void) {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    crate::raw::guard::quietly("session destroy", || session.destroy());
}

unsafe extern "C" fn set_expiry<S: SessionObject>(session: *const c_void, milliseconds: u64) {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    let life = Duration::from_millis(milliseconds);
    crate::raw::guard::quietly("session set_expiry", || session.set_expiry(life));
}

unsafe extern "C" fn standing<'a, S: SessionObject>(session: Object<'a>) -> RawMaybe<'a, u8> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let session = unsafe { session.get::<S>() };
    let entry = "session standing";
    match contain(entry, || session.standing()) {
        Ok(maybe) => RawMaybe::from_maybe(entry, maybe, standing_code),
        Err(failure) => RawMaybe::Ready(standing_code(Err(failure))),
    }
}

/// A panic says nothing about the session.
fn standing_code(standing: Result<Standing, Failure>) -> u8 {
    standing.unwrap_or(Standing::Good) as u8
}

unsafe extern "C" fn kept_by<S: SessionObject>(session: *const c_void) -> ROption<RString> {
    // SAFETY: called through the table of a live handle.
    let session = unsafe { object::<S>(session) };
    contain("session kept_by", || session.kept_by())
        .ok()
        .flatten()
        .map(RString::from)
        .into()
}

unsafe extern "C" fn reload<'a, S: SessionObject>(
    session: Object<'a>,
) -> RawMaybe<'a, RResult<bool, RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let session = unsafe { session.get::<S>() };
    crossing("session reload", || session.reload())
}

unsafe extern "C" fn save<'a, S: SessionObject>(
    session: Object<'a>,
) -> RawMaybe<'a, RResult<(), RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let session = unsafe { session.get::<S>() };
    crossing("session save", || session.save())
}

unsafe extern "C" fn commit<'a, S: SessionObject>(
    session: *const c_void,
    exchange: RawExchange<'a>,
) -> RawMaybe<'a, RResult<(), RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let session = unsafe { object::<'a, S>(session) };
    crossing("session commit", || {
        session.commit(Exchange::from_raw(exchange))
    })
}

/// Runs an entry point whose result carries a failure.
pub(crate) fn crossing<'a, T: Send + 'a, R: From<T> + Send + 'a>(
    entry: &'static str,
    call: impl FnOnce() -> Maybe<'a, Result<T, Failure>>,
) -> RawMaybe<'a, RResult<R, RawFailure>> {
    match contain(entry, call) {
        Ok(maybe) => RawMaybe::from_maybe(entry, maybe, lower),
        Err(failure) => RawMaybe::Ready(RResult::RErr(failure.into())),
    }
}
