//! What a gateway holds of a middleware or an action, wherever it comes from.
//!
//! Components that are linked in go through the same handle as those from a library, so that a chain knows only one
//! kind of step.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use abi_stable::std_types::RResult;

use crate::raw::exchange::{RawFailure, lift};
use crate::raw::middleware::{RawAction, RawFlow, RawMiddleware, State};
use crate::{Action, Exchange, Failure, Flow, Maybe, Middleware};

/// A middleware.
pub struct MiddlewareHandle {
    raw: RawMiddleware,
    // Tells whose state is whose. Not an address: two empty objects may share one.
    number: u64,
}

/// What a middleware's request phase left for its response phase. Dropped unused, it is released.
pub struct PhaseState {
    raw: State,
    of: u64,
}

/// An action.
pub struct ActionHandle {
    raw: RawAction,
}

impl MiddlewareHandle {
    /// Wraps a middleware that is linked in.
    pub fn new(middleware: impl Middleware) -> Self {
        Self::from_raw(RawMiddleware::new(middleware))
    }

    pub(crate) fn from_raw(raw: RawMiddleware) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { raw, number }
    }

    /// The request phase.
    pub fn on_request<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<PhaseState>, Failure>> {
        let of = self.number;
        self.raw
            .on_request(exchange.into_raw())
            .into_maybe(move |flow| match flow {
                RawFlow::Next(raw) => Ok(Flow::Next(PhaseState { raw, of })),
                RawFlow::Respond => Ok(Flow::Respond),
                RawFlow::Fail(failure) => Err(failure.into()),
            })
    }

    /// The response phase, with the state that the request phase of the same exchange left.
    pub fn on_response<'a>(
        &'a self,
        exchange: Exchange<'a>,
        state: PhaseState,
    ) -> Maybe<'a, Result<(), Failure>> {
        if state.of != self.number {
            let failure = Failure::internal("the state belongs to another middleware");
            return Maybe::Ready(Err(failure));
        }
        self.raw
            .on_response(exchange.into_raw(), state.raw)
            .into_maybe(answered)
    }
}

impl ActionHandle {
    /// Wraps an action that is linked in.
    pub fn new(action: impl Action) -> Self {
        Self::from_raw(RawAction::new(action))
    }

    pub(crate) const fn from_raw(raw: RawAction) -> Self {
        Self { raw }
    }

    /// Answers the request.
    pub fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        self.raw.call(exchange.into_raw()).into_maybe(answered)
    }
}

fn answered(outcome: RResult<(), RawFailure>) -> Result<(), Failure> {
    lift(outcome)
}

impl fmt::Debug for MiddlewareHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MiddlewareHandle(..)")
    }
}

impl fmt::Debug for PhaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhaseState(..)")
    }
}

impl fmt::Debug for ActionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActionHandle(..)")
    }
}
