//! From an id to the session, wherever rotations have taken it.

use abi::Maybe;
use abi::storage::{Key, Loaded};

use super::Engine;
use super::event::Event;
use super::follow::Claim;
use super::rows::Place;
use super::session::Session;
use crate::session::{Address, Record, SessionId, State};
use crate::storage::Versioned;

/// What an answer may rest on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// Also on copies in this process, where the storage keeps some.
    Copies,
    /// On what the storage says now.
    Storage,
}

/// How an id is looked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Terms<'a> {
    source: Source,
    claim: Claim<'a>,
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
        self.load_beside(id, &[])
    }

    /// As [`load`](Self::load), for a client that came with the ids `beside` it as well. A retired id is no theft while it
    /// is beside one that it leads to.
    pub(crate) fn load_beside<'a>(
        &'a self,
        id: &SessionId,
        beside: &'a [SessionId],
    ) -> Maybe<'a, Loaded<Session>> {
        let (source, claim) = (Source::Copies, Claim::Presented(beside));
        self.find(id, Terms { source, claim })
    }

    /// As [`load`](Self::load), and never from a copy: what was ended anywhere is not found.
    pub fn load_anew(&self, id: &SessionId) -> Maybe<'_, Loaded<Session>> {
        self.load_for(id, Claim::Presented(&[]))
    }

    /// As [`load_anew`](Self::load_anew), for whoever has had the id for a while: what was renewed meanwhile is found
    /// under its new id, however long the grace is over by now.
    pub(crate) fn load_for<'a>(
        &'a self,
        id: &SessionId,
        claim: Claim<'a>,
    ) -> Maybe<'a, Loaded<Session>> {
        let source = Source::Storage;
        self.find(id, Terms { source, claim })
    }

    fn find<'a>(&'a self, id: &SessionId, terms: Terms<'a>) -> Maybe<'a, Loaded<Session>> {
        let place = self.place(id.clone());
        match self.ask(terms.source, place.address) {
            Maybe::Ready(loaded) if terms.source == Source::Copies && self.is_over(&loaded) => {
                self.load_for(id, terms.claim)
            }
            Maybe::Ready(loaded) => self.settle(place, loaded, terms),
            Maybe::Pending(read) => match self.hints.recall(place.address.key()) {
                Some(roster) => Maybe::task(self.find_both(place, roster, terms)),
                None => {
                    Maybe::task(async move { self.settle(place, read.await, terms).wait().await })
                }
            },
        }
    }

    /// The session and, as far as is remembered from the last time, its roster: both rows with one round trip.
    async fn find_both(&self, place: Place, key: Key, terms: Terms<'_>) -> Loaded<Session> {
        let both = [place.address, key.into()];
        let [loaded, roster] = self.ask_both(both, terms.source).await;
        match self.settle_at_once(&place, &loaded, (key, roster)) {
            Some(settled) => settled,
            None => self.settle(place, loaded, terms).wait().await,
        }
    }

    async fn ask_both(&self, both: [Address; 2], source: Source) -> [Loaded<Versioned>; 2] {
        // Two rows that are asked for together may come from a replica.
        if source == Source::Copies
            && let Some(together) = self.rows.load_together(both)
        {
            return together.wait().await;
        }
        let [first, second] = both.map(|address| self.ask(source, address).wait());
        tokio::join!(first, second).into()
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
                let session = self.alive(place.clone(), *version, record.clone());
                Some(session.map_or(Loaded::Absent, Loaded::Found))
            }
            _ => None,
        }
    }

    fn settle<'a>(
        &'a self,
        place: Place,
        loaded: Loaded<Versioned>,
        terms: Terms<'a>,
    ) -> Maybe<'a, Loaded<Session>> {
        let row = match loaded {
            Loaded::Found(row) => row,
            Loaded::Absent => return self.under_older_secrets(place, terms),
            Loaded::Unavailable(cause) => return Loaded::Unavailable(cause).into(),
        };
        self.settle_row(place, row, terms)
    }

    /// What an id leads to that leads nowhere under the newest secret.
    fn under_older_secrets<'a>(
        &'a self,
        Place { id, .. }: Place,
        terms: Terms<'a>,
    ) -> Maybe<'a, Loaded<Session>> {
        let keyring = &self.policy.keyring;
        if !keyring.has_older() {
            return Loaded::Absent.into();
        }
        Maybe::task(async move {
            let older = keyring.addresses(&id).skip(1);
            match self.locate_at(older, &id).await {
                Ok(Some((place, row))) => self.settle_row(place, row, terms).wait().await,
                Ok(None) => Loaded::Absent,
                Err(cause) => Loaded::Unavailable(cause),
            }
        })
    }

    fn settle_row<'a>(
        &'a self,
        place: Place,
        row: Versioned,
        terms: Terms<'a>,
    ) -> Maybe<'a, Loaded<Session>> {
        match row.state {
            State::Live(record) => self.admitted(place, (row.version, record), terms.source),
            State::Revoked | State::Roster(_) => {
                self.happened(Event::RevokedId, place.address.key());
                Loaded::Absent.into()
            }
            State::Rotating(_) | State::Rotated(_) => Maybe::task(async move {
                match self.follow(place, Some(row), terms.claim).await {
                    Ok(session) => session.map_or(Loaded::Absent, Loaded::Found),
                    Err(cause) => Loaded::Unavailable(cause),
                }
            }),
        }
    }

    /// The session of a live row, if its clocks and its roster say so.
    pub(super) fn admitted(
        &self,
        place: Place,
        (version, record): (u64, Record),
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

    fn alive(&self, place: Place, version: u64, record: Record) -> Option<Session> {
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
        self.happened(Event::RevokedId, session.key());
        Loaded::Absent
    }
}

/// Whether this is a roster, and the session on it.
pub(super) fn is_named(record: &Record, row: &Versioned) -> bool {
    match &row.state {
        State::Roster(roster) => roster.names(record.family()),
        State::Live(_) | State::Revoked | State::Rotated(_) | State::Rotating(_) => false,
    }
}

pub(super) fn is_found_on(record: &Record, roster: &Loaded<Versioned>) -> bool {
    matches!(roster, Loaded::Found(row) if is_named(record, row))
}
