//! The operations on sessions, and the only write path to their rows.
//!
//! Each operation is a sequence of conditional writes of single rows; nothing here needs a lock, a transaction or two
//! rows to change together, so the same code holds on every storage. What makes an operation happen is always *one*
//! of its writes, named in its documentation; a gateway may die before or after any other, and whoever comes next
//! finishes the work.
//!
//! One assumption is made about time: no operation stalls for longer than [`TOMBSTONE`] between two of its writes.

mod attend;
mod contest;
mod create;
mod event;
mod follow;
mod hints;
mod lease;
mod links;
mod load;
mod outcome;
mod patch;
mod policy;
mod recall;
mod regenerate;
mod revocations;
mod revoke;
mod roster;
mod rotate;
mod rows;
mod session;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::storage::Unavailable;

use crate::clock::Clock;
use crate::session::Timestamp;
use crate::storage::Rows;

use self::contest::Queues;
use self::hints::Hints;
use self::revocations::Revocations;

pub(crate) use attend::Closeness;
pub use event::{Cause, Change, Event, Observer, Occasion, Refusal};
pub(crate) use follow::Claim;
pub use lease::Lease;
pub use links::{Link, Linked, Linking};
pub use outcome::{Revoked, Saved};
pub use policy::Policy;
pub use session::Session;

/// Sessions in one storage, with one policy. Several engines, in this process and in others, may share a storage.
pub struct Engine {
    rows: Arc<dyn Rows>,
    clock: Arc<dyn Clock>,
    policy: Policy,
    observer: Arc<dyn Observer>,
    hints: Hints,
    queues: Queues,
    /// None where the storage never forgets what it acknowledged.
    revocations: Option<Revocations>,
}

impl Engine {
    /// Works on `rows`, by `clock`, as `policy` says. Nobody hears of what happens, until
    /// [`observed_by`](Self::observed_by) names somebody.
    pub fn new(rows: Arc<dyn Rows>, clock: Arc<dyn Clock>, policy: Policy) -> Self {
        Self {
            rows,
            clock,
            policy,
            observer: Arc::new(()),
            hints: Hints::default(),
            queues: Queues::default(),
            revocations: None,
        }
    }

    /// Reports to `observer` from now on.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// The rules of this engine.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The time by which this engine judges.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Proves that the storage can be read and written now.
    pub fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    /// Ends every session in the storage and says how many rows there were, rosters and tombstones among them. Unlike [`revoke`](Self::revoke) it leaves
    /// no tombstones: a rotation in flight may bring its session back.
    pub fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows.reset()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// How long a revoked row stays, so that what is still in flight finds it and gives up.
pub const TOMBSTONE: Duration = Duration::from_secs(300);

// A conflict means that somebody else succeeded, so this many in a row are no longer a race but a fault.
const TRIES: usize = 1000;

#[cfg(test)]
mod tests;
