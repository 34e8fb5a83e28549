//! What one request has done to its session, and what is to come of it. Pure: no storage, no clock.

mod notice;
mod outcome;
mod work;

use serde_json::Value;

use crate::engine::Session;
use crate::session::{Attributes, Deltas, Record};

pub(super) use self::notice::Notice;
pub(super) use self::work::Work;

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

    /// How long the attributes would be in JSON with one more.
    pub(super) fn len_with(&self, name: &str, value: &Value) -> usize {
        let attributes = self.attributes();
        let known = attributes.map_or(2, Attributes::json_len);
        let replaced = attributes.and_then(|all| all.value(name));
        known + json_len(name, value) - replaced.map_or(0, |old| json_len(name, old))
    }

    pub(super) const fn take_notice(&mut self) -> Notice {
        std::mem::replace(&mut self.notice, Notice::Nothing)
    }

    const fn is_ending(&self) -> bool {
        matches!(self.fate, Fate::Destroy | Fate::Over)
    }
}

/// What an attribute adds to a JSON object, with quotes, colon and comma.
fn json_len(name: &str, value: &Value) -> usize {
    name.len() + value.to_string().len() + 4
}
