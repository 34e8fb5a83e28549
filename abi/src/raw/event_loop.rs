//! Event loops across the boundary.

use std::ffi::c_void;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::RResult;
use async_ffi::{ContextExt, FfiContext, FfiFuture, FutureExt};

use super::guard::{Guarded, contain, quietly};
use super::object::{owned_handle, release, release_box, retain, shared_handle};
use crate::event_loop::Interest;

/// What can be done with an event loop.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = EventLoopTableRef, prefix_fields = EventLoopTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct EventLoopTable {
    /// Runs work on the thread of the loop.
    pub spawn: unsafe extern "C" fn(*const c_void, work: FfiFuture<()>),
    /// Watches a descriptor, which is moved; else the number of the system's error.
    pub watch: unsafe extern "C" fn(*const c_void, descriptor: i32) -> RResult<RawWatch, i32>,
    /// One more owner.
    pub retain: unsafe extern "C" fn(*const c_void),
    /// One owner less.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
}

shared_handle! {
    /// An event loop as it crosses.
    RawEventLoop, EventLoopTableRef
}

/// What can be done with a watched descriptor. Interests are 0 to read and 1 to write.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = WatchTableRef, prefix_fields = WatchTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct WatchTable {
    /// 0 = not ready, the task will be woken; 1 = ready; anything else = the loop is gone.
    pub poll_ready: for<'a, 'b> unsafe extern "C" fn(
        *const c_void,
        interest: u8,
        context: &'a mut FfiContext<'b>,
    ) -> u8,
    /// The descriptor was ready no more.
    pub clear_ready: unsafe extern "C" fn(*const c_void, interest: u8),
    /// Ends watching.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
}

owned_handle! {
    /// A watch as it crosses.
    RawWatch, WatchTableRef
}

// === the side that calls ===

impl RawEventLoop {
    pub(crate) fn new<L: EventLoopObject>(event_loop: L) -> Self {
        Self {
            object: Arc::into_raw(Arc::new(event_loop)).cast(),
            table: LoopOf::<L>::TABLE,
        }
    }

    pub(crate) fn spawn(&self, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let work = Guarded::new("spawned work", work);
        let work = async move { drop(work.await) }.into_ffi();
        // SAFETY: `object` and `table` belong together; the work is moved.
        unsafe { (self.table.spawn())(self.object, work) }
    }

    pub(crate) fn watch(&self, descriptor: OwnedFd) -> io::Result<RawWatch> {
        // SAFETY: as in `spawn`; the descriptor is moved.
        unsafe { (self.table.watch())(self.object, descriptor.into_raw_fd()) }
            .map_err(io::Error::from_raw_os_error)
            .into_result()
    }
}

impl RawWatch {
    pub(crate) fn poll_ready(
        &self,
        context: &mut Context<'_>,
        interest: Interest,
    ) -> Poll<io::Result<()>> {
        // SAFETY: `object` and `table` belong together; the context is lent for the call.
        let code = context.with_ffi_context(|context| unsafe {
            (self.table.poll_ready())(self.object, interest as u8, context)
        });
        match code {
            PENDING => Poll::Pending,
            READY => Poll::Ready(Ok(())),
            _ => Poll::Ready(Err(io::Error::other("the event loop is gone"))),
        }
    }

    pub(crate) fn clear_ready(&self, interest: Interest) {
        // SAFETY: `object` and `table` belong together.
        unsafe { (self.table.clear_ready())(self.object, interest as u8) }
    }
}

// === the side that implements ===

/// What stands behind an [`EventLoop`](crate::EventLoop): a thread of a gateway, or a test's stand-in for one.
pub trait EventLoopObject: Send + Sync + 'static {
    /// Runs work on the thread of the loop. It does not panic.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static);

    /// Watches a stream socket.
    ///
    /// # Errors
    /// What the system says.
    fn watch(&self, descriptor: OwnedFd) -> io::Result<impl WatchObject>;
}

/// What stands behind a [`Watched`](crate::event_loop::Watched) socket.
pub trait WatchObject: Send + Sync + 'static {
    /// Whether the descriptor is ready; if not, the task is woken when it is.
    ///
    /// # Errors
    /// When the loop is gone.
    fn poll_ready(&self, context: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>>;

    /// Says that an attempt found the descriptor not ready after all.
    fn clear_ready(&self, interest: Interest);
}

struct LoopOf<L>(PhantomData<L>);

impl<L: EventLoopObject> LoopOf<L> {
    const PREFIX: &'static WithMetadata<EventLoopTable> = &WithMetadata::new(EventLoopTable {
        spawn: spawn::<L>,
        watch: watch::<L>,
        retain: retain::<L>,
        release: release::<L>,
    });
    const TABLE: EventLoopTableRef = EventLoopTableRef(Self::PREFIX.static_as_prefix());
}

struct WatchOf<W>(PhantomData<W>);

impl<W: WatchObject> WatchOf<W> {
    const PREFIX: &'static WithMetadata<WatchTable> = &WithMetadata::new(WatchTable {
        poll_ready: poll_ready::<W>,
        clear_ready: clear_ready::<W>,
        release: release_box::<W>,
    });
    const TABLE: WatchTableRef = WatchTableRef(Self::PREFIX.static_as_prefix());

    fn handle(watch: W) -> RawWatch {
        RawWatch {
            object: Box::into_raw(Box::new(watch)).cast_const().cast(),
            table: Self::TABLE,
        }
    }
}

unsafe extern "C" fn spawn<L: EventLoopObject>(object: *const c_void, work: FfiFuture<()>) {
    // SAFETY: called through the table of a live handle.
    let event_loop = unsafe { &*object.cast::<L>() };
    quietly("spawn", || event_loop.spawn(work));
}

unsafe extern "C" fn watch<L: EventLoopObject>(
    object: *const c_void,
    descriptor: i32,
) -> RResult<RawWatch, i32> {
    // SAFETY: called through the table of a live handle; the caller owned the descriptor and gave it away.
    let (event_loop, descriptor) =
        unsafe { (&*object.cast::<L>(), OwnedFd::from_raw_fd(descriptor)) };
    match contain("watch", || event_loop.watch(descriptor).map(handle)) {
        Ok(Ok(watch)) => RResult::ROk(watch),
        Ok(Err(error)) => RResult::RErr(error.raw_os_error().unwrap_or(EIO)),
        Err(_) => RResult::RErr(EIO),
    }
}

fn handle<W: WatchObject>(watch: W) -> RawWatch {
    WatchOf::<W>::handle(watch)
}

unsafe extern "C" fn poll_ready<W: WatchObject>(
    object: *const c_void,
    interest: u8,
    context: &mut FfiContext<'_>,
) -> u8 {
    // SAFETY: called through the table of a live handle.
    let watch = unsafe { &*object.cast::<W>() };
    let interest = Interest::from_code(interest);
    let polled = contain("poll", || {
        context.with_context(|context| watch.poll_ready(context, interest))
    });
    match polled {
        Ok(Poll::Pending) => PENDING,
        Ok(Poll::Ready(Ok(()))) => READY,
        Ok(Poll::Ready(Err(_))) | Err(_) => GONE,
    }
}

unsafe extern "C" fn clear_ready<W: WatchObject>(object: *const c_void, interest: u8) {
    // SAFETY: called through the table of a live handle.
    let watch = unsafe { &*object.cast::<W>() };
    quietly("clear", || watch.clear_ready(Interest::from_code(interest)));
}

pub(super) const PENDING: u8 = 0;
pub(super) const READY: u8 = 1;
pub(super) const GONE: u8 = 2;

// What the system says when it has nothing more precise to say; the number is the same on every Unix.
const EIO: i32 = 5;
