//! What the threads of the gateway want from the thread that writes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::storage::Unavailable;
use tokio::sync::oneshot;

use super::row::Change;

/// Where requests wait. Many hand in, one takes everything at once.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    news: Condvar,
}

/// What was handed in since the last time. All of it waits for the same commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) writes: Vec<(Change, Reply<bool>)>,
    pub(super) probes: Vec<Reply<()>>,
    pub(super) resets: Vec<Reply<u64>>,
}

/// Where an answer goes. Nobody may be there any more: a client went away.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Unavailable>>;

#[derive(Default)]
struct State {
    batch: Batch,
    /// Why nothing is taken at the moment.
    refusal: Option<Unavailable>,
    /// There is work that nobody waits for.
    is_stirred: bool,
    is_closed: bool,
}

// === the threads of the gateway ===

impl Queue {
    /// Hands something in and waits for the answer.
    pub(super) async fn ask<T>(
        &self,
        put: impl FnOnce(&mut Batch, Reply<T>),
    ) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.put(|batch| put(batch, reply))?;
        // The other end is dropped without an answer only when the thread that writes ends.
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Whether anything is taken at the moment.
    pub(super) fn admits(&self) -> Result<(), Unavailable> {
        self.state().admits()
    }

    /// Says that there is work that nobody waits for.
    pub(super) fn stir(&self) {
        self.state().is_stirred = true;
        self.news.notify_all();
    }

    /// Lets the thread that writes finish what was handed in, and end.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.news.notify_all();
    }

    fn put(&self, put: impl FnOnce(&mut Batch)) -> Result<(), Unavailable> {
        let mut state = self.state();
        state.admits()?;
        put(&mut state.batch);
        drop(state);
        self.news.notify_all();
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === the thread that writes ===

impl Queue {
    /// Takes what was handed in, as soon as there is something; after `at_most` also nothing. Work that nobody waits
    /// for is left for `delay` to gather. `None` when there will never be anything again.
    pub(super) fn take(&self, at_most: Duration, delay: Duration) -> Option<Batch> {
        let mut state = self.sleep(self.state(), at_most, |state| {
            state.is_idle() && !state.is_stirred
        });
        if state.is_stirred {
            state = self.sleep(state, delay, |state| state.is_idle());
        }
        if state.is_closed && state.batch.is_empty() {
            return None;
        }
        state.is_stirred = false;
        Some(std::mem::take(&mut state.batch))
    }

    /// Waits, or until the queue is closed. Says whether it is open.
    pub(super) fn rest(&self, time: Duration) -> bool {
        !self
            .sleep(self.state(), time, |state| !state.is_closed)
            .is_closed
    }

    /// Takes nothing more for now, and answers everybody who waits with the reason.
    pub(super) fn refuse(&self, cause: &Unavailable) {
        let mut state = self.state();
        state.refusal = Some(cause.clone());
        let batch = std::mem::take(&mut state.batch);
        drop(state);
        batch.fail(cause);
    }

    /// Takes everything again.
    pub(super) fn admit(&self) {
        self.state().refusal = None;
    }

    /// Takes nothing more for ever, and leaves nobody waiting.
    pub(super) fn end(&self) {
        self.close();
        self.refuse(&stopped());
    }

    fn sleep<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Duration,
        mut is_asleep: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let woken = self
            .news
            .wait_timeout_while(state, time, |state| is_asleep(state));
        woken.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Answers everybody with the same failure.
    pub(super) fn fail(self, cause: &Unavailable) {
        fail(self.writes.into_iter().map(|(_, reply)| reply), cause);
        fail(self.probes, cause);
        fail(self.resets, cause);
    }

    fn len(&self) -> usize {
        self.writes.len() + self.probes.len() + self.resets.len()
    }
}

/// Answers some with a failure.
pub(super) fn fail<T>(replies: impl IntoIterator<Item = Reply<T>>, cause: &Unavailable) {
    for reply in replies {
        // Whoever has gone needs no answer, here and below.
        let _ = reply.send(Err(cause.clone()));
    }
}

/// Answers everybody with the same.
pub(super) fn answer<T: Clone>(
    replies: impl IntoIterator<Item = Reply<T>>,
    result: &Result<T, Unavailable>,
) {
    for reply in replies {
        let _ = reply.send(result.clone());
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.batch.is_empty() && !self.is_closed
    }

    fn admits(&self) -> Result<(), Unavailable> {
        if self.is_closed {
            return Err(stopped());
        }
        if let Some(cause) = &self.refusal {
            return Err(cause.clone());
        }
        if self.batch.len() >= LIMIT {
            return Err(Unavailable::new("too many writes wait for the disk"));
        }
        Ok(())
    }
}

fn stopped() -> Unavailable {
    Unavailable::new("the storage has stopped")
}

/// A disk that hangs must not collect requests without end.
const LIMIT: usize = 8192;
