//! Ends connections that are overdue or no longer wanted.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::activity::Activity;
use crate::alarm::Alarm;

/// Watches one connection through all it does.
pub(super) struct Watchdog<'a, S> {
    activity: &'a Activity,
    stop: Pin<&'a mut S>,
    alarm: Alarm,
    is_stopping: bool,
}

/// Whether a protocol has a word for the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Farewell {
    /// Its connections are simply closed.
    None,
    /// Its clients are told, and may have the last word.
    Said,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Event {
    Overdue,
    Stop,
}

impl<'a, S: Future> Watchdog<'a, S> {
    /// `stop` ends when the server is to stop.
    pub(super) fn new(activity: &'a Activity, stop: Pin<&'a mut S>) -> Self {
        Self {
            activity,
            stop,
            alarm: Alarm::default(),
            is_stopping: false,
        }
    }

    /// Runs a connection to its end. `None` when it was cut. `dismiss` lets it end with what is running.
    pub(super) async fn guard<C: Future>(
        &mut self,
        mut connection: Pin<&mut C>,
        farewell: Farewell,
        mut dismiss: impl FnMut(Pin<&mut C>),
    ) -> Option<C::Output> {
        let mut is_dismissed = false;
        std::future::poll_fn(|cx| {
            loop {
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(Some(ended));
                }
                let Poll::Ready(event) = self.event(is_dismissed, cx) else {
                    return Poll::Pending;
                };
                let is_idle = self.activity.is_waiting();
                let may_speak = farewell == Farewell::Said && is_idle && !is_dismissed;
                let is_cut = match event {
                    Event::Overdue => !may_speak,
                    Event::Stop => is_idle && !may_speak,
                };
                if is_cut {
                    return Poll::Ready(None);
                }
                is_dismissed = true;
                dismiss(connection.as_mut());
                self.activity.dismissed();
            }
        })
        .await
    }

    fn event(&mut self, is_dismissed: bool, cx: &mut Context<'_>) -> Poll<Event> {
        if !is_dismissed {
            self.is_stopping = self.is_stopping || self.stop.as_mut().poll(cx).is_ready();
            if self.is_stopping {
                return Poll::Ready(Event::Stop);
            }
        }
        self.alarm
            .poll(self.activity.deadline(), cx)
            .map(|()| Event::Overdue)
    }
}
