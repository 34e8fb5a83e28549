//! What is to be done about a session, one operation after the other.

use abi::storage::Unavailable;

use super::super::basis::{Basis, Remembered};
use super::{Fate, Ledger};
use crate::engine::{Policy, Session};
use crate::session::{Deltas, Record};

/// The operation that stores what happened.
pub(crate) enum Work {
    /// Nothing can be stored about a session that is not known. Stays to be done: the request must not succeed.
    Refuse(Unavailable),
    /// What is only remembered has to be asked for, before anything else.
    Confirm(Remembered),
    Create(Deltas),
    Patch(Session, Deltas),
    Regenerate(Session, Deltas),
    Renew(Session),
    /// As [`Renew`](Self::Renew), for somebody who waits for it.
    Prolong(Session),
    Touch(Session),
    Revoke(Session),
}

impl Ledger {
    /// Takes what is to be done next. It is done once, whoever asks.
    pub(crate) fn take_work(&mut self, policy: &Policy) -> Option<Work> {
        match &self.basis {
            Basis::Nothing => self.take_first_work(),
            Basis::Unknown(cause) => self.is_pending().then(|| Work::Refuse(cause.clone())),
            // Stays to be done until the storage has answered.
            Basis::Remembered(remembered) => {
                self.is_pending().then(|| Work::Confirm(remembered.clone()))
            }
            Basis::Stored(session) => {
                let session = session.clone();
                self.take_next_work(session, policy)
            }
        }
    }

    fn take_next_work(&mut self, session: Session, policy: &Policy) -> Option<Work> {
        let is_new_user = self.changes_principal(policy);
        if is_new_user && !self.begins() && self.fate != Fate::Over {
            // The user has gone, and nothing is left for whoever stays.
            self.fate = Fate::Destroy;
        }
        let changes = std::mem::take(&mut self.changes);
        match self.fate {
            Fate::Over => None,
            // Stays decided until the storage has said so: a request that fails here must not go on with it.
            Fate::Destroy => Some(Work::Revoke(session)),
            Fate::Keep | Fate::Touch | Fate::Renew | Fate::Prolong if is_new_user => {
                Some(self.regenerated(session, changes))
            }
            Fate::Regenerate => Some(self.regenerated(session, changes)),
            Fate::Keep | Fate::Touch | Fate::Renew | Fate::Prolong if !changes.is_empty() => {
                Some(Work::Patch(session, changes))
            }
            Fate::Keep => None,
            Fate::Touch => {
                self.fate = Fate::Keep;
                Some(Work::Touch(session))
            }
            Fate::Renew => {
                self.fate = Fate::Keep;
                Some(Work::Renew(session))
            }
            Fate::Prolong => {
                self.fate = Fate::Keep;
                Some(Work::Prolong(session))
            }
        }
    }

    /// What is to be done for somebody who has no session yet.
    fn take_first_work(&mut self) -> Option<Work> {
        let changes = std::mem::take(&mut self.changes);
        match self.fate {
            Fate::Over => None,
            Fate::Destroy => {
                self.end();
                None
            }
            Fate::Keep | Fate::Touch | Fate::Renew | Fate::Prolong | Fate::Regenerate => {
                // An id that nobody has seen yet needs no other.
                self.begins().then(|| {
                    self.fate = Fate::Keep;
                    Work::Create(self.told_of(changes))
                })
            }
        }
    }

    fn regenerated(&mut self, session: Session, changes: Deltas) -> Work {
        self.fate = Fate::Keep;
        Work::Regenerate(session, self.told_of(changes))
    }

    fn told_of(&self, mut changes: Deltas) -> Deltas {
        changes.made_from(self.device());
        changes
    }

    /// Nothing is stored for somebody who left nothing.
    fn begins(&self) -> bool {
        let attributes = self.merged.as_ref().map(Record::attributes);
        attributes.is_some_and(|attributes| !attributes.is_empty())
    }

    /// When the user changes, so does the id: nobody who knew the old one shares the login.
    fn changes_principal(&self, policy: &Policy) -> bool {
        let (Some(merged), Some(known)) = (&self.merged, self.basis.record()) else {
            return false;
        };
        let [new, old] = [merged, known].map(|record| policy.principal_of(record.attributes()));
        new != old
    }

    /// Whether somebody logs in: another user, or one who was said to do so by a plugin that asked for another id, too.
    pub(super) fn is_login(&self, policy: &Policy) -> bool {
        let names_user = self
            .attributes()
            .is_some_and(|attributes| policy.principal_of(attributes).is_some());
        let is_said = self.fate == Fate::Regenerate && policy.names_user(&self.changes);
        names_user && (is_said || self.changes_principal(policy))
    }
}
