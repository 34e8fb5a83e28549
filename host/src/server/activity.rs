//! The deadlines of a client connection.
//!
//! | phase | ends with | deadline |
//! |---|---|---|
//! | `Waiting` | the first byte of a request | `headerRead` on a new connection, `idle` on a kept one |
//! | `Head` | the last byte of its headers | `headerRead` in total, however slowly the bytes drip |
//! | `Busy` | the end of the response | none here: bodies and upstreams have their own |
//!
//! In any phase a client that does not take what is written to it has `idle`. On HTTP/2, where headers arrive while
//! other requests run, a block of headers has a deadline beside the phase, and what else a client sends while nothing
//! runs buys it no time.
//!
//! One timer per connection serves all of this, and a busy connection never touches it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::watchdog::Manner;
use crate::config::Timeouts;

/// What a connection is doing, seen by its socket, its service and its timer. One thread uses it: the lock is free.
#[derive(Debug)]
pub(super) struct Activity {
    timeouts: Timeouts,
    state: Mutex<State>,
}

/// As long as this lives, the connection is busy: with a request, or with a tunnel.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Of `Head` and `Waiting`.
    deadline: Deadline,
    /// For the client to take what is written to it.
    clogged: Option<Instant>,
    /// For the rest of a block of headers on HTTP/2.
    block: Option<Instant>,
    running: u32,
    is_tunnel: bool,
    /// What a client has left wherever it may ask: `None` until the order to stop.
    parting: Option<Duration>,
    /// What responses have earned, to be spent on frames that carry nothing. See `frames`.
    credit: u32,
}

/// Most requests have all of their headers before anybody looks for a deadline, and then no clock is read for them.
#[derive(Clone, Copy, Debug)]
enum Deadline {
    At(Instant),
    /// So long after somebody looks, which is at the end of this turn.
    In(Duration),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Busy,
    Head,
    Waiting,
}

impl Activity {
    /// A connection that has just been accepted.
    pub(super) fn new(timeouts: Timeouts) -> Arc<Self> {
        let state = State {
            phase: Phase::Waiting,
            deadline: Deadline::In(timeouts.header_read.get()),
            clogged: None,
            block: None,
            running: 0,
            is_tunnel: false,
            parting: None,
            credit: 0,
        };
        Arc::new(Self {
            timeouts,
            state: Mutex::new(state),
        })
    }

    /// The headers of a request are complete.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        let mut state = self.state();
        state.phase = Phase::Busy;
        state.running += 1;
        drop(state);
        Busy(Arc::clone(self))
    }

    fn end(&self) {
        let mut state = self.state();
        state.running -= 1;
        state.credit = state.credit.saturating_add(1);
        if state.running == 0 {
            state.wait(self.timeouts.idle.get());
        }
    }

    /// The client is at the door: what it asks for has as much time as the greeting had.
    pub(super) fn greeted(&self) {
        self.state().wait(self.timeouts.header_read.get());
    }

    /// It will speak HTTP/2, maybe later: browsers connect ahead.
    pub(super) fn ready(&self) {
        self.state().wait(self.timeouts.idle.get());
    }

    /// The connection is to end. A client that was told may answer; one that was not may be asking already, and is told
    /// with its next response.
    pub(super) fn dismiss(&self, manner: Manner) {
        let mut state = self.state();
        let time = match manner {
            Manner::Closed | Manner::Resting => LINGER,
            Manner::Told => LAST_WORDS,
        };
        state.parting = Some(time);
        if state.phase == Phase::Waiting {
            state.wait(time);
        }
    }

    /// Whether no other request should come on it.
    pub(super) fn is_dismissed(&self) -> bool {
        self.state().parting.is_some()
    }

    /// When the connection is to be cut, unless something happens before, and when one that is kept may give up what it
    /// needs only for requests.
    pub(super) fn times(&self) -> (Option<Instant>, Option<Instant>) {
        let mut state = self.state();
        if state.phase == Phase::Busy {
            return (state.cut(None), None);
        }
        let deadline = state.deadline.fix();
        let rest = state.rest(deadline, self.timeouts.idle.get());
        (state.cut(Some(deadline)), rest)
    }

    /// Whether no request has begun, so that the connection can be closed without harm.
    pub(super) fn is_waiting(&self) -> bool {
        let state = self.state();
        state.phase == Phase::Waiting && state.clogged.is_none() && state.block.is_none()
    }

    pub(super) fn bytes_read(&self) {
        let mut state = self.state();
        if state.phase == Phase::Waiting && !state.is_tunnel {
            state.phase = Phase::Head;
            state.deadline = Deadline::In(self.timeouts.header_read.get());
        }
    }

    /// The last word was said: what still comes is no request, and has a moment to end.
    pub(super) fn part(&self) {
        let mut state = self.state();
        state.is_tunnel = true;
        state.parting = Some(LINGER);
        state.wait(LINGER);
    }

    /// What follows on the connection are no requests.
    pub(super) fn tunnel(&self) {
        self.state().is_tunnel = true;
    }

    pub(super) fn block_begins(&self) {
        self.state().block = Some(Instant::now() + self.timeouts.header_read.get());
    }

    pub(super) fn block_ends(&self) {
        self.state().block = None;
    }

    pub(super) fn write_blocked(&self) {
        let mut state = self.state();
        if state.clogged.is_none() {
            state.clogged = Some(Instant::now() + self.timeouts.idle.get());
        }
    }

    pub(super) fn bytes_written(&self) {
        let mut state = self.state();
        if state.clogged.take().is_some() {
            let idle = self.timeouts.idle.get();
            match state.phase {
                Phase::Busy => {}
                Phase::Head => state.deadline = Deadline::In(idle),
                Phase::Waiting => state.wait(idle),
            }
        }
    }

    /// What was earned since the last time.
    pub(super) fn spend(&self) -> u32 {
        std::mem::take(&mut self.state().credit)
    }

    /// A client that gets something may say something.
    pub(super) fn earn(&self) {
        let mut state = self.state();
        state.credit = state.credit.saturating_add(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// `deadline` is that of the phase, which has none when it is busy.
    fn cut(&self, deadline: Option<Instant>) -> Option<Instant> {
        match (self.clogged.or(deadline), self.block) {
            (Some(deadline), Some(block)) => Some(deadline.min(block)),
            (deadline, block) => deadline.or(block),
        }
    }

    fn rest(&self, deadline: Instant, idle: Duration) -> Option<Instant> {
        let is_kept = self.phase == Phase::Waiting && self.parting.is_none();
        let is_resting = is_kept && self.clogged.is_none();
        let since = is_resting.then(|| deadline.checked_sub(idle))??;
        Some(since + AWAKE)
    }

    fn wait(&mut self, time: Duration) {
        self.phase = Phase::Waiting;
        self.deadline = Deadline::In(self.parting.map_or(time, |parting| parting.min(time)));
    }
}

impl Deadline {
    /// When it is. From here on it stays there.
    fn fix(&mut self) -> Instant {
        let at = match *self {
            Self::At(at) => at,
            Self::In(time) => Instant::now() + time,
        };
        *self = Self::At(at);
        at
    }
}

impl Busy {
    /// A client that gets something may say something.
    pub(super) fn earn(&self) {
        self.0.earn();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.end();
    }
}

// Browsers ask for all of a page within it, and whoever comes back later can wait for a microsecond.
const AWAKE: Duration = Duration::from_secs(2);
// A round trip to anywhere, and a second try.
const LAST_WORDS: Duration = Duration::from_secs(5);
// Closing a connection at once would cut off whoever has just asked on it: HTTP/1.1 has no word for the end but in a
// response. Short enough that nobody waits for a restart because of connections that are only kept.
const LINGER: Duration = Duration::from_secs(1);
