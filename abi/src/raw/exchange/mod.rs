//! The request context: a host object that a plugin borrows for one phase.

mod call;
mod implement;

use std::ffi::c_void;
use std::marker::PhantomData;

use abi_stable::StableAbi;
use abi_stable::std_types::{RResult, RString, RVec};

pub use implement::ExchangeObject;

use super::future::RawMaybe;
use super::object::Object;
use super::session::RawSession;
use super::{View, Visit};
use crate::failure::{Failure, Kind};

/// What the host can do with an exchange.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ExchangeTableRef, prefix_fields = ExchangeTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct ExchangeTable {
    /// A text about the request: see [`Fact`](crate::exchange::Fact).
    pub fact: unsafe extern "C" fn(*const c_void, fact: u8) -> View,
    /// The value of a route parameter.
    pub parameter: unsafe extern "C" fn(*const c_void, name: View) -> View,
    /// The `nth` value of a header, by interned name.
    pub header: unsafe extern "C" fn(*const c_void, side: u8, name: u32, nth: u32) -> View,
    /// Visits every header as (name, value).
    pub each_header: unsafe extern "C" fn(*const c_void, side: u8, *mut c_void, Visit),
    /// Replaces all values of a header. 0 = done, 1 = not a header value.
    pub set_header: unsafe extern "C" fn(*mut c_void, side: u8, name: u32, value: View) -> u8,
    /// Adds a value to a header. 0 = done, 1 = not a header value.
    pub append_header: unsafe extern "C" fn(*mut c_void, side: u8, name: u32, value: View) -> u8,
    /// Removes all values of a header.
    pub remove_header: unsafe extern "C" fn(*mut c_void, side: u8, name: u32),
    /// Replaces the query that goes to the upstream; absent = no query. 0 = done, 1 = not a query.
    pub set_query: unsafe extern "C" fn(*mut c_void, query: View) -> u8,
    /// Reads the whole body, at most `limit` bytes, and leaves it in place for those who come later.
    pub read_body: for<'a> unsafe extern "C" fn(
        Object<'a>,
        limit: u64,
    ) -> RawMaybe<'a, RResult<RVec<u8>, RawFailure>>,
    /// Answers the request here.
    pub respond: unsafe extern "C" fn(*mut c_void, status: u16, body: View),
    /// The status of the response; 0 while there is none.
    pub status: unsafe extern "C" fn(*const c_void) -> u16,
    /// The session, or null. Valid until the exchange changes.
    pub session: unsafe extern "C" fn(*const c_void) -> *const RawSession,
    /// Makes `session` the session of the exchange.
    pub attach_session: unsafe extern "C" fn(*mut c_void, session: RawSession),
    /// Whether a flag is raised.
    pub flag: unsafe extern "C" fn(*const c_void, flag: u32) -> bool,
    /// Raises a flag.
    pub raise: unsafe extern "C" fn(*mut c_void, flag: u32),
    /// A number that the access log shows too.
    #[sabi(last_prefix_field)]
    pub request_id: unsafe extern "C" fn(*const c_void) -> u64,
}

/// An exchange as it crosses: the host's object and what can be done with it.
#[repr(C)]
#[derive(StableAbi)]
pub struct RawExchange<'a> {
    object: *mut c_void,
    table: ExchangeTableRef,
    life: PhantomData<&'a mut ()>,
}

// SAFETY: the object behind it is a `ExchangeObject: Send` that nobody else touches during the phase (`new`).
unsafe impl Send for RawExchange<'_> {}
// SAFETY: through a shared reference only functions on `*const` are reachable, and `ExchangeObject: Sync`.
unsafe impl Sync for RawExchange<'_> {}

/// What a failure is on its way across.
#[repr(C)]
#[derive(StableAbi)]
pub struct RawFailure {
    kind: u8,
    reason: RString,
    message: RString,
}

impl From<Failure> for RawFailure {
    fn from(failure: Failure) -> Self {
        Self {
            kind: failure.kind().code(),
            reason: failure.reason().into(),
            message: failure.message().into(),
        }
    }
}

impl From<RawFailure> for Failure {
    fn from(raw: RawFailure) -> Self {
        Self::from_parts(
            Kind::from_code(raw.kind),
            raw.reason.into(),
            raw.message.into(),
        )
    }
}

/// The one conversion of results that carry failures.
pub(crate) fn lower<T, R: From<T>>(
    outcome: Result<Result<T, Failure>, Failure>,
) -> RResult<R, RawFailure> {
    match outcome {
        Ok(Ok(value)) => RResult::ROk(R::from(value)),
        Ok(Err(failure)) | Err(failure) => RResult::RErr(failure.into()),
    }
}

/// The other direction of [`lower`].
pub(crate) fn lift<R, T: From<R>>(outcome: RResult<R, RawFailure>) -> Result<T, Failure> {
    match outcome {
        RResult::ROk(value) => Ok(T::from(value)),
        RResult::RErr(failure) => Err(failure.into()),
    }
}
