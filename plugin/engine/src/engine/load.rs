//! From an id to the session, wherever rotations have taken it.

use std::sync::Arc;

use abi::Maybe;
use abi::storage::{Key, Loaded, Unavailable};

use super::event::{Event, Refusal};
use super::outcome::Stop;
use super::rows::{Place, contended};
use super::session::Session;
use super::{Engine, TRIES};
use crate::session::{Record, SessionId, State};
use crate::storage::Versioned;

/// On what grounds somebody asks for the session of an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Claim {
    /// A client has just come with it.
    Presented,
    /// It was valid when the request began, however long ago that was.
    Held,
}

impl Engine {
    /// Finds the session that `id` leads to.
    ///
    /// One round trip, at once and without an allocation when the rows are in memory: the session's row and, when it
    /// belongs to somebody, the roster that must name it. Through an id that was rotated the successor is found and
    /// its id is in the answer. A rotation that somebody began and did not finish is finished here, before anyone
    /// learns the new id.
    ///
    /// A retired id that comes after its grace, when its successor was already in use, was stolen or is in the hands
    /// of the victim: the session is over for both.
    pub fn load(&self, id: &SessionId) -> Maybe<'_, Loaded<Session>> {
        let place = self.place(id.clone());
        match self.rows.load(place.address) {
            Maybe::Ready(loaded) => self.settle(place, loaded),
            Maybe::Pending(read) => {
                // Remembered from the last time, so that both rows come with one round trip.
                let roster = self
                    .hints
                    .recall(place.address.key())
                    .map(|key| (key, self.rows.load(key.into())));
                Maybe::task(async move {
                    let Some((key, roster)) = roster else {
                        return self.settle(place, read.await).wait().await;
                    };
                    let (loaded, roster) = tokio::join!(read, roster.wait());
                    self.settle_with(place, loaded, (key, roster)).wait().await
                })
            }
        }
    }

    /// As [`settle`](Self::settle), with the roster that the session is believed to be on.
    fn settle_with(
        &self,
        place: Place,
        loaded: Loaded<Versioned>,
        (key, roster): (Key, Loaded<Versioned>),
    ) -> Maybe<'_, Loaded<Session>> {
        match loaded {
            Loaded::Found(Versioned {
                version,
                state: State::Live(record),
            }) if record.roster() == Some(key) => match self.alive(place, version, record) {
                Some(session) => self.on_roster(session, roster).into(),
                None => Loaded::Absent.into(),
            },
            loaded => self.settle(place, loaded),
        }
    }

    fn settle(&self, place: Place, loaded: Loaded<Versioned>) -> Maybe<'_, Loaded<Session>> {
        let row = match loaded {
            Loaded::Found(row) => row,
            Loaded::Absent => return self.under_older_secrets(place),
            Loaded::Unavailable(cause) => return Loaded::Unavailable(cause).into(),
        };
        self.settle_row(place, row)
    }

    /// What an id leads to that leads nowhere under the newest secret.
    fn under_older_secrets(&self, Place { id, .. }: Place) -> Maybe<'_, Loaded<Session>> {
        let keyring = &self.policy.keyring;
        if !keyring.has_older() {
            return Loaded::Absent.into();
        }
        Maybe::task(async move {
            let older = keyring.addresses(&id).skip(1);
            match self.locate_at(older, &id).await {
                Ok(Some((place, row))) => self.settle_row(place, row).wait().await,
                Ok(None) => Loaded::Absent,
                Err(cause) => Loaded::Unavailable(cause),
            }
        })
    }

    fn settle_row(&self, place: Place, row: Versioned) -> Maybe<'_, Loaded<Session>> {
        match row.state {
            State::Live(record) => self.admitted(place, row.version, record),
            State::Revoked | State::Roster(_) => {
                self.happened(Event::Refused(Refusal::Revoked), place.address.key());
                Loaded::Absent.into()
            }
            State::Rotating(_) | State::Rotated(_) => Maybe::task(async move {
                match self.follow(place, Some(row), Claim::Presented).await {
                    Ok(session) => session.map_or(Loaded::Absent, Loaded::Found),
                    Err(cause) => Loaded::Unavailable(cause),
                }
            }),
        }
    }

    /// The session of a live row, if its clocks and its roster say so.
    fn admitted(
        &self,
        place: Place,
        version: u64,
        record: Arc<Record>,
    ) -> Maybe<'_, Loaded<Session>> {
        let Some(session) = self.alive(place, version, record) else {
            return Loaded::Absent.into();
        };
        let Some(roster) = session.record.roster() else {
            return Loaded::Found(session).into();
        };
        match self.rows.load(roster.into()) {
            Maybe::Ready(loaded) => self.on_roster(session, loaded).into(),
            Maybe::Pending(read) => {
                self.hints.remember(session.key(), roster);
                Maybe::task(async move { self.on_roster(session, read.await) })
            }
        }
    }

    fn alive(&self, place: Place, version: u64, record: Arc<Record>) -> Option<Session> {
        let key = place.address.key();
        self.session(place, version, record)
            .map_err(|end| self.happened(Event::Expired(end), key))
            .ok()
    }

    fn on_roster(&self, session: Session, roster: Loaded<Versioned>) -> Loaded<Session> {
        match roster {
            Loaded::Unavailable(cause) => return Loaded::Unavailable(cause),
            Loaded::Found(Versioned {
                state: State::Roster(roster),
                ..
            }) if roster.entry(session.record.family()).is_some() => {
                return Loaded::Found(session);
            }
            Loaded::Found(_) | Loaded::Absent => {}
        }
        self.happened(Event::Refused(Refusal::Revoked), session.key());
        Loaded::Absent
    }

    /// Finds the session of `id` once more, after a conflict.
    pub(super) async fn resolve(&self, id: &SessionId) -> Result<Option<Session>, Unavailable> {
        match self.locate(id).await? {
            Some((place, row)) => self.follow(place, Some(row), Claim::Held).await,
            None => Ok(None),
        }
    }

    /// Goes from row to row until one is live or there is none, finishing every rotation on the way.
    pub(super) async fn follow(
        &self,
        mut place: Place,
        mut row: Option<Versioned>,
        claim: Claim,
    ) -> Result<Option<Session>, Unavailable> {
        let mut trail = Trail::default();
        for _ in 0..TRIES {
            let Some(Versioned { version, state }) = row else {
                return Ok(None);
            };
            match state {
                State::Live(record) if trail.is_theft(&record) => {
                    return self.stolen(&place.id).await.map(|()| None);
                }
                State::Live(record) => {
                    let session =
                        known_session(self.admitted(place, version, record).wait().await)?;
                    return Ok(session.map(|session| trail.mark(session)));
                }
                State::Revoked | State::Roster(_) => return Ok(None),
                State::Rotated(rotated) => {
                    trail.step(claim == Claim::Presented && rotated.until <= self.now());
                    let Some(next) = self.place_after(&place, &rotated.nonce) else {
                        return Ok(None);
                    };
                    place = next;
                }
                State::Rotating(rotating) => {
                    match self.finish((&place, version), &rotating).await {
                        Ok(Some(session)) => return Ok(Some(session)),
                        Ok(None) => {}
                        Err(Stop::Unavailable(cause)) => return Err(cause),
                        Err(Stop::Lost | Stop::Refused(_)) => return Ok(None),
                    }
                }
            }
            row = self.read(place.address).await?;
        }
        Err(contended())
    }

    async fn stolen(&self, id: &SessionId) -> Result<(), Unavailable> {
        if !self.policy.revokes_on_reuse {
            return Ok(());
        }
        self.end(id, Event::ReuseDetected).await.map(|_| ())
    }
}

/// The retired ids that led to a session.
#[derive(Default)]
struct Trail {
    steps: usize,
    is_late: bool,
}

impl Trail {
    fn step(&mut self, is_late: bool) {
        self.steps += 1;
        self.is_late |= is_late;
    }

    /// Whether somebody else has the new id: it was used already. If it never was, the client with the old id is the
    /// one that the new one never reached.
    fn is_theft(&self, record: &Record) -> bool {
        self.is_late && (self.steps > 1 || record.is_confirmed())
    }

    /// A session that was reached by an old id has not been seen with its new one, and waits for that.
    fn mark(&self, session: Session) -> Session {
        let is_direct = self.steps == 0;
        Session {
            is_due: session.is_due && is_direct,
            is_touch_due: session.is_touch_due && is_direct,
            ..session
        }
    }
}

fn known_session(loaded: Loaded<Session>) -> Result<Option<Session>, Unavailable> {
    match loaded {
        Loaded::Found(session) => Ok(Some(session)),
        Loaded::Absent => Ok(None),
        Loaded::Unavailable(cause) => Err(cause),
    }
}
