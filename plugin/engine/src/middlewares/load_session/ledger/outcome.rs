//! What came of an operation.

use abi::Failure;
use abi::failure::Kind;

use super::super::basis::Basis;
use super::{Fate, Ledger, Notice};
use crate::engine::{Event, Policy, Refusal, Saved, Session};
use crate::session::{Deltas, Record};

impl Ledger {
    /// The storage has the session that was only remembered.
    pub(crate) fn confirm(&mut self, session: Session, policy: &Policy) {
        if matches!(self.basis, Basis::Remembered(_)) {
            self.settle_on(session, policy);
        }
    }

    /// The storage does not have the session that was only remembered: it is over. A login goes on without it, as one
    /// does when the session ends meanwhile; the same user again is no login, or whoever repeats what the snapshot said
    /// would bring the session back.
    pub(crate) fn refute(&mut self, policy: &Policy, blank: impl FnOnce() -> Record) {
        if !matches!(self.basis, Basis::Remembered(_)) {
            return;
        }
        if !self.is_login(policy) {
            return self.lose();
        }
        self.basis = Basis::Nothing;
        self.merged = Some(blank().merge(&self.changes));
    }

    /// The storage was asked again, and has this.
    pub(crate) fn renew_basis(&mut self, session: Session, policy: &Policy) {
        if matches!(self.basis, Basis::Remembered(_) | Basis::Stored(_)) {
            self.settle_on(session, policy);
        }
    }

    /// The storage was asked again, and has nothing.
    pub(crate) fn miss(&mut self, policy: &Policy, blank: impl FnOnce() -> Record) {
        match self.basis {
            Basis::Remembered(_) => self.refute(policy, blank),
            Basis::Stored(_) => self.lose(),
            Basis::Nothing | Basis::Unknown(_) => {}
        }
    }

    /// Takes the outcome of a write of `changes`.
    pub(crate) fn accept(
        &mut self,
        saved: Saved,
        changes: Deltas,
        policy: &Policy,
    ) -> Result<(), Failure> {
        match saved {
            Saved::Done(session) => {
                self.settle_on(session, policy);
                Ok(())
            }
            Saved::Lost if changes.leave_no_life() => {
                self.end();
                Ok(())
            }
            Saved::Lost => {
                self.lose();
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

    /// The session was ended by somebody else. A key that leads nowhere does no harm, and by now the browser may have
    /// that of a later login in its place: only who wanted the end is made to forget it.
    fn lose(&mut self) {
        match self.fate {
            Fate::Destroy => self.end(),
            _ => self.close(Notice::to_nobody(self.held)),
        }
        self.was_lost = true;
    }

    /// The session is over, as this request wanted it.
    pub(crate) fn end(&mut self) {
        self.close(match self.place {
            Some(_) => Notice::Clear,
            // The key was never told, or only by a save in this very request: then nobody has it.
            None => Notice::to_nobody(self.held),
        });
    }

    fn close(&mut self, notice: Notice) {
        self.fate = Fate::Over;
        self.notice = notice;
        self.basis = Basis::Nothing;
        self.merged = None;
    }

    /// Knows from now on what the storage says.
    fn settle_on(&mut self, session: Session, policy: &Policy) {
        let notice = match self.is_told(&session) {
            true if self.notice != Notice::Follow => Notice::to_owner(self.held),
            _ => Notice::Issue,
        };
        self.notice = self.notice.max(notice);
        if self.basis.id().is_some_and(|id| id != session.id()) {
            self.has_moved();
        }
        let newer = (!self.changes.is_empty()).then_some(&self.changes);
        self.merged = newer.map(|newer| policy.merge(session.record(), newer));
        self.basis = Basis::Stored(session);
    }

    /// The session got another id. What the gateway wanted of the old one is done: nobody has come with the new one
    /// yet, so that it is neither in use nor due.
    fn has_moved(&mut self) {
        self.is_renewed = true;
        if matches!(self.fate, Fate::Touch | Fate::Renew | Fate::Prolong) {
            self.fate = Fate::Keep;
        }
    }

    /// Whether the client knows this id and this end already.
    fn is_told(&self, session: &Session) -> bool {
        let ends_at = self.basis.record().map(Record::expires_at);
        self.basis.id() == Some(session.id()) && ends_at == Some(session.record().expires_at())
    }
}

fn refused(refusal: Refusal) -> Failure {
    let event = Event::Refused(refusal);
    match refusal {
        Refusal::TooManySessions => {
            let message = "the user has as many sessions as maxSessionsPerPrincipal allows";
            Failure::new(Kind::FORBIDDEN, event.reason(), message)
        }
        Refusal::TooLarge => Failure::new(
            Kind::INTERNAL,
            event.reason(),
            "the session would become larger than maxBytes allows",
        ),
    }
}
