//! What the gateway offers a plugin at start.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::ROption;

use super::event_loop::RawEventLoop;
use super::histogram::RawHistogram;
use super::object::{release, retain, shared_handle};
use super::session::store::RawSessionStore;
use super::storage::RawStorage;
use super::trace::TraceTableRef;
use super::view::lend;
use super::{View, Visit};
use crate::exchange::Side;
use crate::services::{Histogram, Purpose, ServicesError};
use crate::storage::StorageHandle;
use crate::{EventLoop, SessionStore};

/// What the gateway can do for a plugin. All of it belongs to start-up; nothing here is fast.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ServicesTableRef, prefix_fields = ServicesTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct ServicesTable {
    /// Interns a header name; `u32::MAX` = not a header name.
    pub header: unsafe extern "C" fn(*const c_void, name: View) -> u32,
    /// Interns a flag; `u32::MAX` = too many.
    pub flag: unsafe extern "C" fn(*const c_void, name: View) -> u32,
    /// Reserves a header; false = not a header name.
    pub reserve: unsafe extern "C" fn(*const c_void, side: u8, name: View) -> bool,
    /// A counter: name, help, labels as `key=value` lines. Never null, lives for ever.
    pub counter:
        unsafe extern "C" fn(*const c_void, name: View, help: View, labels: View) -> *const u64,
    /// The storage that `storages.yaml` calls so.
    pub storage: unsafe extern "C" fn(*const c_void, name: View) -> ROption<RawStorage>,
    /// Visits the name of every storage.
    pub each_storage: unsafe extern "C" fn(*const c_void, *mut c_void, Visit),
    /// The session store that a middleware published under this name.
    pub session_store: unsafe extern "C" fn(*const c_void, name: View) -> ROption<RawSessionStore>,
    /// Publishes a session store; false = the name is taken.
    pub publish: unsafe extern "C" fn(*const c_void, name: View, RawSessionStore) -> bool,
    /// The log.
    pub trace: unsafe extern "C" fn(*const c_void) -> TraceTableRef,
    /// One more owner.
    pub retain: unsafe extern "C" fn(*const c_void),
    /// One owner less.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
    /// The event loop of the thread that calls; none on a thread that is not the gateway's.
    #[sabi(missing_field(option))]
    pub event_loop: unsafe extern "C" fn(*const c_void) -> ROption<RawEventLoop>,
    /// A histogram of durations: name, help, labels as `key=value` lines. Lives for ever.
    #[sabi(missing_field(option))]
    pub histogram: unsafe extern "C" fn(
        *const c_void,
        name: View,
        help: View,
        labels: View,
    ) -> ROption<RawHistogram>,
    /// What the plugin is opened for: 0 = to serve, 1 = to be checked.
    #[sabi(missing_field(option))]
    pub purpose: unsafe extern "C" fn(*const c_void) -> u8,
}

shared_handle! {
    /// The services as they cross.
    RawServices, ServicesTableRef
}

// === the side that calls ===

impl RawServices {
    pub(crate) fn new<G: ServicesObject>(gateway: Arc<G>) -> Self {
        Self {
            object: Arc::into_raw(gateway).cast(),
            table: TableOf::<G>::TABLE,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<u32> {
        // SAFETY: `object` and `table` belong together; `name` is read during the call.
        let id = unsafe { (self.table.header())(self.object, View::of(name.as_bytes())) };
        Some(id).filter(|id| *id != u32::MAX)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<u32> {
        // SAFETY: as in `header`.
        let id = unsafe { (self.table.flag())(self.object, View::of(name.as_bytes())) };
        Some(id).filter(|id| *id != u32::MAX)
    }

    pub(crate) fn reserve(&self, side: Side, name: &str) -> bool {
        // SAFETY: as in `header`.
        unsafe { (self.table.reserve())(self.object, side as u8, View::of(name.as_bytes())) }
    }

    pub(crate) fn counter(&self, name: &str, help: &str, labels: &str) -> &'static AtomicU64 {
        let [name, help, labels] = [name, help, labels].map(|text| View::of(text.as_bytes()));
        // SAFETY: as in `header`. The answer is never null, points to an `AtomicU64` and is never freed.
        unsafe { &*(self.table.counter())(self.object, name, help, labels).cast::<AtomicU64>() }
    }

    pub(crate) fn storage(&self, name: &str) -> Option<RawStorage> {
        // SAFETY: as in `header`.
        unsafe { (self.table.storage())(self.object, View::of(name.as_bytes())) }.into_option()
    }

    pub(crate) fn each_storage(&self, mut visit: impl FnMut(&str)) {
        let visit = |name: View, _: View| {
            // SAFETY: lent for the length of this call.
            if let Some(name) = unsafe { name.text() } {
                visit(name);
            }
        };
        lend(visit, |context, call| {
            // SAFETY: as in `header`; `context` and `call` were passed on together.
            unsafe { (self.table.each_storage())(self.object, context, call) }
        });
    }

    pub(crate) fn session_store(&self, name: &str) -> Option<RawSessionStore> {
        // SAFETY: as in `header`.
        unsafe { (self.table.session_store())(self.object, View::of(name.as_bytes())) }
            .into_option()
    }

    pub(crate) fn publish(&self, name: &str, store: RawSessionStore) -> bool {
        // SAFETY: as in `header`; the store is moved.
        unsafe { (self.table.publish())(self.object, View::of(name.as_bytes()), store) }
    }

    /// A gateway that was built before there was this function lends none.
    pub(crate) fn event_loop(&self) -> Option<RawEventLoop> {
        let event_loop = self.table.event_loop()?;
        // SAFETY: as in `header`.
        unsafe { event_loop(self.object) }.into_option()
    }

    /// A gateway that was built before there was this function keeps none.
    pub(crate) fn histogram(&self, name: &str, help: &str, labels: &str) -> Option<RawHistogram> {
        let histogram = self.table.histogram()?;
        let [name, help, labels] = [name, help, labels].map(|text| View::of(text.as_bytes()));
        // SAFETY: as in `header`.
        unsafe { histogram(self.object, name, help, labels) }.into_option()
    }

    /// A gateway that was built before there was this function opens everything in the same way.
    pub(crate) fn purpose(&self) -> Purpose {
        let purpose = self.table.purpose();
        // SAFETY: as in `header`.
        let code = purpose.map(|purpose| unsafe { purpose(self.object) });
        code.map_or(Purpose::Serve, Purpose::from_code)
    }

    pub(crate) fn trace(&self) -> TraceTableRef {
        // SAFETY: as in `header`.
        unsafe { (self.table.trace())(self.object) }
    }
}

// === the side that implements ===

/// What stands behind [`Services`](crate::Services): a gateway, or a test's stand-in for one.
pub trait ServicesObject: Send + Sync + 'static {
    /// Interns a header name.
    ///
    /// # Errors
    /// When it is no header name.
    fn header(&self, name: &str) -> Result<u32, ServicesError>;
    /// Interns a flag.
    ///
    /// # Errors
    /// When there are too many.
    fn flag(&self, name: &str) -> Result<u32, ServicesError>;
    /// Keeps a header to the gateway: see [`Services::reserve`](crate::Services::reserve).
    ///
    /// # Errors
    /// When it is no header name, or the gateway already serves.
    fn reserve(&self, side: Side, name: &str) -> Result<(), ServicesError>;
    /// A counter under a name and labels (`key=value` lines).
    fn counter(&self, name: &str, help: &str, labels: &str) -> &'static AtomicU64;
    /// A storage by its name in `storages.yaml`.
    fn storage(&self, name: &str) -> Option<StorageHandle>;
    /// The names of all storages.
    fn storage_names(&self) -> Vec<String>;
    /// A published session store.
    fn session_store(&self, name: &str) -> Option<SessionStore>;
    /// Publishes a session store; false when the name is taken.
    fn publish(&self, name: &str, store: SessionStore) -> bool;
    /// The event loop of the thread that calls, if it is one of the gateway's.
    fn event_loop(&self) -> Option<EventLoop> {
        None
    }
    /// A histogram of durations under a name and labels (`key=value` lines), if any are kept.
    fn histogram(&self, _name: &str, _help: &str, _labels: &str) -> Option<Histogram> {
        None
    }
    /// What plugins are opened for.
    fn purpose(&self) -> Purpose {
        Purpose::Serve
    }
}

struct TableOf<G>(PhantomData<G>);

impl<G: ServicesObject> TableOf<G> {
    const PREFIX: &'static WithMetadata<ServicesTable> = &WithMetadata::new(ServicesTable {
        header: header::<G>,
        flag: flag::<G>,
        reserve: reserve::<G>,
        counter: counter::<G>,
        storage: storage::<G>,
        each_storage: each_storage::<G>,
        session_store: session_store::<G>,
        publish: publish::<G>,
        trace,
        retain: retain::<G>,
        release: release::<G>,
        event_loop: event_loop::<G>,
        histogram: histogram::<G>,
        purpose: purpose::<G>,
    });
    const TABLE: ServicesTableRef = ServicesTableRef(Self::PREFIX.static_as_prefix());
}

/// # Safety
/// `object` must be a live `G` of [`RawServices::new`], and `name` lent for `'a`.
unsafe fn call<'a, G>(object: *const c_void, name: View) -> (&'a G, &'a str) {
    // SAFETY: the caller's promise.
    unsafe { (&*object.cast(), name.text().unwrap_or_default()) }
}

unsafe extern "C" fn header<G: ServicesObject>(object: *const c_void, name: View) -> u32 {
    // SAFETY: called through the table of a live handle.
    let (gateway, name) = unsafe { call::<G>(object, name) };
    gateway.header(name).unwrap_or(u32::MAX)
}

unsafe extern "C" fn flag<G: ServicesObject>(object: *const c_void, name: View) -> u32 {
    // SAFETY: called through the table of a live handle.
    let (gateway, name) = unsafe { call::<G>(object, name) };
    gateway.flag(name).unwrap_or(u32::MAX)
}

unsafe extern "C" fn reserve<G: ServicesObject>(
    object: *const c_void,
    side: u8,
    name: View,
) -> bool {
    // SAFETY: called through the table of a live handle.
    let (gateway, name) = unsafe { call::<G>(object, name) };
    gateway.reserve(Side::from_code(side), name).is_ok()
}

unsafe extern "C" fn counter<G: ServicesObject>(
    object: *const c_void,
    name: View,
    help: View,
    labels: View,
) -> *const u64 {
    // SAFETY: called through the table of a live handle; the texts are lent for the call.
    let ((gateway, name), help, labels) =
        unsafe { (call::<G>(object, name), help.text(), labels.text()) };
    let counter = gateway.counter(name, help.unwrap_or_default(), labels.unwrap_or_default());
    std::ptr::from_ref(counter).cast()
}

unsafe extern "C" fn storage<G: ServicesObject>(
    object: *const c_void,
    name: View,
) -> ROption<RawStorage> {
    // SAFETY: called through the table of a live handle.
    let (gateway, name) = unsafe { call::<G>(object, name) };
    gateway.storage(name).map(StorageHandle::into_raw).into()
}

unsafe extern "C" fn each_storage<G: ServicesObject>(
    object: *const c_void,
    context: *mut c_void,
    visit: Visit,
) {
    // SAFETY: called through the table of a live handle.
    let gateway = unsafe { &*object.cast::<G>() };
    for name in gateway.storage_names() {
        // SAFETY: `context` and `visit` came together, and are lent for this call.
        unsafe { visit.visit(context, View::of(name.as_bytes()), View::ABSENT) }
    }
}

unsafe extern "C" fn session_store<G: ServicesObject>(
    object: *const c_void,
    name: View,
) -> ROption<RawSessionStore> {
    // SAFETY: called through the table of a live handle.
    let (gateway, name) = unsafe { call::<G>(object, name) };
    gateway
        .session_store(name)
        .map(SessionStore::into_raw)
        .into()
}

unsafe extern "C" fn publish<G: ServicesObject>(
    object: *const c_void,
    name: View,
    store: RawSessionStore,
) -> bool {
    // SAFETY: called through the table of a live handle.
    let (gateway, name) = unsafe { call::<G>(object, name) };
    gateway.publish(name, SessionStore::from_raw(store))
}

unsafe extern "C" fn event_loop<G: ServicesObject>(object: *const c_void) -> ROption<RawEventLoop> {
    // SAFETY: called through the table of a live handle.
    let gateway = unsafe { &*object.cast::<G>() };
    gateway.event_loop().map(EventLoop::into_raw).into()
}

unsafe extern "C" fn trace(_: *const c_void) -> TraceTableRef {
    super::trace::TABLE
}

unsafe extern "C" fn histogram<G: ServicesObject>(
    object: *const c_void,
    name: View,
    help: View,
    labels: View,
) -> ROption<RawHistogram> {
    // SAFETY: called through the table of a live handle; the texts are lent for the call.
    let ((gateway, name), help, labels) =
        unsafe { (call::<G>(object, name), help.text(), labels.text()) };
    let found = gateway.histogram(name, help.unwrap_or_default(), labels.unwrap_or_default());
    found.and_then(Histogram::into_raw).into()
}

unsafe extern "C" fn purpose<G: ServicesObject>(object: *const c_void) -> u8 {
    // SAFETY: called through the table of a live handle.
    let gateway = unsafe { &*object.cast::<G>() };
    gateway.purpose() as u8
}
