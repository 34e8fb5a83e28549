//! How long to wait for the next part of a body.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is only set while somebody waits: a body that is there already never touches it.
#[derive(Debug)]
pub(super) struct Patience {
    period: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl Patience {
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            sleep: None,
            is_waiting: false,
        }
    }

    /// Something came.
    pub(super) fn renew(&mut self) {
        self.is_waiting = false;
    }

    /// Nothing came. Ready when that has been so for the whole period.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = (!self.is_waiting).then(|| Instant::now() + self.period);
        self.is_waiting = true;
        match (&mut self.sleep, deadline) {
            (Some(sleep), Some(deadline)) => sleep.as_mut().reset(deadline),
            (None, Some(deadline)) => self.sleep = Some(Box::pin(sleep_until(deadline))),
            (_, None) => {}
        }
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}
