//! A connection of each of the gateway's threads.
//!
//! The supervisor's line is served by a thread of ours. A request that uses it wakes that thread, and is woken by it
//! on its own: under load these switches cost more than the command. A lane is served by the thread that the request
//! runs on. It carries commands and nothing else: whether the server is there, which one it is and what it tells is
//! for the supervisor to find out, and a lane ends with the line it stands in for.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use abi::EventLoop;
use thread_local::ThreadLocal;
use tokio::sync::oneshot;
use tokio::time::{Instant, interval, timeout};

use super::Terms;
use super::line::Line;
use crate::runtime::{Runtime, entered};
use crate::storage::redis::connect::{Access, Address, Wire, WireDriver};
use crate::storage::redis::fault::Fault;

/// The lanes of one link.
pub(super) struct Lanes {
    access: Access,
    answer_within: Duration,
    runtime: Arc<Runtime>,
    lanes: ThreadLocal<Arc<Mutex<State>>>,
}

/// The lane of one thread. It does not keep itself open: that is for the link, which ends its lanes with itself.
#[derive(Clone, Debug)]
pub(super) struct Lane(Weak<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    /// Nobody has asked on this thread yet.
    #[default]
    Unknown,
    /// There is none before this time.
    Closed(Instant),
    Opening,
    Open {
        line: Line,
        // Never sent: the lane ends when this goes.
        _open: oneshot::Sender<()>,
    },
    /// The thread is not the gateway's.
    Foreign,
}

impl Lanes {
    pub(super) fn new(terms: &Terms) -> Self {
        Self {
            access: terms.access.clone(),
            answer_within: BEAT.max(2 * terms.answer_within()),
            runtime: Arc::clone(&terms.runtime),
            lanes: ThreadLocal::new(),
        }
    }

    /// The lane of this thread that stands in for `line`. While there is none, the line itself, and a lane is opened
    /// for those who come later.
    pub(super) fn instead_of(&self, line: &Line) -> Line {
        let lane = self.lanes.get_or_default();
        let mut state = lane.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open { line: ours, .. } if ours.stands_in_for(line) => return ours.clone(),
            State::Opening | State::Foreign => return line.clone(),
            State::Closed(until) if Instant::now() < *until => return line.clone(),
            State::Unknown | State::Closed(_) | State::Open { .. } => {}
        }
        *state = match self.runtime.event_loop() {
            Some(event_loop) => {
                self.begin(Lane(Arc::downgrade(lane)), line, event_loop);
                State::Opening
            }
            None => State::Foreign,
        };
        line.clone()
    }

    fn begin(&self, lane: Lane, line: &Line, event_loop: EventLoop) {
        let Ok(io) = self.runtime.start() else {
            return;
        };
        let (line, access) = (line.clone(), self.access.clone());
        let answer_within = self.answer_within;
        let thread = event_loop.clone();
        thread.spawn(entered(io.clone(), async move {
            match open(&access, &line.server, event_loop).await {
                Ok((wire, driver)) => lane.serve(&line, (wire, driver), answer_within).await,
                // The line carries on, and says what is wrong if the server is.
                Err(_) => lane.close(),
            }
        }));
    }
}

impl Lane {
    /// Offers the connection until it ends, fails, or nobody wants it any more.
    async fn serve(self, line: &Line, (wire, driver): (Wire, WireDriver), answer_within: Duration) {
        let (open, closed) = oneshot::channel();
        let ours = line.lane(wire.clone(), self.clone());
        let number = ours.number;
        self.becomes(State::Open {
            line: ours,
            _open: open,
        });
        let silence = pin!(silence(wire, answer_within));
        tokio::select! {
            () = driver => {}
            () = silence => {}
            _ = closed => return,
        }
        self.leave(number);
    }

    /// Gives the line of this number up, if it is still the one.
    pub(super) fn leave(&self, number: u64) {
        self.change(|state| match state {
            State::Open { line, .. } if line.number == number => State::Closed(Instant::now()),
            other => other,
        });
    }

    fn close(&self) {
        self.becomes(State::Closed(Instant::now() + PAUSE));
    }

    fn becomes(&self, next: State) {
        self.change(|_| next);
    }

    fn change(&self, change: impl FnOnce(State) -> State) {
        if let Some(state) = self.0.upgrade() {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            *state = change(std::mem::take(&mut state));
        }
    }
}

async fn open(
    access: &Access,
    server: &Address,
    event_loop: EventLoop,
) -> Result<(Wire, WireDriver), Fault> {
    match timeout(access.limit, access.lend(server, event_loop)).await {
        Ok(connected) => connected,
        Err(_) => Err(Fault::lost("no connection in time")),
    }
}

/// Ends when the server no longer answers on this connection. That others are answered says nothing about it: a
/// firewall may have forgotten this one.
async fn silence(wire: Wire, answer_within: Duration) {
    let mut beats = interval(BEAT);
    loop {
        beats.tick().await;
        let ping = wire.ask::<1>(|bytes| redis::cmd("PING").write_packed_command(bytes));
        if timeout(answer_within, ping).await.is_err() {
            return;
        }
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").finish_non_exhaustive()
    }
}

/// Between two looks, and how long an answer may be outstanding at least.
const BEAT: Duration = Duration::from_secs(1);
/// After an attempt that failed: the line works, so there is no hurry.
const PAUSE: Duration = Duration::from_secs(1);
