//! Many who want to change one row at a time.
//!
//! Of those who have read a row one may write it, and the others have read and written for nothing: the work of n is as n
//! squared. So whoever has lost once waits in this process for those who lost before, whoever comes while somebody waits
//! does so too, and what is left are the rivals in other gateways, one in each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use abi::storage::{Key, Unavailable};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

use super::rows::contended;
use super::{Engine, TRIES};
use crate::session::Timestamp;

/// The queues of the rows that somebody has lost.
#[derive(Default)]
pub(super) struct Queues(Mutex<BTreeMap<Key, Weak<Queue<()>>>>);

impl Queues {
    /// The queue of a row, if somebody is in it.
    fn known(&self, key: Key) -> Option<Arc<Queue<()>>> {
        let queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.get(&key).and_then(Weak::upgrade)
    }

    fn of(&self, key: Key) -> Arc<Queue<()>> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(&key).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::default();
        queues.insert(key, Arc::downgrade(&queue));
        queue
    }
}

/// Shows nothing: whose rows they are is nobody's business.
impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queues(..)")
    }
}

/// One who wants to change a row. Whoever drops it lets the next one go.
pub(super) struct Contest<'a> {
    engine: &'a Engine,
    key: Key,
    began: Timestamp,
    losses: usize,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Engine {
    /// Waits for the turn to change a row, if others wait.
    ///
    /// # Errors
    /// When that took too long.
    pub(super) async fn contest(&self, key: Key) -> Result<Contest<'_>, Unavailable> {
        let mut contest = Contest {
            engine: self,
            key,
            began: self.now(),
            losses: 0,
            turn: None,
        };
        if let Some(queue) = self.queues.known(key) {
            contest.turn = Some(queue.lock_owned().await);
            contest.check_time()?;
        }
        Ok(contest)
    }
}

impl Contest<'_> {
    /// Somebody else came first. Waits for the turn to try again.
    ///
    /// # Errors
    /// When that went on for too long.
    pub(super) async fn lost(&mut self) -> Result<(), Unavailable> {
        if self.turn.is_none() {
            let queue = self.engine.queues.of(self.key);
            self.turn = Some(queue.lock_owned().await);
        }
        self.losses += 1;
        if self.losses >= TRIES {
            return Err(contended());
        }
        self.check_time()
    }

    fn check_time(&self) -> Result<(), Unavailable> {
        if self.engine.now().since(self.began) < LONGEST {
            Ok(())
        } else {
            Err(contended())
        }
    }
}

/// Whoever waits for an answer is gone after more.
const LONGEST: Duration = Duration::from_secs(5);
