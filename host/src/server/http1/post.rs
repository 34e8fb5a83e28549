//! Short responses leave together.
//!
//! Whoever sleeps at the other end of a socket is woken by what is written to it, and a wake costs the kernel more than
//! anything else about a response. So responses wait until everybody on the thread has come as far as they can, and are
//! then sent one right after the other: whoever sleeps is woken once. A connection need not come back for that: it waits
//! for its next request meanwhile.

use std::future::{Future, poll_fn};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::task::unconstrained;

use super::Wire;

/// The responses of one thread that wait to be sent.
#[derive(Default)]
pub(in crate::server) struct Post(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<(Arc<Wire>, Waker)>,
    /// Who sends them, while there is nothing to do.
    idle: Option<Waker>,
}

impl Post {
    /// Has sent soon what is in the outbox of a connection, and wakes `waker` if that has something to do about it.
    pub(super) fn collect(&self, wire: Arc<Wire>, waker: Waker) {
        let mut state = self.state();
        state.waiting.push((wire, waker));
        let idle = state.idle.take();
        drop(state);
        idle.into_iter().for_each(Waker::wake);
    }

    /// Sends what is collected, for as long as this is polled.
    pub(in crate::server) fn deliver(&self) -> impl Future<Output = ()> {
        let mut waiting = Vec::new();
        // Writes that find room are no reason to let others go first: these are the last of the turn.
        unconstrained(poll_fn(move |cx| {
            mem::swap(&mut waiting, &mut self.state().waiting);
            for (wire, waker) in waiting.drain(..) {
                wire.deliver(&mut Context::from_waker(&waker));
            }
            self.state().idle = Some(cx.waker().clone());
            Poll::Pending
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
