//! The order to stop, as a connection waits for it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::sync::watch;

/// Waits for the order. A connection looks for it at each turn, and to look costs next to nothing until it is given.
pub(super) struct Stop<'a> {
    order: watch::Receiver<bool>,
    coming: Pin<&'a mut Coming>,
    /// Who is told of it.
    told: Option<Waker>,
    is_given: bool,
}

/// Ends with the order.
type Coming = dyn Future<Output = ()> + Send;

impl<'a> Stop<'a> {
    /// `coming` ends with the order that `order` shows.
    pub(super) fn new(order: watch::Receiver<bool>, coming: Pin<&'a mut Coming>) -> Self {
        Self {
            order,
            coming,
            told: None,
            is_given: false,
        }
    }

    /// Ready from the order on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_given {
            return Poll::Ready(());
        }
        let is_told = |told: &Waker| told.will_wake(cx.waker());
        if self.told.as_ref().is_some_and(is_told) && matches!(self.order.has_changed(), Ok(false))
        {
            return Poll::Pending;
        }
        self.told = Some(cx.waker().clone());
        ready!(self.coming.as_mut().poll(cx));
        self.is_given = true;
        Poll::Ready(())
    }
}
