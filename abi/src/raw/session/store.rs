//! Session stores across the boundary.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::{RResult, RStr, RString};

use super::{RawSession, crossing, object};
use crate::raw::exchange::{RawExchange, RawFailure, lift};
use crate::raw::future::RawMaybe;
use crate::raw::guard::contain;
use crate::raw::object::{Object, release, retain, shared_handle};
use crate::session::{SessionEntry, SessionStoreObject, unsupported};
use crate::{Exchange, Failure, Maybe, Session};

/// What can be done with a session store.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = SessionStoreTableRef, prefix_fields = SessionStoreTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct SessionStoreTable {
    /// The session of an exchange.
    pub load: for<'a> unsafe extern "C" fn(
        *const c_void,
        RawExchange<'a>,
    ) -> RawMaybe<'a, RResult<RawSession, RawFailure>>,
    /// Ends every session.
    pub reset: for<'a> unsafe extern "C" fn(Object<'a>) -> RawMaybe<'a, RResult<u64, RawFailure>>,
    /// One more owner.
    pub retain: unsafe extern "C" fn(*const c_void),
    /// One owner less.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
    /// The live sessions of a principal: a list of [`SessionEntry`] as JSON, which may gain fields.
    #[sabi(missing_field(option))]
    pub sessions: for<'a> unsafe extern "C" fn(
        Object<'a>,
        principal: RStr<'a>,
    ) -> RawMaybe<'a, RResult<RString, RawFailure>>,
    /// Ends one session of a principal; says whether it was there.
    #[sabi(missing_field(option))]
    pub revoke: for<'a> unsafe extern "C" fn(
        Object<'a>,
        principal: RStr<'a>,
        handle: RStr<'a>,
    ) -> RawMaybe<'a, RResult<bool, RawFailure>>,
    /// Ends all sessions of a session's principal but itself; says how many.
    #[sabi(missing_field(option))]
    pub revoke_others: for<'a> unsafe extern "C" fn(
        Object<'a>,
        &'a RawSession,
    ) -> RawMaybe<'a, RResult<u64, RawFailure>>,
    /// Ends all sessions of a principal; says how many.
    #[sabi(missing_field(option))]
    pub revoke_all: for<'a> unsafe extern "C" fn(
        Object<'a>,
        principal: RStr<'a>,
    ) -> RawMaybe<'a, RResult<u64, RawFailure>>,
    /// Whether other processes see the same sessions.
    #[sabi(missing_field(option))]
    pub is_shared: unsafe extern "C" fn(*const c_void) -> bool,
}

shared_handle! {
    /// A session store as it crosses.
    RawSessionStore, SessionStoreTableRef
}

// === the side that calls ===

impl RawSessionStore {
    pub(crate) fn new<S: SessionStoreObject>(store: Arc<S>) -> Self {
        Self {
            object: Arc::into_raw(store).cast(),
            table: TableOf::<S>::TABLE,
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        let Some(is_shared) = self.table.is_shared() else {
            return true;
        };
        // SAFETY: `object` and `table` belong together.
        unsafe { is_shared(self.object) }
    }

    pub(crate) fn load<'a>(
        &'a self,
        exchange: RawExchange<'a>,
    ) -> Maybe<'a, Result<Session, Failure>> {
        // SAFETY: `object` and `table` belong together; `self` outlives the future.
        unsafe { (self.table.load())(self.object, exchange) }
            .into_maybe(|raw| lift::<RawSession, RawSession>(raw).map(Session::from_raw))
    }

    pub(crate) fn reset(&self) -> Maybe<'_, Result<u64, Failure>> {
        // SAFETY: as in `load`.
        unsafe { (self.table.reset())(Object::lend(self.object)) }.into_maybe(lift)
    }

    pub(crate) fn sessions<'a>(
        &'a self,
        principal: &'a str,
    ) -> Maybe<'a, Result<Vec<SessionEntry>, Failure>> {
        let Some(sessions) = self.table.sessions() else {
            return unsupported();
        };
        // SAFETY: as in `load`; `principal` outlives the future too.
        unsafe { sessions(Object::lend(self.object), principal.into()) }
            .into_maybe(|raw| parse(&lift::<RString, RString>(raw)?))
    }

    pub(crate) fn revoke<'a>(
        &'a self,
        principal: &'a str,
        handle: &'a str,
    ) -> Maybe<'a, Result<bool, Failure>> {
        let Some(revoke) = self.table.revoke() else {
            return unsupported();
        };
        // SAFETY: as in `sessions`.
        unsafe { revoke(Object::lend(self.object), principal.into(), handle.into()) }
            .into_maybe(lift)
    }

    pub(crate) fn revoke_others<'a>(
        &'a self,
        session: &'a RawSession,
    ) -> Maybe<'a, Result<u64, Failure>> {
        let Some(revoke_others) = self.table.revoke_others() else {
            return unsupported();
        };
        // SAFETY: as in `sessions`.
        unsafe { revoke_others(Object::lend(self.object), session) }.into_maybe(lift)
    }

    pub(crate) fn revoke_all<'a>(&'a self, principal: &'a str) -> Maybe<'a, Result<u64, Failure>> {
        let Some(revoke_all) = self.table.revoke_all() else {
            return unsupported();
        };
        // SAFETY: as in `sessions`.
        unsafe { revoke_all(Object::lend(self.object), principal.into()) }.into_maybe(lift)
    }
}

// === the side that implements ===

struct TableOf<S>(PhantomData<S>);

impl<S: SessionStoreObject> TableOf<S> {
    const PREFIX: &'static WithMetadata<SessionStoreTable> =
        &WithMetadata::new(SessionStoreTable {
            load: load::<S>,
            reset: reset::<S>,
            retain: retain::<S>,
            release: release::<S>,
            sessions: sessions::<S>,
            revoke: revoke::<S>,
            revoke_others: revoke_others::<S>,
            revoke_all: revoke_all::<S>,
            is_shared: is_shared::<S>,
        });
    const TABLE: SessionStoreTableRef = SessionStoreTableRef(Self::PREFIX.static_as_prefix());
}

unsafe extern "C" fn is_shared<S: SessionStoreObject>(store: *const c_void) -> bool {
    // SAFETY: called through the table of a live handle.
    let store = unsafe { object::<S>(store) };
    contain("session store is_shared", || store.is_shared()).unwrap_or(true)
}

unsafe extern "C" fn load<'a, S: SessionStoreObject>(
    store: *const c_void,
    exchange: RawExchange<'a>,
) -> RawMaybe<'a, RResult<RawSession, RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let store = unsafe { object::<'a, S>(store) };
    crossing("session store load", || {
        store
            .load(Exchange::from_raw(exchange))
            .map(|loaded| loaded.map(Session::into_raw))
    })
}

unsafe extern "C" fn reset<'a, S: SessionStoreObject>(
    store: Object<'a>,
) -> RawMaybe<'a, RResult<u64, RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let store = unsafe { store.get::<S>() };
    crossing("session store reset", || store.reset())
}

unsafe extern "C" fn sessions<'a, S: SessionStoreObject>(
    store: Object<'a>,
    principal: RStr<'a>,
) -> RawMaybe<'a, RResult<RString, RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let store = unsafe { store.get::<S>() };
    crossing("session store sessions", || {
        let listed = store.sessions(principal.as_str());
        listed.map(|listed| render(&listed?))
    })
}

unsafe extern "C" fn revoke<'a, S: SessionStoreObject>(
    store: Object<'a>,
    principal: RStr<'a>,
    handle: RStr<'a>,
) -> RawMaybe<'a, RResult<bool, RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let store = unsafe { store.get::<S>() };
    crossing("session store revoke", || {
        store.revoke(principal.as_str(), handle.as_str())
    })
}

unsafe extern "C" fn revoke_others<'a, S: SessionStoreObject>(
    store: Object<'a>,
    session: &'a RawSession,
) -> RawMaybe<'a, RResult<u64, RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let store = unsafe { store.get::<S>() };
    crossing("session store revoke_others", || {
        store.revoke_others(session.as_session())
    })
}

unsafe extern "C" fn revoke_all<'a, S: SessionStoreObject>(
    store: Object<'a>,
    principal: RStr<'a>,
) -> RawMaybe<'a, RResult<u64, RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let store = unsafe { store.get::<S>() };
    crossing("session store revoke_all", || {
        store.revoke_all(principal.as_str())
    })
}

fn render(entries: &[SessionEntry]) -> Result<String, Failure> {
    serde_json::to_string(entries).map_err(unreadable)
}

fn parse(entries: &str) -> Result<Vec<SessionEntry>, Failure> {
    serde_json::from_str(entries).map_err(unreadable)
}

fn unreadable(cause: serde_json::Error) -> Failure {
    Failure::internal(format!("the list of sessions did not cross: {cause}"))
}

#[cfg(test)]
mod tests {
    use abi_stable::prefix_type::PrefixRefTrait as _;

    use super::*;
    use crate::testing::{TestSession, wait};

    #[test]
    fn store_of_an_older_plugin_says_what_it_cannot_do() {
        let store = older::store();
        let session = TestSession::default().handle();

        let failures = [
            wait(store.sessions("anna")).unwrap_err(),
            wait(store.revoke("anna", "1")).unwrap_err(),
            wait(store.revoke_others(session.as_raw())).unwrap_err(),
            wait(store.revoke_all("anna")).unwrap_err(),
        ];

        assert_eq!(
            failures.each_ref().map(Failure::reason),
            ["not-supported"; 4]
        );
        assert_eq!(wait(store.reset()), Ok(7));
        assert!(store.is_shared());
    }

    #[test]
    fn engine_that_knows_no_principals_says_so() {
        let store = RawSessionStore::new(Arc::new(Plain));

        assert_eq!(
            wait(store.sessions("anna")).unwrap_err().reason(),
            "not-supported"
        );
    }

    #[test]
    fn panic_in_a_revocation_is_a_failure() {
        let store = RawSessionStore::new(Arc::new(Plain));

        let failure = wait(store.revoke_all("anna")).unwrap_err();

        assert_eq!(
            failure.message(),
            "session store revoke_all panicked: as asked"
        );
    }

    /// An engine without principals.
    struct Plain;

    impl SessionStoreObject for Plain {
        fn load<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<Session, Failure>> {
            Maybe::Ready(Ok(TestSession::default().handle()))
        }

        fn reset(&self) -> Maybe<'_, Result<u64, Failure>> {
            Maybe::Ready(Ok(7))
        }

        fn revoke_all<'a>(&'a self, _: &'a str) -> Maybe<'a, Result<u64, Failure>> {
            panic!("as asked")
        }
    }

    /// How session stores were before there were principals.
    #[expect(dead_code, reason = "the table is read in its newer form")]
    mod older {
        use super::*;

        #[repr(C)]
        #[derive(StableAbi)]
        #[sabi(kind(Prefix(prefix_ref = OlderTableRef, prefix_fields = OlderTablePrefix)))]
        #[sabi(missing_field(panic))]
        struct OlderTable {
            load: for<'a> unsafe extern "C" fn(
                *const c_void,
                RawExchange<'a>,
            )
                -> RawMaybe<'a, RResult<RawSession, RawFailure>>,
            reset:
                for<'a> unsafe extern "C" fn(Object<'a>) -> RawMaybe<'a, RResult<u64, RawFailure>>,
            retain: unsafe extern "C" fn(*const c_void),
            #[sabi(last_prefix_field)]
            release: unsafe extern "C" fn(*const c_void),
        }

        const TABLE: &WithMetadata<OlderTable> = &WithMetadata::new(OlderTable {
            load: load::<Plain>,
            reset: reset::<Plain>,
            retain: retain::<Plain>,
            release: release::<Plain>,
        });

        pub(super) fn store() -> RawSessionStore {
            let object = Arc::into_raw(Arc::new(Plain)).cast();
            // SAFETY: a table of today with nothing after its mandatory functions, as a library of that time has it.
            let table = unsafe { TABLE.static_as_prefix().cast() };
            RawSessionStore {
                object,
                table: SessionStoreTableRef::from_prefix_ref(table),
            }
        }
    }
}
