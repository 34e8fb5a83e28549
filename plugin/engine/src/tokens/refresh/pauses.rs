//! A provider that is away is left alone for a while, by everybody.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::session::Timestamp;
use crate::tokens::remembered::pause;

/// When one provider may be asked for new tokens again.
#[derive(Debug, Default)]
pub(in crate::tokens) struct Pauses(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    until: Timestamp,
    failures: u32,
    reason: &'static str,
}

impl Pauses {
    /// Why it is not to be asked now, if it is not.
    pub(super) fn reason(&self, now: Timestamp) -> Option<&'static str> {
        let state = self.state();
        (now < state.until).then_some(state.reason)
    }

    pub(super) fn failed(&self, reason: &'static str, asked: Option<Duration>, now: Timestamp) {
        let mut state = self.state();
        // Calls that were under way together have failed together.
        if now >= state.until {
            state.until = now.after(pause(state.failures, asked));
            state.failures = state.failures.saturating_add(1);
        }
        state.reason = reason;
    }

    pub(super) fn answered(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
