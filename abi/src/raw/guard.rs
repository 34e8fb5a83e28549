//! Where a panic stops.
//!
//! A panic may not cross: unwinding out of `extern "C"` aborts the process, and each library has a standard library
//! of its own, so the host could not catch it anyway. The payload is forgotten, not dropped, because its own `Drop`
//! may panic; that leaks some bytes per panic.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::Failure;

/// Runs one entry point and turns a panic into a failure that names it.
pub(crate) fn contain<T>(entry: &'static str, body: impl FnOnce() -> T) -> Result<T, Failure> {
    // Unwind safe: what `body` owned is dropped; what it shares sits behind locks, which poison.
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| Failure::panicked(entry, text(payload)))
}

/// Runs something that has nobody to report to: a release, a drop. The panic hook has already logged it.
pub(crate) fn quietly(entry: &'static str, body: impl FnOnce()) {
    if let Err(failure) = contain(entry, body) {
        tracing::error!(target: "abi", entry, %failure, "contained a panic");
    }
}

/// A future whose polls and drop cannot unwind.
pub(crate) struct Guarded<F> {
    entry: &'static str,
    // `None` after the result or a panic: the future is gone, dropped under guard.
    work: Option<F>,
}

impl<F: Future + Unpin> Guarded<F> {
    pub(crate) fn new(entry: &'static str, work: F) -> Self {
        Self {
            entry,
            work: Some(work),
        }
    }
}

impl<F: Future + Unpin> Future for Guarded<F> {
    type Output = Result<F::Output, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let entry = this.entry;
        let Some(work) = &mut this.work else {
            return Poll::Ready(Err(Failure::panicked(entry, "polled after its end".into())));
        };
        match contain(entry, || Pin::new(work).poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => {
                this.discard();
                Poll::Ready(Ok(value))
            }
            Err(failure) => {
                this.discard();
                Poll::Ready(Err(failure))
            }
        }
    }
}

impl<F> Guarded<F> {
    fn discard(&mut self) {
        if let Some(work) = self.work.take() {
            quietly(self.entry, || drop(work));
        }
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        self.discard();
    }
}

fn text(payload: Box<dyn Any + Send>) -> String {
    let text = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without a text".to_owned(),
    };
    std::mem::forget(payload);
    text
}
