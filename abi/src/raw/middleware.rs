//! Middlewares and actions across the boundary, and the state between the two phases.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, align_of, size_of};

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::RResult;

use super::exchange::{RawExchange, RawFailure};
use super::future::RawMaybe;
use super::guard::{contain, quietly};
use super::object::{owned_handle, release_box};
use super::session::crossing;
use crate::{Action, Exchange, Failure, Flow, Middleware};

/// What can be done with a middleware.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = MiddlewareTableRef, prefix_fields = MiddlewareTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct MiddlewareTable {
    /// [`Middleware::on_request`].
    pub on_request:
        for<'a> unsafe extern "C" fn(*const c_void, RawExchange<'a>) -> RawMaybe<'a, RawFlow>,
    /// [`Middleware::on_response`].
    pub on_response: for<'a> unsafe extern "C" fn(
        *const c_void,
        RawExchange<'a>,
        State,
    ) -> RawMaybe<'a, RResult<(), RawFailure>>,
    /// Ends the middleware.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
}

/// What can be done with an action.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ActionTableRef, prefix_fields = ActionTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct ActionTable {
    /// [`Action::call`].
    pub call: for<'a> unsafe extern "C" fn(
        *const c_void,
        RawExchange<'a>,
    ) -> RawMaybe<'a, RResult<(), RawFailure>>,
    /// Ends the action.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
}

/// [`Flow`], or the failure.
#[repr(u8)]
#[derive(StableAbi)]
pub enum RawFlow {
    /// On.
    Next(State),
    /// Back.
    Respond,
    /// Neither.
    Fail(RawFailure),
}

/// The state of one middleware in one exchange: two words that only the library that made them understands.
#[repr(C)]
#[derive(StableAbi)]
pub struct State {
    words: [MaybeUninit<usize>; 2],
    release: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: only made of a `Send` value (`State::new`).
unsafe impl Send for State {}

impl State {
    /// Keeps `value` in the words if it fits there, and in a box if it does not.
    fn new<T: Send + 'static>(value: T) -> Self {
        if fits::<T>() {
            Self::inline(value)
        } else {
            Self::inline(Box::new(value))
        }
    }

    fn inline<T: Send + 'static>(value: T) -> Self {
        assert!(fits::<T>(), "a state in place is two words at most");
        let mut words = [MaybeUninit::uninit(); 2];
        // SAFETY: size and alignment were just checked; the words are ours.
        unsafe { words.as_mut_ptr().cast::<T>().write(value) };
        Self {
            words,
            release: release_state::<T>,
        }
    }

    /// # Safety
    /// `T` must be what the state was made of by [`State::new`].
    unsafe fn take<T: Send + 'static>(self) -> T {
        let state = ManuallyDrop::new(self);
        // SAFETY: `new::<T>` wrote this type here; `ManuallyDrop` keeps it from being dropped twice.
        unsafe {
            if fits::<T>() {
                state.words.as_ptr().cast::<T>().read()
            } else {
                *state.words.as_ptr().cast::<Box<T>>().read()
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: `release` was chosen for what the words hold, and runs once.
        unsafe { (self.release)(self.words.as_mut_ptr().cast()) }
    }
}

const fn fits<T>() -> bool {
    size_of::<T>() <= size_of::<[usize; 2]>() && align_of::<T>() <= align_of::<usize>()
}

/// # Safety
/// `words` must hold a live `T`, which is dropped.
unsafe extern "C" fn release_state<T>(words: *mut c_void) {
    quietly("state drop", || {
        // SAFETY: the caller's promise.
        unsafe { words.cast::<T>().drop_in_place() };
    });
}

owned_handle! {
    /// A middleware as it crosses.
    RawMiddleware, MiddlewareTableRef
}

owned_handle! {
    /// An action as it crosses.
    RawAction, ActionTableRef
}

// === impl RawMiddleware ===

impl RawMiddleware {
    pub(crate) fn new<M: Middleware>(middleware: M) -> Self {
        Self {
            object: Box::into_raw(Box::new(middleware)).cast_const().cast(),
            table: MiddlewareTableOf::<M>::TABLE,
        }
    }

    pub(crate) fn on_request<'a>(&'a self, exchange: RawExchange<'a>) -> RawMaybe<'a, RawFlow> {
        // SAFETY: `object` and `table` belong together; `self` outlives the future.
        unsafe { (self.table.on_request())(self.object, exchange) }
    }

    pub(crate) fn on_response<'a>(
        &'a self,
        exchange: RawExchange<'a>,
        state: State,
    ) -> RawMaybe<'a, RResult<(), RawFailure>> {
        // SAFETY: as in `on_request`. That the state is of this middleware is checked by `MiddlewareHandle`,
        // the only caller.
        unsafe { (self.table.on_response())(self.object, exchange, state) }
    }
}

struct MiddlewareTableOf<M>(PhantomData<M>);

impl<M: Middleware> MiddlewareTableOf<M> {
    const PREFIX: &'static WithMetadata<MiddlewareTable> = &WithMetadata::new(MiddlewareTable {
        on_request: on_request::<M>,
        on_response: on_response::<M>,
        release: release_box::<M>,
    });
    const TABLE: MiddlewareTableRef = MiddlewareTableRef(Self::PREFIX.static_as_prefix());
}

unsafe extern "C" fn on_request<'a, M: Middleware>(
    middleware: *const c_void,
    exchange: RawExchange<'a>,
) -> RawMaybe<'a, RawFlow> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let middleware: &'a M = unsafe { &*middleware.cast() };
    let call = || middleware.on_request(Exchange::from_raw(exchange));
    match contain("on_request", call) {
        Ok(maybe) => RawMaybe::from_maybe("on_request", maybe, flow),
        Err(failure) => RawMaybe::Ready(RawFlow::Fail(failure.into())),
    }
}

fn flow<S: Send + 'static>(outcome: Result<Result<Flow<S>, Failure>, Failure>) -> RawFlow {
    match outcome {
        Ok(Ok(Flow::Next(state))) => RawFlow::Next(State::new(state)),
        Ok(Ok(Flow::Respond)) => RawFlow::Respond,
        Ok(Err(failure)) | Err(failure) => RawFlow::Fail(failure.into()),
    }
}

unsafe extern "C" fn on_response<'a, M: Middleware>(
    middleware: *const c_void,
    exchange: RawExchange<'a>,
    state: State,
) -> RawMaybe<'a, RResult<(), RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`; the state is the one that this
    // middleware's `on_request` made, which is the host's side of the contract.
    let (middleware, state): (&'a M, M::State) = unsafe { (&*middleware.cast(), state.take()) };
    crossing("on_response", || {
        middleware.on_response(Exchange::from_raw(exchange), state)
    })
}

// === impl RawAction ===

impl RawAction {
    pub(crate) fn new<A: Action>(action: A) -> Self {
        Self {
            object: Box::into_raw(Box::new(action)).cast_const().cast(),
            table: ActionTableOf::<A>::TABLE,
        }
    }

    pub(crate) fn call<'a>(
        &'a self,
        exchange: RawExchange<'a>,
    ) -> RawMaybe<'a, RResult<(), RawFailure>> {
        // SAFETY: `object` and `table` belong together; `self` outlives the future.
        unsafe { (self.table.call())(self.object, exchange) }
    }
}

struct ActionTableOf<A>(PhantomData<A>);

impl<A: Action> ActionTableOf<A> {
    const PREFIX: &'static WithMetadata<ActionTable> = &WithMetadata::new(ActionTable {
        call: call::<A>,
        release: release_box::<A>,
    });
    const TABLE: ActionTableRef = ActionTableRef(Self::PREFIX.static_as_prefix());
}

unsafe extern "C" fn call<'a, A: Action>(
    action: *const c_void,
    exchange: RawExchange<'a>,
) -> RawMaybe<'a, RResult<(), RawFailure>> {
    // SAFETY: called through the table of a live handle that outlives `'a`.
    let action: &'a A = unsafe { &*action.cast() };
    crossing("action", || action.call(Exchange::from_raw(exchange)))
}
