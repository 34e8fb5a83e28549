//! A session begins.

use abi::storage::{Key, Unavailable};

use super::event::Event;
use super::outcome::{Attempt, Saved, Stop};
use super::rows::Place;
use super::session::Session;
use super::{Engine, TOMBSTONE};
use crate::session::{Deltas, Device, Family, Record, SessionId, State};

impl Engine {
    /// Stores a new session with what `deltas` set, under an id that nobody else knows.
    ///
    /// One write, only where nothing is. A session that belongs to somebody needs a second one: it begins when the
    /// roster of its principal names it, and a row that no roster names is dead. [`Saved::Lost`] only when the deltas
    /// themselves end the session; [`Saved::Refused`] at the limits of the policy.
    pub async fn create(&self, deltas: &Deltas) -> Saved {
        let attempt = self.try_create(deltas, None).await;
        if let Ok(session) = &attempt {
            self.happened(Event::Created, session.key());
        }
        attempt.into()
    }

    /// As [`create`](Self::create), in place of a session that is over.
    pub(super) async fn try_create(
        &self,
        deltas: &Deltas,
        replaced: Option<Family>,
    ) -> Attempt<Session> {
        let place = self.place(self.new_id()?);
        let lifetime = &self.policy.lifetime;
        let blank = lifetime.begin(self.new_family()?, self.now());
        let record = self.belonging(lifetime.merge(&blank, deltas), place.address.key())?;
        let keep = lifetime
            .remaining(&record, self.now())
            .map_err(|_| Stop::Lost)?;
        if !self
            .add(place.address, State::Live(record.clone()), keep)
            .await?
        {
            // 256 random bits do not repeat. If they seem to, nothing else about them can be trusted.
            return Err(Unavailable::new("a new session id was already taken").into());
        }
        self.join(&place, (&record, deltas.device()), replaced)
            .await?;
        self.session(place, 1, record).map_err(|_| Stop::Lost)
    }

    /// The record as a member of its principal's roster, unless it is too large.
    pub(super) fn belonging(&self, record: Record, key: Key) -> Attempt<Record> {
        self.check_size(&record, key)?;
        let principal = self.policy.principal_of(record.attributes());
        let roster = principal
            .and_then(|principal| self.policy.keyring.rosters(&principal).first().copied());
        Ok(record.on_roster(roster.map(|roster| roster.key())))
    }

    /// Makes a session whose row was just written a living one. One that it replaces does not count for the limit, and goes
    /// by itself.
    pub(super) async fn join(
        &self,
        place: &Place,
        (record, device): (&Record, Option<&Device>),
        replaced: Option<Family>,
    ) -> Attempt<()> {
        let Some(principal) = self.policy.principal_of(record.attributes()) else {
            return Ok(());
        };
        let entry = self.entry(record, device.cloned());
        let admitted = self.admit(&principal, entry, replaced).await;
        if let Err(Stop::Refused(_)) = admitted {
            // Dead already, as no roster names it. An outage leaves it lying there until its time runs out.
            let row = (place.address, 1);
            let _ = self.replace(row, State::Revoked, TOMBSTONE).await;
        }
        admitted
    }

    /// An outage of randomness is an outage.
    pub(super) fn new_id(&self) -> Result<SessionId, Unavailable> {
        SessionId::generate().map_err(|error| Unavailable::new(error.to_string()))
    }

    pub(super) fn new_family(&self) -> Result<Family, Unavailable> {
        Family::generate().map_err(|error| Unavailable::new(error.to_string()))
    }
}
