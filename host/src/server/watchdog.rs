//! Ends connections that are overdue or no longer wanted.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::activity::Activity;
use super::stop::Stop;
use crate::alarm::Alarm;

/// Watches one connection through all it does.
pub(super) struct Watchdog<'a> {
    activity: &'a Activity,
    stop: Stop<'a>,
    alarm: Alarm,
}

/// How a connection waits, and how it ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Manner {
    /// It is simply closed, a moment after the order to stop.
    Closed,
    /// As that, and where it waits for a while it rests.
    Resting,
    /// Its client is told that it ends, and may have the last word.
    Told,
}

/// What came of a connection.
#[derive(Debug)]
pub(super) enum End<T> {
    /// It was overdue, or no longer wanted.
    Cut,
    /// It ended by itself.
    Over(T),
    /// It waits, and may give up what it needs for requests.
    Rest,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Event {
    Overdue,
    Rest,
    Stop,
}

impl<'a> Watchdog<'a> {
    pub(super) fn new(activity: &'a Activity, stop: Stop<'a>) -> Self {
        Self {
            activity,
            stop,
            alarm: Alarm::default(),
        }
    }

    /// Runs a connection to its end, or until it rests. `dismiss` lets it end with what is running.
    pub(super) async fn guard<C: Future>(
        &mut self,
        mut connection: Pin<&mut C>,
        manner: Manner,
        mut dismiss: impl FnMut(Pin<&mut C>),
    ) -> End<C::Output> {
        let mut is_dismissed = false;
        std::future::poll_fn(|cx| {
            loop {
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(End::Over(ended));
                }
                let event = match !is_dismissed && self.stop.poll(cx).is_ready() {
                    true => Event::Stop,
                    false => ready!(self.event(manner, cx)),
                };
                let is_idle = self.activity.is_waiting();
                let may_speak = manner == Manner::Told && is_idle && !is_dismissed;
                match event {
                    Event::Rest => return Poll::Ready(End::Rest),
                    Event::Overdue if !may_speak => return Poll::Ready(End::Cut),
                    Event::Overdue | Event::Stop => {}
                }
                is_dismissed = true;
                dismiss(connection.as_mut());
                self.activity.dismiss(manner);
            }
        })
        .await
    }

    fn event(&mut self, manner: Manner, cx: &mut Context<'_>) -> Poll<Event> {
        let (deadline, rest) = self.activity.times();
        let rest = rest.filter(|_| manner == Manner::Resting);
        match rest.filter(|rest| deadline.is_some_and(|deadline| *rest < deadline)) {
            None => self.alarm.poll(deadline, cx).map(|()| Event::Overdue),
            rest => self.alarm.poll(rest, cx).map(|()| Event::Rest),
        }
    }
}
