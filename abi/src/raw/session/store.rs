//! Session stores across the boundary.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::RResult;

use super::{RawSession, crossing, object};
use crate::raw::exchange::{RawExchange, RawFailure, lift};
use crate::raw::future::RawMaybe;
use crate::raw::object::{Object, release, retain, shared_handle};
use crate::session::SessionStoreObject;
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
        });
    const TABLE: SessionStoreTableRef = SessionStoreTableRef(Self::PREFIX.static_as_prefix());
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
