//! What was ended in the last minute, so that it can be ended again.
//!
//! A server that answers before its replicas have heard may take a write with it when it dies, and the one that takes
//! its place knows nothing of it. Of data that is a second's worth; of a logout it is a session that is back. So who has
//! acknowledged an end remembers it for a while, and sees to it when there is another master.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::storage::Unavailable;

use super::rows::contended;
use super::{Engine, TOMBSTONE, TRIES};
use crate::session::{Address, Family, State, Timestamp};
use crate::storage::Versioned;

/// Who ended, in two kinds of rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// The row of a session became a tombstone.
    Row(Address),
    /// A session was taken off a roster.
    Member(Address, Family),
}

/// The last ends, oldest first. A minute of them, or as many as fit in two megabytes: a hundred a second, all the time.
#[derive(Default)]
pub(super) struct Revocations(Mutex<VecDeque<(Timestamp, Ended)>>);

impl Revocations {
    pub(super) fn remember(&self, ended: Ended, now: Timestamp) {
        let mut known = self.known(now);
        if known.len() == MOST {
            known.pop_front();
        }
        known.push_back((now, ended));
    }

    pub(super) fn recent(&self, now: Timestamp) -> Vec<Ended> {
        self.known(now).iter().map(|(_, ended)| *ended).collect()
    }

    fn known(&self, now: Timestamp) -> MutexGuard<'_, VecDeque<(Timestamp, Ended)>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = known.partition_point(|(at, _)| now.since(*at) >= REMEMBERED);
        known.drain(..over);
        known
    }
}

/// Shows nothing: who was logged out is nobody's business.
impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revocations(..)")
    }
}

impl Engine {
    /// Remembers what it ends, for [`end_again`](Self::end_again): for storages that may forget what they acknowledged.
    #[must_use]
    pub fn remembering_ends(self) -> Self {
        Self {
            revocations: Some(Revocations::default()),
            ..self
        }
    }

    /// Ends again what this engine has ended in the last minute and the storage has forgotten, and says how much that
    /// was. Repeating it does no harm.
    ///
    /// # Errors
    /// When the storage does not answer: some may be back still.
    pub async fn end_again(&self) -> Result<usize, Unavailable> {
        let recent = self.revocations.iter();
        let recent: Vec<_> = recent.flat_map(|known| known.recent(self.now())).collect();
        let mut count = 0;
        for ended in recent {
            let was_back = match ended {
                Ended::Row(address) => self.entomb(address).await?,
                Ended::Member(address, family) => self.expel(address, family).await?,
            };
            count += usize::from(was_back);
        }
        Ok(count)
    }

    pub(super) fn remember(&self, ended: Ended) {
        if let Some(known) = &self.revocations {
            known.remember(ended, self.now());
        }
    }

    /// Puts a tombstone over whatever row is there.
    async fn entomb(&self, address: Address) -> Result<bool, Unavailable> {
        for _ in 0..TRIES {
            let version = match self.read(address).await? {
                None => return Ok(false),
                Some(Versioned {
                    state: State::Revoked,
                    ..
                }) => return Ok(false),
                Some(row) => row.version,
            };
            let row = (address, version);
            if self.replace(row, State::Revoked, TOMBSTONE).await? {
                return Ok(true);
            }
        }
        Err(contended())
    }
}

/// Longer than a failover takes, from the last write that the old master acknowledged until the new one is found.
const REMEMBERED: Duration = Duration::from_secs(60);
pub(super) const MOST: usize = 16_384;
