//! A session as it was found or stored: what a caller works with and hands back.

use abi::storage::Key;

use super::rows::Place;
use crate::session::{Address, Record, RowName, SessionId};

/// A session, the id it has now, and the version of its row.
///
/// A snapshot: others may change or end the session meanwhile, and every operation that takes a snapshot finds out.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) id: SessionId,
    pub(super) name: RowName,
    pub(super) version: u64,
    pub(super) record: Record,
    pub(super) is_due: bool,
    pub(super) is_touch_due: bool,
}

/// Two snapshots of one write are equal, whenever they were taken.
impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.version, &self.record) == (&other.id, other.version, &other.record)
    }
}

impl Eq for Session {}

impl Session {
    pub(super) fn place(&self) -> Place {
        Place {
            id: self.id.clone(),
            address: self.address(),
        }
    }

    pub(super) fn address(&self) -> Address {
        self.name.address(&self.id)
    }

    /// The id it has now. When it is not the one that was asked for, a rotation came in between and the client needs
    /// a new cookie.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// The name of its row, which may appear in logs.
    pub fn key(&self) -> Key {
        self.name.key()
    }

    /// Whether its row is named by the newest secret. If not, it is due, and the older secret cannot go before it.
    pub fn is_newest(&self) -> bool {
        self.name.is_newest()
    }

    /// Counts its writes under this id.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What it holds.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Whether it should be [rotated](super::Engine::rotate).
    pub fn is_due(&self) -> bool {
        self.is_due
    }

    /// Whether its use should be [written down](super::Engine::touch).
    pub fn is_touch_due(&self) -> bool {
        self.is_touch_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // What is larger than 128 bytes is moved by a call, and a load moves a session several times.
    #[test]
    fn a_session_is_moved_without_a_call() {
        assert!(size_of::<Session>() <= 128, "{}", size_of::<Session>());
    }
}
