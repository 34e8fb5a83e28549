//! What the row of a session means.
//!
//! ```text
//!            rotate                    rotate             rest of the life
//!   Live  ----------->  Rotating  ----------------> Rotated -----------> (gone)
//!    |                     |                            |
//!    +---------------------+----------------------------+--- revoke ---> Revoked
//! ```
//! Every arrow is one conditional write of one row. No arrow leads back to [`State::Live`]: a session that was
//! revoked stays so whatever else is in flight. A [`State::Roster`] is the row of a principal and never becomes
//! anything else.

use std::sync::Arc;

use super::nonce::Nonce;
use super::record::Record;
use super::roster::Roster;
use super::timestamp::Timestamp;

/// The meaning of a row. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// A session.
    Live(Arc<Record>),
    /// A rotation has begun: nobody writes this record any more, the row of the successor may or may not be there
    /// yet, and nobody was told its id. Whoever meets this state finishes the work.
    Rotating {
        /// With the old id, gives the new one.
        nonce: Arc<Nonce>,
        /// What the successor starts with.
        record: Arc<Record>,
    },
    /// The rotation is over. Requests that still carry the old id find their way for a time of grace; whoever comes
    /// with it later may have stolen it.
    Rotated {
        /// With the old id, gives the new one.
        nonce: Arc<Nonce>,
        /// The end of the grace.
        until: Timestamp,
    },
    /// Not a session, but the sessions of a principal.
    Roster(Arc<Roster>),
    /// The session was ended. Kept for a while so that no late write finds an empty place and fills it.
    Revoked,
}

impl State {
    /// The bytes this state occupies outside of the value itself.
    pub fn footprint(&self) -> usize {
        let record = |record: &Record| SHARED + record.footprint();
        let nonce = SHARED + size_of::<Nonce>();
        match self {
            Self::Live(data) => record(data),
            Self::Rotating { record: data, .. } => nonce + record(data),
            Self::Rotated { .. } => nonce,
            Self::Roster(roster) => SHARED + roster.footprint(),
            Self::Revoked => 0,
        }
    }
}

// The two counters in front of what an `Arc` points to.
const SHARED: usize = 2 * size_of::<usize>();
