//! The side that implements: an exchange of the gateway, or of a test.

use std::ffi::c_void;
use std::marker::PhantomData;

use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::{RResult, RVec};

use super::{ExchangeTable, ExchangeTableRef, RawFailure, lower};
use crate::exchange::{Fact, HeaderError, Side};
use crate::raw::future::RawMaybe;
use crate::raw::object::Object;
use crate::raw::session::RawSession;
use crate::raw::{View, Visit};
use crate::{Failure, Maybe, Session};

/// What stands behind an [`Exchange`](crate::Exchange): the gateway's own, or a test's. Its methods may panic only through a defect of the host.
pub trait ExchangeObject: Send + Sync + 'static {
    /// A text about the request.
    fn fact(&self, fact: Fact) -> Option<&str>;
    /// The value of a route parameter, as it stands in the path.
    fn parameter(&self, name: &str) -> Option<&str>;
    /// The `nth` value of an interned header.
    fn header(&self, side: Side, name: u32, nth: u32) -> Option<&[u8]>;
    /// Visits every header.
    fn each_header(&self, side: Side, visit: &mut dyn FnMut(&str, &[u8]));
    /// Replaces a header.
    fn set_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError>;
    /// Adds a value to a header.
    fn append_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError>;
    /// Removes a header.
    fn remove_header(&mut self, side: Side, name: u32);
    /// Replaces the query that goes to the upstream.
    fn set_query(&mut self, query: Option<&str>) -> Result<(), HeaderError>;
    /// Reads the body and leaves it in place.
    fn read_body(&mut self, limit: u64) -> Maybe<'_, Result<Vec<u8>, Failure>>;
    /// Answers the request here.
    fn respond(&mut self, status: u16, body: &[u8]);
    /// The status of the response; 0 while there is none.
    fn status(&self) -> u16;
    /// The session of the exchange.
    fn session(&self) -> Option<&Session>;
    /// Makes `session` the session of the exchange.
    fn attach_session(&mut self, session: Session);
    /// Whether a flag is raised.
    fn flag(&self, flag: u32) -> bool;
    /// Raises a flag.
    fn raise(&mut self, flag: u32);
    /// The number of the request.
    fn request_id(&self) -> u64;
}

pub(super) struct TableOf<H>(PhantomData<H>);

impl<H: ExchangeObject> TableOf<H> {
    const PREFIX: &'static WithMetadata<ExchangeTable> = &WithMetadata::new(ExchangeTable {
        fact: fact::<H>,
        parameter: parameter::<H>,
        header: header::<H>,
        each_header: each_header::<H>,
        set_header: set_header::<H>,
        append_header: append_header::<H>,
        remove_header: remove_header::<H>,
        set_query: set_query::<H>,
        read_body: read_body::<H>,
        respond: respond::<H>,
        status: status::<H>,
        session: session::<H>,
        attach_session: attach_session::<H>,
        flag: flag::<H>,
        raise: raise::<H>,
        request_id: request_id::<H>,
    });
    pub(super) const TABLE: ExchangeTableRef = ExchangeTableRef(Self::PREFIX.static_as_prefix());
}

// Every function below gets the object that `RawExchange::new::<H>` was made of, during the phase it was lent for.
// The host is trusted not to panic here: a panic aborts with a message, as it does anywhere in `extern "C"`.

macro_rules! shared {
    ($object:ident) => {
        // SAFETY: see above: a live `H`, not mutated while this call runs.
        unsafe { &*$object.cast::<H>() }
    };
}

macro_rules! exclusive {
    ($object:ident) => {
        // SAFETY: see above: a live `H`, and the caller holds the exchange exclusively.
        unsafe { &mut *$object.cast::<H>() }
    };
}

unsafe extern "C" fn fact<H: ExchangeObject>(object: *const c_void, fact: u8) -> View {
    let Some(fact) = Fact::from_code(fact) else {
        return View::ABSENT;
    };
    View::maybe(shared!(object).fact(fact).map(str::as_bytes))
}

unsafe extern "C" fn parameter<H: ExchangeObject>(object: *const c_void, name: View) -> View {
    // SAFETY: the caller lends `name` for this call.
    let name = unsafe { name.text() }.unwrap_or_default();
    View::maybe(shared!(object).parameter(name).map(str::as_bytes))
}

unsafe extern "C" fn header<H: ExchangeObject>(
    object: *const c_void,
    side: u8,
    name: u32,
    nth: u32,
) -> View {
    View::maybe(shared!(object).header(Side::from_code(side), name, nth))
}

unsafe extern "C" fn each_header<H: ExchangeObject>(
    object: *const c_void,
    side: u8,
    context: *mut c_void,
    visit: Visit,
) {
    shared!(object).each_header(Side::from_code(side), &mut |name, value| {
        // SAFETY: `context` and `visit` came together, and are lent for this call.
        unsafe { visit.visit(context, View::of(name.as_bytes()), View::of(value)) }
    });
}

unsafe extern "C" fn set_header<H: ExchangeObject>(
    object: *mut c_void,
    side: u8,
    name: u32,
    value: View,
) -> u8 {
    // SAFETY: the caller lends `value` for this call.
    let value = unsafe { value.bytes() }.unwrap_or_default();
    u8::from(
        exclusive!(object)
            .set_header(Side::from_code(side), name, value)
            .is_err(),
    )
}

unsafe extern "C" fn append_header<H: ExchangeObject>(
    object: *mut c_void,
    side: u8,
    name: u32,
    value: View,
) -> u8 {
    // SAFETY: the caller lends `value` for this call.
    let value = unsafe { value.bytes() }.unwrap_or_default();
    u8::from(
        exclusive!(object)
            .append_header(Side::from_code(side), name, value)
            .is_err(),
    )
}

unsafe extern "C" fn remove_header<H: ExchangeObject>(object: *mut c_void, side: u8, name: u32) {
    exclusive!(object).remove_header(Side::from_code(side), name);
}

unsafe extern "C" fn set_query<H: ExchangeObject>(object: *mut c_void, query: View) -> u8 {
    // SAFETY: the caller lends `query` for this call.
    let query = unsafe { query.text() };
    u8::from(exclusive!(object).set_query(query).is_err())
}

unsafe extern "C" fn read_body<'a, H: ExchangeObject>(
    object: Object<'a>,
    limit: u64,
) -> RawMaybe<'a, RResult<RVec<u8>, RawFailure>> {
    // SAFETY: a live `H`, held exclusively for `'a` by the future that is returned.
    let host = unsafe { object.exclusive::<H>() };
    RawMaybe::from_maybe("read_body", host.read_body(limit), lower)
}

unsafe extern "C" fn respond<H: ExchangeObject>(object: *mut c_void, status: u16, body: View) {
    // SAFETY: the caller lends `body` for this call.
    let body = unsafe { body.bytes() }.unwrap_or_default();
    exclusive!(object).respond(status, body);
}

unsafe extern "C" fn status<H: ExchangeObject>(object: *const c_void) -> u16 {
    shared!(object).status()
}

unsafe extern "C" fn session<H: ExchangeObject>(object: *const c_void) -> *const RawSession {
    shared!(object)
        .session()
        .map_or(std::ptr::null(), |session| {
            std::ptr::from_ref(session).cast()
        })
}

unsafe extern "C" fn attach_session<H: ExchangeObject>(object: *mut c_void, session: RawSession) {
    exclusive!(object).attach_session(Session::from_raw(session));
}

unsafe extern "C" fn flag<H: ExchangeObject>(object: *const c_void, flag: u32) -> bool {
    shared!(object).flag(flag)
}

unsafe extern "C" fn raise<H: ExchangeObject>(object: *mut c_void, flag: u32) {
    exclusive!(object).raise(flag);
}

unsafe extern "C" fn request_id<H: ExchangeObject>(object: *const c_void) -> u64 {
    shared!(object).request_id()
}
