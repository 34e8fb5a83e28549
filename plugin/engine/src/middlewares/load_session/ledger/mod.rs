//! What one request has done to its session, and what is to come of it. Pure: no storage, no clock.

mod notice;
mod outcome;
mod work;

use std::net::IpAddr;

use abi::storage::Unavailable;
use serde::Serialize;
use serde_json::Value;

use super::basis::{Basis, Remembered};
use super::snapshots::Held;
use crate::engine::{Policy, Session};
use crate::session::{AttributesRef, Deltas, Device, Record, SessionId, json_len};

pub(super) use self::notice::Notice;
pub(super) use self::work::Work;

/// The session as it was found, and what has been written about it since.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    basis: Basis,
    /// The place the id came from; none for a visitor without a session.
    place: Option<usize>,
    /// What the client has of snapshots, where there are any.
    held: Option<Held>,
    changes: Deltas,
    /// The record with the changes applied, made at the first change.
    merged: Option<Record>,
    fate: Fate,
    notice: Notice,
    /// What the client calls itself, if its request may become a login.
    agent: Option<Box<[u8]>>,
    /// Where a login comes from.
    device: Option<Device>,
    was_read: bool,
    /// Whether the session has another id than the one that the client came with, and waits to be seen with it.
    is_renewed: bool,
    /// Whether the session turned out to have been ended by somebody else.
    was_lost: bool,
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
    /// Somebody asked for another id and a fresh life before it is due.
    Prolong,
    Regenerate,
    Destroy,
    /// It is over: ended here, or found ended when it was to be stored.
    Over,
}

impl Ledger {
    /// A visitor without a session.
    pub(super) fn fresh(held: Option<Held>) -> Self {
        Self {
            held,
            notice: Notice::to_nobody(held),
            ..Self::default()
        }
    }

    /// A visitor who may have a session. They are told nothing: what they have may well be good.
    pub(super) fn unknown(cause: Unavailable) -> Self {
        Self {
            basis: Basis::Unknown(cause),
            ..Self::default()
        }
    }

    /// A visitor with a session, to which an id led that stood in the given place.
    pub(super) fn found(
        session: Session,
        (place, id): (usize, &SessionId),
        held: Option<Held>,
    ) -> Self {
        let is_renewed = session.id() != id;
        let notice = match is_renewed {
            true => Notice::Follow,
            false => Notice::to_owner(held),
        };
        Self {
            basis: Basis::Stored(session),
            place: Some(place),
            held,
            notice,
            is_renewed,
            ..Self::default()
        }
    }

    /// A visitor with a session that the storage was not asked for.
    pub(super) fn remembered(remembered: Remembered, place: usize, held: Option<Held>) -> Self {
        Self {
            basis: Basis::Remembered(remembered),
            place: Some(place),
            held,
            ..Self::default()
        }
    }

    /// Notes what the client calls itself: the header goes along with a request that is forwarded.
    pub(super) fn note_agent(&mut self, agent: Option<&[u8]>) {
        let head = agent.map(|agent| &agent[..agent.len().min(Device::MOST_AGENT)]);
        self.agent = head.map(Into::into);
    }

    /// Says where the changes come from, unless the client was heard of before.
    pub(super) fn come_from(&mut self, ip: Option<IpAddr>, agent: Option<&[u8]>) {
        let agent = self.agent.as_deref().or(agent);
        self.device = Device::new(ip, agent);
    }

    /// Whether this request may be a login: nobody is logged in yet.
    pub(super) fn may_be_login(&self) -> bool {
        let record = self.basis.record();
        record.is_none_or(|record| record.roster().is_none())
    }

    /// Where the changes come from. Before the response only the name of the client is known.
    fn device(&self) -> Option<Device> {
        let known = self.device.clone();
        known.or_else(|| Device::new(None, self.agent.as_deref()))
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

    /// Whether the session was ended by somebody else while this request was under way.
    pub(super) const fn was_lost(&self) -> bool {
        self.was_lost
    }

    /// Whether somebody looked for a session that may be there.
    pub(super) const fn was_missed(&self) -> bool {
        self.was_read && matches!(self.basis, Basis::Unknown(_))
    }

    /// What the storage has said about the session.
    pub(super) const fn stored(&self) -> Option<&Session> {
        match &self.basis {
            Basis::Stored(session) => Some(session),
            Basis::Remembered(_) | Basis::Nothing | Basis::Unknown(_) => None,
        }
    }

    pub(super) fn basis(&self) -> &Basis {
        &self.basis
    }

    pub(super) const fn held(&self) -> Option<Held> {
        self.held
    }

    pub(super) const fn place(&self) -> Option<usize> {
        self.place
    }

    /// The id is to be told as that of a session that begins.
    pub(super) const fn leave_place(&mut self) {
        self.place = None;
    }

    /// What a reader sees: nothing once the end was decided.
    pub(super) fn attributes(&self) -> Option<AttributesRef<'_>> {
        if self.is_ending() {
            return None;
        }
        let record = self.merged.as_ref().or_else(|| self.basis.record());
        record.map(Record::attributes)
    }

    /// Whether there is nothing to store and nothing to tell: so it is for nearly every request.
    pub(super) fn is_settled(&self) -> bool {
        self.notice == Notice::Nothing && !self.is_pending()
    }

    fn is_pending(&self) -> bool {
        !self.changes.is_empty() || !matches!(self.fate, Fate::Keep | Fate::Over)
    }

    /// Writes changes down; `blank` is the record of a session that does not exist yet.
    pub(super) fn change(
        &mut self,
        apply: impl FnOnce(&mut Deltas),
        policy: &Policy,
        blank: impl FnOnce() -> Record,
    ) {
        if self.is_ending() {
            return;
        }
        apply(&mut self.changes);
        let base = self.basis.record().cloned().unwrap_or_else(blank);
        self.merged = Some(policy.merge(&base, &self.changes));
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

    /// As [`renew`](Self::renew), because somebody asked for it. A session that was renewed meanwhile has what is asked
    /// for: one more id, before anybody came with the last, would make this client look like a thief.
    pub(super) fn prolong(&mut self) {
        let is_open = matches!(self.fate, Fate::Keep | Fate::Touch | Fate::Renew);
        if is_open && !self.is_renewed {
            self.fate = Fate::Prolong;
        }
    }

    /// What the gateway wanted for itself is not done, unless it has to: a session that has moved moves on.
    pub(super) fn peek(&mut self) {
        if matches!(self.fate, Fate::Touch | Fate::Renew) {
            self.fate = Fate::Keep;
        }
    }

    pub(super) fn regenerate(&mut self) {
        if matches!(
            self.fate,
            Fate::Keep | Fate::Touch | Fate::Renew | Fate::Prolong
        ) {
            self.fate = Fate::Regenerate;
        }
    }

    pub(super) fn destroy(&mut self) {
        match self.fate {
            // Somebody else was quicker. Who wants the end is made to forget the key all the same.
            Fate::Over if self.was_lost => self.end(),
            Fate::Over => {}
            _ => self.fate = Fate::Destroy,
        }
    }

    /// How long the attributes would be in JSON with one more.
    pub(super) fn len_with(&self, name: &str, value: &Value) -> usize {
        let attributes = self.attributes();
        let known = attributes.map_or(2, AttributesRef::json_len);
        let replaced = attributes.and_then(|all| all.value(name));
        known + entry_len(name, value) - replaced.map_or(0, |old| entry_len(name, &old))
    }

    /// The id to look for once more before the client is told of it.
    pub(super) fn followed(&self) -> Option<SessionId> {
        let session = self.stored()?;
        (self.notice == Notice::Follow).then(|| session.id().clone())
    }

    pub(super) const fn take_notice(&mut self) -> Notice {
        std::mem::replace(&mut self.notice, Notice::Nothing)
    }

    /// The response carries what the notice asked for. There may be more to tell later in the same request.
    pub(super) fn has_told(&mut self, notice: Notice) {
        if let (Some(held), Notice::Issue | Notice::Remember) = (&mut self.held, notice) {
            held.any = true;
        }
    }

    const fn is_ending(&self) -> bool {
        matches!(self.fate, Fate::Destroy | Fate::Over)
    }
}

/// What an attribute adds to a JSON object, with quotes, colon and comma.
fn entry_len(name: &str, value: &impl Serialize) -> usize {
    name.len() + json_len(value) + 4
}
