//! The request context: a host object that a plugin borrows for one phase.

use std::ffi::c_void;
use std::marker::PhantomData;

use abi_stable::StableAbi;
use abi_stable::std_types::{RResult, RString, RVec};

use super::View;
use super::future::RawMaybe;
use super::object::Object;
use super::session::RawSession;
use super::view::{Visit, visitor};
use crate::exchange::{Fact, HeaderError, Side};
use crate::failure::{Failure, Kind};
use crate::{Maybe, Session};

/// What the host can do with an exchange.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ExchangeTableRef, prefix_fields = ExchangeTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct ExchangeTable {
    /// A text about the request: see [`Fact`].
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

// === impl RawExchange: the side that calls ===

impl<'a> RawExchange<'a> {
    /// Lends `host` for a phase.
    pub(crate) fn new<H: ExchangeObject>(host: &'a mut H) -> Self {
        Self {
            object: std::ptr::from_mut(host).cast(),
            table: TableOf::<H>::TABLE,
            life: PhantomData,
        }
    }

    /// The same exchange for a shorter while.
    pub(crate) fn reborrow(&mut self) -> RawExchange<'_> {
        RawExchange {
            object: self.object,
            table: self.table,
            life: PhantomData,
        }
    }

    pub(crate) fn fact(&self, fact: Fact) -> Option<&str> {
        // SAFETY: `object` and `table` belong together (`new`); the view lives until the next `&mut self` call.
        unsafe { (self.table.fact())(self.object, fact as u8).text() }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        // SAFETY: as in `fact`; `name` is read during the call.
        unsafe { (self.table.parameter())(self.object, View::of(name.as_bytes())).text() }
    }

    pub(crate) fn header(&self, side: Side, name: u32, nth: u32) -> Option<&[u8]> {
        // SAFETY: as in `fact`.
        unsafe { (self.table.header())(self.object, side as u8, name, nth).bytes() }
    }

    pub(crate) fn each_header(&self, side: Side, mut visit: impl FnMut(&str, &[u8])) {
        let mut visit = |name: View, value: View| {
            // SAFETY: the host lends both views for the length of this call.
            if let (Some(name), Some(value)) = unsafe { (name.text(), value.bytes()) } {
                visit(name, value);
            }
        };
        let call = visitor(&visit);
        let context = std::ptr::from_mut(&mut visit).cast();
        // SAFETY: as in `fact`; `call` is the C form of the closure behind `context`.
        unsafe { (self.table.each_header())(self.object, side as u8, context, call) }
    }

    pub(crate) fn set_header(
        &mut self,
        side: Side,
        name: u32,
        value: &[u8],
    ) -> Result<(), HeaderError> {
        // SAFETY: as in `fact`; `&mut self` ends every borrowed view.
        let code =
            unsafe { (self.table.set_header())(self.object, side as u8, name, View::of(value)) };
        accepted(code)
    }

    pub(crate) fn append_header(
        &mut self,
        side: Side,
        name: u32,
        value: &[u8],
    ) -> Result<(), HeaderError> {
        // SAFETY: as in `set_header`.
        let code =
            unsafe { (self.table.append_header())(self.object, side as u8, name, View::of(value)) };
        accepted(code)
    }

    pub(crate) fn remove_header(&mut self, side: Side, name: u32) {
        // SAFETY: as in `set_header`.
        unsafe { (self.table.remove_header())(self.object, side as u8, name) }
    }

    pub(crate) fn set_query(&mut self, query: Option<&str>) -> Result<(), HeaderError> {
        let query = View::maybe(query.map(str::as_bytes));
        // SAFETY: as in `set_header`.
        accepted(unsafe { (self.table.set_query())(self.object, query) })
    }

    pub(crate) fn read_body(&mut self, limit: u64) -> Maybe<'_, Result<Vec<u8>, Failure>> {
        // SAFETY: as in `set_header`; the future borrows `self` for as long as it lives.
        let raw = unsafe { (self.table.read_body())(Object::lend(self.object), limit) };
        raw.into_maybe(lift)
    }

    pub(crate) fn respond(&mut self, status: u16, body: &[u8]) {
        // SAFETY: as in `set_header`.
        unsafe { (self.table.respond())(self.object, status, View::of(body)) }
    }

    pub(crate) fn status(&self) -> u16 {
        // SAFETY: as in `fact`.
        unsafe { (self.table.status())(self.object) }
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        // SAFETY: as in `fact`: null, or a session that the exchange keeps until `&mut self` is used.
        // `Session` is a transparent wrapper of `RawSession`.
        unsafe {
            (self.table.session())(self.object)
                .cast::<Session>()
                .as_ref()
        }
    }

    pub(crate) fn attach_session(&mut self, session: Session) {
        // SAFETY: as in `set_header`; the session is moved to the host.
        unsafe { (self.table.attach_session())(self.object, session.into_raw()) }
    }

    pub(crate) fn flag(&self, flag: u32) -> bool {
        // SAFETY: as in `fact`.
        unsafe { (self.table.flag())(self.object, flag) }
    }

    pub(crate) fn raise(&mut self, flag: u32) {
        // SAFETY: as in `set_header`.
        unsafe { (self.table.raise())(self.object, flag) }
    }

    pub(crate) fn request_id(&self) -> u64 {
        // SAFETY: as in `fact`.
        unsafe { (self.table.request_id())(self.object) }
    }
}

fn accepted(code: u8) -> Result<(), HeaderError> {
    if code == 0 { Ok(()) } else { Err(HeaderError) }
}

// === the side that implements ===

/// What stands behind an [`Exchange`](crate::Exchange): the gateway's own, or a test's. Its methods may panic only through a defect of the host.
pub trait ExchangeObject: Send + Sync + 'static {
    /// A text about the request.
    fn fact(&self, fact: Fact) -> Option<&str>;
    /// The value of a route parameter, as it stood in the path.
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

struct TableOf<H>(PhantomData<H>);

impl<H: ExchangeObject> TableOf<H> {
    const PREFIX: &'static abi_stable::prefix_type::WithMetadata<ExchangeTable> =
        &abi_stable::prefix_type::WithMetadata::new(ExchangeTable {
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
    const TABLE: ExchangeTableRef = ExchangeTableRef(Self::PREFIX.static_as_prefix());
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
        // SAFETY: `visit` is the C form of the closure behind `context`, lent for this call.
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
