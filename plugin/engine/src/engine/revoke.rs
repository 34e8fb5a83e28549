//! A session ends, for good.

use abi::storage::Unavailable;

use super::event::{Cause, Event};
use super::outcome::Revoked;
use super::revocations::Ended;
use super::rows::contended;
use super::{Engine, TOMBSTONE, TRIES};
use crate::session::{Address, Record, SessionId, State};
use crate::storage::Versioned;

impl Engine {
    /// Ends the session that `id` leads to, through any rotation.
    ///
    /// It happens with one write: a tombstone replaces the live row, or the row of a rotation that has not happened
    /// yet. The tombstone outlasts everything in flight, and no operation writes over one, so nothing brings the
    /// session back. An id that leads nowhere costs no write.
    pub async fn revoke(&self, id: &SessionId) -> Revoked {
        self.revoke_for(id, Cause::Logout).await
    }

    /// As [`revoke`](Self::revoke), with the cause that is told.
    pub async fn revoke_for(&self, id: &SessionId, cause: Cause) -> Revoked {
        match self.end(id, Event::Revoked(cause)).await {
            Ok(true) => Revoked::Done,
            Ok(false) => Revoked::Absent,
            Err(cause) => Revoked::Unavailable(cause),
        }
    }

    /// Ends a session and says whether there was one.
    pub(super) async fn end(&self, id: &SessionId, event: Event) -> Result<bool, Unavailable> {
        let Some((mut place, row)) = self.locate(id).await? else {
            return Ok(false);
        };
        let mut found = Some(row);
        for _ in 0..TRIES {
            let Some(Versioned { version, state }) = found else {
                return Ok(false);
            };
            let (successor, record) = match state {
                State::Live(record) => (None, record),
                State::Revoked | State::Roster(_) => return Ok(false),
                State::Rotated(rotated) => {
                    let Some(next) = self.place_after(&place, &rotated.nonce) else {
                        return Ok(false);
                    };
                    place = next;
                    found = self.read(place.address).await?;
                    continue;
                }
                State::Rotating(rotating) => (
                    self.place_after(&place, &rotating.nonce),
                    rotating.record.clone(),
                ),
            };
            if self
                .replace((place.address, version), State::Revoked, TOMBSTONE)
                .await?
            {
                self.remember(Ended::Row(place.address));
                if let Some(successor) = successor {
                    self.bury(successor.address).await;
                }
                return Ok(self.ended(&record, (event, place.address)).await);
            }
            found = self.read(place.address).await?;
        }
        Err(contended())
    }

    async fn ended(&self, record: &Record, (event, address): (Event, Address)) -> bool {
        self.strike(record, &address).await;
        self.happened(event, address.key());
        true
    }

    /// Takes the place of a successor that nobody was told of. The session is over already and this only tidies up,
    /// so an outage does not matter: the row would lie there, known to no one, until its time runs out.
    async fn bury(&self, address: Address) {
        let taken = self.add(address, State::Revoked, TOMBSTONE).await;
        if taken == Ok(false) {
            let _ = self.replace((address, 1), State::Revoked, TOMBSTONE).await;
        }
    }
}
