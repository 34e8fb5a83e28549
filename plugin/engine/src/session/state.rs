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

/// The meaning of a row. Cheap to clone, and four words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// A session.
    Live(Record),
    /// A rotation has begun: nobody writes this record any more, the row of the successor may or may not be there
    /// yet, and nobody was told its id. Whoever meets this state finishes the work.
    Rotating(Arc<Rotating>),
    /// The rotation is over. Requests that still carry the old id find their way for a time of grace; whoever comes
    /// with it later may have stolen it.
    Rotated(Arc<Rotated>),
    /// Not a session, but the sessions of a principal.
    Roster(Roster),
    /// The session was ended. Kept for a while so that no late write finds an empty place and fills it.
    Revoked,
}

/// A rotation that may still come to nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotating {
    /// With the old id, gives the new one.
    pub nonce: Nonce,
    /// What the successor starts with.
    pub record: Record,
}

/// A rotation that happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotated {
    /// With the old id, gives the new one.
    pub nonce: Nonce,
    /// The end of the grace.
    pub until: Timestamp,
}

impl State {
    /// The bytes this state occupies outside of the value itself.
    pub fn footprint(&self) -> usize {
        match self {
            Self::Live(record) => record.footprint(),
            Self::Rotating(rotating) => {
                SHARED + size_of::<Rotating>() + rotating.record.footprint()
            }
            Self::Rotated(_) => SHARED + size_of::<Rotated>(),
            Self::Roster(roster) => roster.footprint(),
            Self::Revoked => 0,
        }
    }
}

// The two counters in front of what an `Arc` points to.
const SHARED: usize = 2 * size_of::<usize>();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_takes_four_words() {
        assert_eq!(size_of::<State>(), 4 * size_of::<usize>());
    }
}
