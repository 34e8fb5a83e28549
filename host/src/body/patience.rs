//! How long to wait for the next part of a body.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::alarm::Alarm;

/// A deadline that there is only while somebody waits: a body that is there already never looks at a clock.
#[derive(Debug)]
pub(super) struct Patience {
    period: Duration,
    deadline: Option<Instant>,
    alarm: Alarm,
}

impl Patience {
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            deadline: None,
            alarm: Alarm::default(),
        }
    }

    /// Something came.
    pub(super) fn renew(&mut self) {
        self.deadline = None;
    }

    /// Nothing came. Ready when that has been so for the whole period.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self
            .deadline
            .get_or_insert_with(|| Instant::now() + self.period);
        self.alarm.poll(Some(*deadline), cx)
    }
}
