//! From row to row, along the rotations that a session has been through.

use abi::storage::{Loaded, Unavailable};

use super::event::Event;
use super::load::Source;
use super::outcome::Stop;
use super::rows::{Place, contended};
use super::session::Session;
use super::{Engine, TRIES};
use crate::session::{Record, SessionId, State, Timestamp};
use crate::storage::Versioned;

/// On what grounds somebody asks for the session of an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Claim<'a> {
    /// A client has just come with it, and with these.
    Presented(&'a [SessionId]),
    /// A client came with it then, and with these, and the storage has not been asked for it since.
    PresentedAt(Timestamp, &'a [SessionId]),
    /// It was valid when the request began, however long ago that was.
    Held,
}

impl Claim<'_> {
    /// Whether somebody came with an id that had its grace `until` then.
    fn is_late(self, until: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::Presented(_) => until <= now,
            Self::PresentedAt(then, _) => until <= then,
            Self::Held => false,
        }
    }

    /// Whether the client came with this id as well.
    fn names(self, id: &SessionId) -> bool {
        match self {
            Self::Presented(beside) | Self::PresentedAt(_, beside) => beside.contains(id),
            Self::Held => false,
        }
    }
}

impl Engine {
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
        claim: Claim<'_>,
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
                    trail.steps += 1;
                    trail.is_late |= claim.is_late(rotated.until, self.now());
                    let Some(next) = self.place_after(&place, &rotated.nonce) else {
                        return Ok(None);
                    };
                    place = next;
                    if claim.names(&place.id) {
                        // Whoever has the newer id has nothing to gain by the older one: a browser that keeps both.
                        trail = Trail::default();
                    }
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
