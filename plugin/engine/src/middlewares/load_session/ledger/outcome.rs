//! What came of an operation.

use abi::Failure;
use abi::failure::Kind;

use super::{Fate, Ledger, Notice};
use crate::engine::{Event, Refusal, Saved, Session};
use crate::session::Deltas;

impl Ledger {
    /// Takes the outcome of a write of `changes`.
    pub(crate) fn accept(&mut self, saved: Saved, changes: Deltas) -> Result<(), Failure> {
        match saved {
            Saved::Done(session) => {
                if !self.is_told(&session) {
                    self.notice = Notice::Issue;
                }
                let newer = (!self.changes.is_empty()).then_some(&self.changes);
                self.merged = newer.map(|newer| session.record().merge(newer));
                self.stored = Some(session);
                Ok(())
            }
            Saved::Lost => {
                self.end();
                Ok(())
            }
            Saved::Refused(refusal) => {
                self.merged = None;
                Err(refused(refusal))
            }
            Saved::Unavailable(cause) => {
                let newer = std::mem::replace(&mut self.changes, changes);
                newer
                    .iter()
                    .for_each(|delta| self.changes.push(delta.clone()));
                Err(cause.into())
            }
        }
    }

    /// The session is over, and everybody has heard.
    pub(crate) fn end(&mut self) {
        self.fate = Fate::Over;
        self.notice = match self.place {
            Some(_) => Notice::Clear,
            // The key was never told, or only by a save in this very request: then nobody has it.
            None => Notice::Nothing,
        };
        self.stored = None;
        self.merged = None;
    }

    /// Whether the client knows this id and this end already.
    fn is_told(&self, session: &Session) -> bool {
        self.stored.as_ref().is_some_and(|known| {
            let ends = [known, session].map(|session| session.record().expires_at());
            known.id() == session.id() && ends[0] == ends[1]
        })
    }
}

fn refused(refusal: Refusal) -> Failure {
    let event = Event::Refused(refusal);
    match refusal {
        Refusal::TooManySessions => {
            let message = "the user has as many sessions as maxSessionsPerPrincipal allows";
            Failure::new(Kind::FORBIDDEN, event.reason(), message)
        }
        Refusal::TooLarge | Refusal::Revoked => Failure::new(
            Kind::INTERNAL,
            event.reason(),
            "the session would become larger than maxBytes allows",
        ),
    }
}
