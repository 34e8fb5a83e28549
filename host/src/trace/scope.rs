//! Whose trace it is that the code on this thread works for.
//!
//! A plugin logs by the gateway's own log, and neither it nor the rest of the gateway is handed the trace: whoever writes
//! a line looks here. A span of `tracing` would do the same, and would cost each request in a trace an entry in a
//! registry, whether anything is logged or not.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;

use super::TraceId;

thread_local! {
    static TRACE: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Does work of a request in this trace. What is logged while it is polled is logged in it.
pub(crate) async fn within<F: Future>(trace: Option<TraceId>, mut work: Pin<&mut F>) -> F::Output {
    poll_fn(|cx| {
        let _entered = trace.map(Entered::begin);
        work.as_mut().poll(cx)
    })
    .await
}

/// The trace of the work that is being done on this thread.
pub(crate) fn current() -> Option<TraceId> {
    // Threads that end have no work of a request.
    TRACE.try_with(Cell::get).ok().flatten()
}

/// Ends with the poll, and also with a panic in it.
struct Entered(Option<TraceId>);

impl Entered {
    fn begin(trace: TraceId) -> Self {
        Self(TRACE.replace(Some(trace)))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        TRACE.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn work_of_one_trace_is_in_it_for_as_long_as_it_is_polled() {
        let traces = [TraceId::random(), TraceId::random()].map(Some);
        let seen = Cell::new(None);
        let look = || {
            poll_fn(|_| {
                seen.set(current());
                Poll::<()>::Pending
            })
        };
        let (first, second) = (pin!(look()), pin!(look()));
        let mut first = pin!(within(traces[0], first));
        let mut second = pin!(within(traces[1], second));
        let mut cx = Context::from_waker(Waker::noop());

        for _ in 0..2 {
            assert!(first.as_mut().poll(&mut cx).is_pending());
            assert_eq!(seen.take(), traces[0]);
            assert!(second.as_mut().poll(&mut cx).is_pending());
            assert_eq!(seen.take(), traces[1]);
            assert_eq!(current(), None);
        }
    }

    #[test]
    fn panic_leaves_no_trace_behind() {
        let work = pin!(async { panic!("on purpose") });
        let mut work = pin!(within(Some(TraceId::random()), work));
        let mut cx = Context::from_waker(Waker::noop());

        let poll = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut cx)));

        assert!(poll.is_err() && current().is_none());
    }
}
