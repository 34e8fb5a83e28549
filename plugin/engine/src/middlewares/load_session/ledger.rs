//! What one request has done to its session, and what is to come of it. Pure: no storage, no clock.

use abi::Failure;
use abi::failure::Kind;
use serde_json::Value;

use crate::engine::{Event, Policy, Refusal, Saved, Session};
use crate::session::{Attributes, Deltas, Record};

/// The session as it was found, and what has been written about it since.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    stored: Option<Session>,
    /// The place the id came from; none for a visitor without a session.
    place: Option<usize>,
    changes: Deltas,
    /// The record with the changes applied, made at the first change.
    merged: Option<Record>,
    fate: Fate,
    notice: Notice,
    was_read: bool,
}

/// What is to become of the session, besides its changes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fate {
    #[default]
    Keep,
    /// Its use is to be written down.
    Touch,
    /// It is due for another id, after whatever else is stored.
    Renew,
    Regenerate,
    Destroy,
    /// It is over: ended here, or found ended when it was to be stored.
    Over,
}

/// What the client has to be told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Notice {
    #[default]
    Nothing,
    /// It has a new id, or a new end.
    Issue,
    /// Its key leads nowhere any more.
    Clear,
}

/// The operation that stores what happened.
pub(super) enum Work {
    Create(Deltas),
    Patch(Session, Deltas),
    Regenerate(Session, Deltas),
    Renew(Session),
    Touch(Session),
    Revoke(Session),
}

impl Ledger {
    /// A session whose id stood in the given place.
    pub(super) fn found(stored: Session, place: usize, notice: Notice) -> Self {
        Self {
            stored: Some(stored),
            place: Some(place),
            notice,
            ..Self::default()
        }
    }

    /// What is in here, for somebody whose answer may depend on it.
    pub(super) const fn read(&mut self) -> &Self {
        self.was_read = true;
        self
    }

    /// Whether there was a session, and somebody looked at it.
    pub(super) const fn was_read(&self) -> bool {
        self.was_read && self.place.is_some()
    }

    pub(super) const fn stored(&self) -> Option<&Session> {
        self.stored.as_ref()
    }

    pub(super) const fn place(&self) -> Option<usize> {
        self.place
    }

    /// What a reader sees: nothing once the end was decided.
    pub(super) fn attributes(&self) -> Option<&Attributes> {
        if self.is_ending() {
            return None;
        }
        let stored = || self.stored.as_ref().map(|session| &**session.record());
        let record = self.merged.as_ref().or_else(stored);
        record.map(Record::attributes)
    }

    /// An attribute of exactly this name, or the way that dots lead through objects.
    pub(super) fn find(&self, path: &str) -> Option<&Value> {
        let attributes = self.attributes()?;
        if let Some(value) = attributes.value(path) {
            return Some(value);
        }
        let (name, rest) = path.split_once('.')?;
        rest.split('.')
            .try_fold(attributes.value(name)?, |value, step| value.get(step))
    }

    /// Whether there is nothing to store and nothing to tell: so it is for nearly every request.
    pub(super) fn is_settled(&self) -> bool {
        let is_pending = !matches!(self.fate, Fate::Keep | Fate::Over);
        self.notice == Notice::Nothing && self.changes.is_empty() && !is_pending
    }

    /// Writes changes down; `blank` is the record of a session that does not exist yet.
    pub(super) fn change(
        &mut self,
        apply: impl FnOnce(&mut Deltas),
        blank: impl FnOnce() -> Record,
    ) {
        if self.is_ending() {
            return;
        }
        apply(&mut self.changes);
        let base = match &self.stored {
            Some(session) => Record::clone(session.record()),
            None => blank(),
        };
        self.merged = Some(base.merge(&self.changes));
    }

    pub(super) fn touch(&mut self) {
        if self.fate == Fate::Keep {
            self.fate = Fate::Touch;
        }
    }

    pub(super) fn renew(&mut self) {
        if matches!(self.fate, Fate::Keep | Fate::Touch) {
            self.fate = Fate::Renew;
        }
    }

    pub(super) fn regenerate(&mut self) {
        if matches!(self.fate, Fate::Keep | Fate::Touch | Fate::Renew) {
            self.fate = Fate::Regenerate;
        }
    }

    pub(super) fn destroy(&mut self) {
        if self.fate != Fate::Over {
            self.fate = Fate::Destroy;
        }
    }

    /// Takes what is to be done next. It is done once, whoever asks.
    pub(super) fn take_work(&mut self, policy: &Policy) -> Option<Work> {
        let is_new_user = self.changes_principal(policy);
        let changes = std::mem::take(&mut self.changes);
        let Some(session) = self.stored.clone() else {
            return self.take_first_work(changes);
        };
        match self.fate {
            Fate::Over => None,
            // Stays decided until the storage has said so: a request that fails here must not go on with it.
            Fate::Destroy => Some(Work::Revoke(session)),
            Fate::Keep | Fate::Touch | Fate::Renew if is_new_user => {
                Some(self.regenerated(session, changes))
            }
            Fate::Regenerate => Some(self.regenerated(session, changes)),
            Fate::Keep | Fate::Touch | Fate::Renew if !changes.is_empty() => {
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
        }
    }

    /// What is to be done for somebody who has no session yet.
    fn take_first_work(&mut self, changes: Deltas) -> Option<Work> {
        match self.fate {
            Fate::Over => None,
            Fate::Destroy => {
                self.end();
                None
            }
            Fate::Keep | Fate::Touch | Fate::Renew | Fate::Regenerate => {
                self.begins().then_some(Work::Create(changes))
            }
        }
    }

    fn regenerated(&mut self, session: Session, changes: Deltas) -> Work {
        self.fate = Fate::Keep;
        Work::Regenerate(session, changes)
    }

    /// Takes the outcome of a write of `changes`.
    pub(super) fn accept(&mut self, saved: Saved, changes: Deltas) -> Result<(), Failure> {
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

    /// How long the attributes would be in JSON with one more.
    pub(super) fn len_with(&self, name: &str, value: &Value) -> usize {
        let attributes = self.attributes();
        let known = attributes.map_or(2, Attributes::json_len);
        let replaced = attributes.and_then(|all| all.value(name));
        known + json_len(name, value) - replaced.map_or(0, |old| json_len(name, old))
    }

    /// The session is over, and everybody has heard.
    pub(super) fn end(&mut self) {
        self.fate = Fate::Over;
        self.notice = match self.place {
            Some(_) => Notice::Clear,
            // The key was never told, or only by a save in this very request: then nobody has it.
            None => Notice::Nothing,
        };
        self.stored = None;
        self.merged = None;
    }

    pub(super) const fn take_notice(&mut self) -> Notice {
        std::mem::replace(&mut self.notice, Notice::Nothing)
    }

    const fn is_ending(&self) -> bool {
        matches!(self.fate, Fate::Destroy | Fate::Over)
    }

    /// Nothing is stored for somebody who left nothing.
    fn begins(&self) -> bool {
        let attributes = self.merged.as_ref().map(Record::attributes);
        attributes.is_some_and(|attributes| !attributes.is_empty())
    }

    /// When the user changes, so does the id: nobody who knew the old one shares the login.
    fn changes_principal(&self, policy: &Policy) -> bool {
        let (Some(merged), Some(stored)) = (&self.merged, &self.stored) else {
            return false;
        };
        let [new, old] = [merged, &**stored.record()].map(Record::attributes);
        policy.principal_of(new) != policy.principal_of(old)
    }

    /// Whether the client knows this id and this end already.
    fn is_told(&self, session: &Session) -> bool {
        self.stored.as_ref().is_some_and(|known| {
            let ends = [known, session].map(|session| session.record().expires_at());
            known.id() == session.id() && ends[0] == ends[1]
        })
    }
}

/// What an attribute adds to a JSON object, with quotes, colon and comma.
fn json_len(name: &str, value: &Value) -> usize {
    name.len() + value.to_string().len() + 4
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
