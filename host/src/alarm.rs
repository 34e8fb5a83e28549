//! A timer for a deadline that keeps moving.
//!
//! A request has a minute for what takes a millisecond, and then the next one has. To set a timer for each and to take
//! it away again costs two locks, and a system call where it is the first to fire; to leave it where it is costs nothing
//! until it fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// The timer of a connection. It is moved only when it fires or when the deadline comes closer.
#[derive(Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready when the deadline is over.
    pub(crate) fn poll(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// Shows nothing: when it fires says little about the deadline.
impl std::fmt::Debug for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Alarm(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moved_on_is_kept_and_not_the_one_before() {
        let began = Instant::now();
        let mut alarm = Alarm::default();
        let second = Duration::from_secs(1);
        assert!(poll_once(&mut alarm, began + second).await.is_pending());

        poll_fn(|cx| alarm.poll(Some(began + 3 * second), cx)).await;
        assert_eq!(began.elapsed(), 3 * second);

        poll_fn(|cx| alarm.poll(Some(began + 5 * second), cx)).await;
        assert_eq!(began.elapsed(), 5 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_came_closer_is_kept() {
        let began = Instant::now();
        let mut alarm = Alarm::default();
        let second = Duration::from_secs(1);
        assert!(poll_once(&mut alarm, began + 9 * second).await.is_pending());

        poll_fn(|cx| alarm.poll(Some(began + second), cx)).await;

        assert_eq!(began.elapsed(), second);
    }

    async fn poll_once(alarm: &mut Alarm, deadline: Instant) -> Poll<()> {
        poll_fn(|cx| Poll::Ready(alarm.poll(Some(deadline), cx))).await
    }
}
