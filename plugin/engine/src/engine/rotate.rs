//! A session gets a new id and a fresh life, while requests with the old id are under way.
//!
//! ```text
//!  step   row of the old id                    row of the new id
//!   1     Live --> Rotating { nonce, record }
//!   2                                          (nothing) --> Live
//!   3     Rotating --> Rotated { nonce }
//! ```
//! Step 1 has one winner, and its nonce decides the new id for everybody. From then on the old record is frozen, so
//! nothing can be written that the new row would miss. Steps 2 and 3 are the same whoever does them: each happens
//! once, and everybody who meets [`State::Rotating`] does them.
//!
//! Step 3 is what makes the rotation happen. Nobody is told the new id before, so a new row whose step 3 never comes
//! belongs to no one; and step 3 competes with a logout for the same row, so exactly one of the two happens first.

use std::time::Duration;

use abi::storage::Unavailable;

use super::event::{Event, Occasion};
use super::follow::Claim;
use super::outcome::{Attempt, Saved, Stop};
use super::rows::{Place, contended};
use super::session::Session;
use super::{Engine, TRIES};
use crate::session::{Record, Rotated, Rotating, State};
use crate::storage::Versioned;

impl Engine {
    /// Gives the session a new id and a fresh life; the data stays.
    ///
    /// However many rotate at once, there is one successor and all of them are told its id. The old id leads to it
    /// for the grace of the [policy](super::Policy). It happens with step 3 of the module's table.
    pub async fn rotate(&self, session: &Session) -> Saved {
        self.try_rotate(session).await.into()
    }

    async fn try_rotate(&self, snapshot: &Session) -> Attempt<Session> {
        let mut session = self.current(snapshot).await?;
        for _ in 0..TRIES {
            if session.id != snapshot.id {
                return Ok(session);
            }
            let begun = self.begin_rotation(&session).await?;
            if begun.is_some() {
                let place = session.place();
                return self
                    .follow(place, begun, Claim::Held)
                    .await?
                    .ok_or(Stop::Lost);
            }
            // A write came first, or somebody else's rotation. If not, the session still waits for its new id.
            session = self.resolve(&session.id).await?.ok_or(Stop::Lost)?;
        }
        Err(contended().into())
    }

    /// Step 1: the row of the old id, if this was the winner.
    ///
    /// Kept for the rest of the session's life: if everybody dies here, the old cookie is all there is.
    async fn begin_rotation(&self, session: &Session) -> Result<Option<Versioned>, Unavailable> {
        let nonce = self
            .policy
            .keyring
            .nonce()
            .map_err(|error| Unavailable::new(error.to_string()))?;
        let record = session.record.clone();
        let left = self.policy.lifetime.remaining(&record, self.now());
        let keep = left.unwrap_or_default() + BROOM;
        let state = State::Rotating(Rotating { nonce, record }.into());
        let won = self
            .replace((session.address(), session.version), state.clone(), keep)
            .await?;
        Ok(won.then(|| Versioned::after(session.version, state)))
    }

    /// Steps 2 and 3. Returns the successor if both were done here; otherwise the old row tells what happened.
    pub(super) async fn finish(
        &self,
        (old, version): (&Place, u64),
        Rotating { nonce, record }: &Rotating,
    ) -> Attempt<Option<Session>> {
        let lifetime = &self.policy.lifetime;
        lifetime
            .remaining(record, self.now())
            .map_err(|_| Stop::Lost)?;
        let new = self.place_after(old, nonce).ok_or(Stop::Lost)?;
        let (occasion, renewed) = self.renewed(old, record);
        let moved = self
            .move_home(renewed, (&old.address, &new.address))
            .await?;
        let record = moved;
        // A life of nothing is over before this row is read, whatever it is kept for.
        let keep = lifetime.remaining(&record, self.now()).unwrap_or(BROOM);
        let added = self
            .add(new.address, State::Live(record.clone()), keep)
            .await?;
        let rotated = Rotated {
            nonce: *nonce,
            until: self.now().after(self.policy.grace),
        };
        let happened = self
            .replace(
                (old.address, version),
                State::Rotated(rotated.into()),
                keep.max(self.policy.grace) + BROOM,
            )
            .await?;
        if !(added && happened) {
            return Ok(None);
        }
        self.happened(Event::Renewed(occasion), new.address.key());
        self.session(new, 1, record)
            .map(Some)
            .map_err(|_| Stop::Lost)
    }

    /// A fresh life, when it is time for one; what only moves to another secret has its own rule.
    fn renewed(&self, old: &Place, record: &Record) -> (Occasion, Record) {
        let (lifetime, now) = (&self.policy.lifetime, self.now());
        if old.address.is_newest() || lifetime.is_due(record, now) {
            (Occasion::Age, lifetime.renew(record, now))
        } else {
            (Occasion::Secret, lifetime.reissue(record, now))
        }
    }
}

// How much longer than needed a row is kept that others may be about to read.
const BROOM: Duration = Duration::from_secs(10);
