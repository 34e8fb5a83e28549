//! From an id to the session, wherever rotations have taken it.

use std::sync::Arc;

use abi::Maybe;
use abi::storage::{Key, Loaded, Unavailable};

use super::event::{Event, Refusal};
use super::outcome::Stop;
use super::rows::{Place, contended};
use super::session::Session;
use super::{Engine, TRIES};
use crate::session::{Address, Record, SessionId, State};
use crate::storage::Versioned;

/// On what grounds somebody asks for the session of an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Claim {
    /// A client has just come with it.
    Presented,
    /// It was valid when the request began, however long ago that was.
    Held,
}

/// What an answer may rest on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// Also on copies in this process, where the storage keeps some.
    Copies,
    /// On what the storage says now.
    Storage,
}

impl Engine {
    /// Finds the session that `id` leads to.
    ///
    /// One round trip, or none and no allocation when the rows or copies of them are in memory: the session's row and,
    /// when it belongs to somebody, the roster that must name it. A copy can only say yes: before a session is refused,
    /// the storage is asked. Through an id that was rotated the successor is found and
    /// its id is in the answer. A rotation that somebody began and did not finish is finished here, before anyone
    /// learns the new id.
    ///
    /// A retired id that comes after its grace, when its successor was already in use, was stolen or is in the hands
    /// of the victim: the session is over for both.
    pub fn load(&self, id: &SessionId) -> Maybe<'_, Loaded<Session>> {
        self.find(id, Source::Copies)
    }

    /// As [`load`](Self::load), and never from a copy: what was ended anywhere is not found.
    pub fn load_anew(&self, id: &SessionId) -> Maybe<'_, Loaded<Session>> {
        self.find(id, Source::Storage)
    }

    fn find(&self, id: &SessionId, source: Source) -> Maybe<'_, Loaded<Session>> {
        let place = self.place(id.clone());
        match self.ask(source, place.address) {
            Maybe::Ready(loaded) if source == Source::Copies && self.is_over(&loaded) => {
                self.find(id, Source::Storage)
            }
            Maybe::Ready(loaded) => self.settle(place, loaded, source),
            Maybe::Pending(read) => {
                // Remembered from the last time, so that both rows come with one round trip.
                let roster = self
                    .hints
                    .recall(place.address.key())
                    .map(|key| (key, self.ask(source, key.into())));
                Maybe::task(async move {
                    let Some((key, roster)) = roster else {
                        return self.settle(place, read.await, source).wait().await;
                    };
                    let (loaded, roster) = tokio::join!(read, roster.wait());
                    match self.settle_at_once(&place, &loaded, (key, roster)) {
                        Some(settled) => settled,
                        None => self.settle(place, loaded, source).wait().await,
                    }
                })
            }
        }
    }

    fn ask(&self, source: Source, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        match source {
            Source::Copies => self.rows.load(address),
            Source::Storage => self.rows.reread(address),
        }
    }

    /// Whether a session has no time left, unless somebody has prolonged it since.
    fn is_over(&self, loaded: &Loaded<Versioned>) -> bool {
        let Loaded::Found(Versioned {
            state: State::Live(record),
            ..
        }) = loaded
        else {
            return false;
        };
        let left = self.policy.lifetime.remaining(record, self.now());
        left.is_err()
    }

    /// As [`settle`](Self::settle), if the session is on the roster that it is believed to be on.
    fn settle_at_once(
        &self,
        place: &Place,
        loaded: &Loaded<Versioned>,
        (key, roster): (Key, Loaded<Versioned>),
    ) -> Option<Loaded<Session>> {
        match loaded {
            Loaded::Found(Versioned {
                version,
                state: State::Live(record),
            }) if record.roster() == Some(key) && is_found_on(record, &roster) => {
                let session = self.alive(place.clone(), *version, Arc::clone(record));
                Some(session.map_or(Loaded::Absent, Loaded::Found))
            }
            _ => None,
        }
    }

    fn settle(
        &self,
        place: Place,
        loaded: Loaded<Versioned>,
        source: Source,
    ) -> Maybe<'_, Loaded<Session>> {
        let row = match loaded {
            Loaded::Found(row) => row,
            Loaded::Absent => return self.under_older_secrets(place, source),
            Loaded::Unavailable(cause) => return Loaded::Unavailable(cause).into(),
        };
        self.settle_row(place, row, source)
    }

    /// What an id leads to that leads nowhere under the newest secret.
    fn under_older_secrets(
        &self,
        Place { id, .. }: Place,
        source: Source,
    ) -> Maybe<'_, Loaded<Session>> {
        let keyring = &self.policy.keyring;
        if !keyring.has_older() {
            return Loaded::Absent.into();
        }
        Maybe::task(async move {
            let older = keyring.addresses(&id).skip(1);
            match self.locate_at(older, &id).await {
                Ok(Some((place, row))) => self.settle_row(place, row, source).wait().await,
                Ok(None) => Loaded::Absent,
                Err(cause) => Loaded::Unavailable(cause),
            }
        })
    }

    fn settle_row(
        &self,
        place: Place,
        row: Versioned,
        source: Source,
    ) -> Maybe<'_, Loaded<Session>> {
        match row.state {
            State::Live(record) => self.admitted(place, (row.version, record), source),
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
        (version, record): (u64, Arc<Record>),
        source: Source,
    ) -> Maybe<'_, Loaded<Session>> {
        let Some(session) = self.alive(place, version, record) else {
            return Loaded::Absent.into();
        };
        let Some(roster) = session.record.roster() else {
            return Loaded::Found(session).into();
        };
        let asked = match self.ask(source, roster.into()) {
            // Somebody may have put it there since.
            Maybe::Ready(loaded) if !is_found_on(&session.record, &loaded) => {
                self.ask(Source::Storage, roster.into())
            }
            asked => asked,
        };
        match asked {
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
        if is_found_on(&session.record, &roster) {
            return Loaded::Found(session);
        }
        if let Loaded::Unavailable(cause) = roster {
            return Loaded::Unavailable(cause);
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
                    let live = (version, record);
                    let admitted = self.admitted(place, live, Source::Storage).wait().await;
                    let session = known_session(admitted)?;
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

/// Whether this is a roster, and the session on it.
pub(super) fn is_named(record: &Record, row: &Versioned) -> bool {
    match &row.state {
        State::Roster(roster) => roster.entry(record.family()).is_some(),
        State::Live(_) | State::Revoked | State::Rotated(_) | State::Rotating(_) => false,
    }
}

fn is_found_on(record: &Record, roster: &Loaded<Versioned>) -> bool {
    matches!(roster, Loaded::Found(row) if is_named(record, row))
}

fn known_session(loaded: Loaded<Session>) -> Result<Option<Session>, Unavailable> {
    match loaded {
        Loaded::Found(session) => Ok(Some(session)),
        Loaded::Absent => Ok(None),
        Loaded::Unavailable(cause) => Err(cause),
    }
}
