//! What is remembered of a session while its storage does not answer.

use abi::storage::Key;

use super::Engine;
use super::load::is_named;
use super::rows::Place;
use crate::session::{Record, SessionId, State};

impl Engine {
    /// The session that `id` led to when the storage last said so, if that is not too long ago: as long as copies of
    /// rows count. To be read: whatever writes has to [load](Self::load_anew) it first.
    ///
    /// Its clocks count, and so does a roster that did not name it any more. Nothing is finished, written or told, so a
    /// retired id leads on during its grace and nowhere afterwards.
    pub fn recall(&self, id: &SessionId) -> Option<Record> {
        let mut addresses = self.policy.keyring.addresses(id);
        let (mut place, mut row) = addresses.find_map(|address| {
            let id = id.clone();
            Some((Place { id, address }, self.rows.recall(address)?))
        })?;
        for _ in 0..STEPS {
            match row.state {
                State::Live(record) => return self.is_recalled_alive(&record).then_some(record),
                State::Rotated(rotated) if self.now() < rotated.until => {
                    place = self.place_after(&place, &rotated.nonce)?;
                    row = self.rows.recall(place.address)?;
                }
                State::Rotated(_) | State::Rotating(_) | State::Revoked | State::Roster(_) => {
                    return None;
                }
            }
        }
        None
    }

    fn is_recalled_alive(&self, record: &Record) -> bool {
        let is_alive = self.policy.lifetime.remaining(record, self.now()).is_ok();
        let is_member = |roster: Key| {
            let roster = self.rows.recall(roster.into());
            roster.is_some_and(|roster| is_named(record, &roster))
        };
        is_alive && record.roster().is_none_or(is_member)
    }
}

// Within one grace a session is renewed once, or twice where two gateways disagree about it.
const STEPS: usize = 4;
