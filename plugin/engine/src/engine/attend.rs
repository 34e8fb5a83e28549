//! Whether a session still stands that somebody goes on using without asking for it.

use abi::Maybe;
use abi::storage::Loaded;

use super::Engine;
use super::load::is_found_on;
use super::rows::Place;
use crate::session::{Record, SessionId, State};
use crate::storage::Versioned;

/// How close to the storage an answer has to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Closeness {
    /// A copy that counts for a request counts here.
    Copies,
    /// Nothing but the storage counts.
    Storage,
}

impl Engine {
    /// Finds out whether the session that was found under `id` a while ago still stands, and under which id by now.
    ///
    /// Nobody has come with the id: it is no use of the session, a retired id is no theft, and nothing is written but
    /// what completes a rotation. Where rows or copies of them are in memory, there is no round trip.
    pub(crate) fn attend(
        &self,
        id: &SessionId,
        closeness: Closeness,
    ) -> Maybe<'_, Loaded<SessionId>> {
        let place = self.place(id.clone());
        match closeness {
            Closeness::Storage => Maybe::task(self.attend_anew(place.id)),
            Closeness::Copies => match self.rows.load(place.address) {
                Maybe::Ready(loaded) => self.judge(place, loaded),
                Maybe::Pending(read) => Maybe::task(async move {
                    let loaded = read.await;
                    self.judge(place, loaded).wait().await
                }),
            },
        }
    }

    fn judge(&self, place: Place, loaded: Loaded<Versioned>) -> Maybe<'_, Loaded<SessionId>> {
        let record = match loaded {
            Loaded::Found(Versioned {
                state: State::Live(record),
                ..
            }) if self.has_time(&record) => record,
            Loaded::Unavailable(cause) => return Loaded::Unavailable(cause).into(),
            // A copy can only say yes; and what moved on has to be followed.
            Loaded::Found(_) | Loaded::Absent => return Maybe::task(self.attend_anew(place.id)),
        };
        let Some(roster) = record.roster() else {
            return Loaded::Found(place.id).into();
        };
        match self.rows.load(roster.into()) {
            Maybe::Ready(loaded) => self.judge_roster(place, &record, loaded),
            Maybe::Pending(read) => Maybe::task(async move {
                let loaded = read.await;
                self.judge_roster(place, &record, loaded).wait().await
            }),
        }
    }

    fn judge_roster(
        &self,
        place: Place,
        record: &Record,
        roster: Loaded<Versioned>,
    ) -> Maybe<'_, Loaded<SessionId>> {
        if is_found_on(record, &roster) {
            return Loaded::Found(place.id).into();
        }
        match roster {
            Loaded::Unavailable(cause) => Loaded::Unavailable(cause).into(),
            Loaded::Found(_) | Loaded::Absent => Maybe::task(self.attend_anew(place.id)),
        }
    }

    async fn attend_anew(&self, id: SessionId) -> Loaded<SessionId> {
        match self.resolve(&id).await {
            Ok(Some(session)) => Loaded::Found(session.id().clone()),
            Ok(None) => Loaded::Absent,
            Err(cause) => Loaded::Unavailable(cause),
        }
    }

    fn has_time(&self, record: &Record) -> bool {
        self.policy.lifetime.remaining(record, self.now()).is_ok()
    }
}
