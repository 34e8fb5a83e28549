//! What is remembered about one session.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use abi::storage::Key;
use serde_json::Value;
use triomphe::{Arc, HeaderSlice};

use super::attributes::AttributesRef;
use super::delta::{Delta, Deltas};
use super::family::Family;
use super::head::{Head, Narrow, PackedHead, Wide};
use super::timestamp::Timestamp;

/// The clocks and the attributes of one session.
///
/// Always `created_at <= renewed_at <= seen_at` and `renewed_at <= expires_at`. Immutable: a change makes a new
/// record, so that readers share the old one without a lock. Cheap to clone: all of it lies in one piece of memory,
/// behind a counter.
#[derive(Clone, Eq, PartialEq)]
pub struct Record(Piece);

/// The head says which, so that equal records are equal.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Piece {
    Visitor(Text<Narrow<()>>),
    Member(Text<Narrow<Key>>),
    Wide(Text<Wide>),
}

/// The attributes behind a head.
pub(crate) type Text<H> = Arc<HeaderSlice<H, str>>;

impl Record {
    pub(super) fn new(head: Head, attributes: AttributesRef<'_>) -> Self {
        let text = attributes.text();
        Self(match PackedHead::from(&head) {
            PackedHead::Visitor(head) => Arc::from_header_and_str(head, text).into(),
            PackedHead::Member(head) => Arc::from_header_and_str(head, text).into(),
            PackedHead::Wide(head) => Arc::from_header_and_str(head, text).into(),
        })
    }

    /// What it says besides its attributes.
    #[inline]
    pub(super) fn head(&self) -> Head {
        match &self.0 {
            Piece::Visitor(text) => (&text.header).into(),
            Piece::Member(text) => (&text.header).into(),
            Piece::Wide(text) => (&text.header).into(),
        }
    }

    /// The same attributes under another head; in place, where nobody shares them and the head takes as much.
    #[must_use]
    pub(super) fn with(mut self, head: Head) -> Self {
        let is_done = match (&mut self.0, PackedHead::from(&head)) {
            (Piece::Visitor(text), PackedHead::Visitor(head)) => put(text, head),
            (Piece::Member(text), PackedHead::Member(head)) => put(text, head),
            (Piece::Wide(text), PackedHead::Wide(head)) => put(text, head),
            _ => false,
        };
        match is_done {
            true => self,
            false => Self::new(head, self.attributes()),
        }
    }

    /// When the session began: at its first write, or at the login that made it somebody's.
    pub fn created_at(&self) -> Timestamp {
        self.head().created_at
    }

    /// When the session last got a new id and a fresh life.
    pub fn renewed_at(&self) -> Timestamp {
        self.head().renewed_at
    }

    /// When the session was last seen in use, to the accuracy of `touchInterval`.
    pub fn seen_at(&self) -> Timestamp {
        self.head().seen_at
    }

    /// The end of the life that the last renewal gave. Other clocks may end the session earlier: ask
    /// [`Lifetime::remaining`](super::Lifetime::remaining).
    pub fn expires_at(&self) -> Timestamp {
        self.head().expires_at
    }

    /// The life that a [`Delta::Expire`] gave this session instead of the configured one.
    pub fn own_life(&self) -> Option<Duration> {
        let millis = self.head().own_life;
        millis.map(|millis| Duration::from_millis(millis.get()))
    }

    /// What stays the same while the id changes.
    pub fn family(&self) -> Family {
        self.head().family
    }

    /// The roster that must name this session for it to be alive; none when it belongs to nobody.
    pub fn roster(&self) -> Option<Key> {
        self.head().roster
    }

    /// What the session knows.
    pub fn attributes(&self) -> AttributesRef<'_> {
        AttributesRef::of_text(match &self.0 {
            Piece::Visitor(text) => &text.slice,
            Piece::Member(text) => &text.slice,
            Piece::Wide(text) => &text.slice,
        })
    }

    /// Whether the user asked to be remembered: the attribute `remember_me` is `true`.
    pub fn is_remembered(&self) -> bool {
        let remember = self.attributes().value(REMEMBER_ME);
        remember.is_some_and(|remember| remember == Value::Bool(true))
    }

    /// Whether a client ever came with the id that the last rotation gave. Until then the response with it may have
    /// been lost on its way.
    #[inline]
    pub fn is_confirmed(&self) -> bool {
        let head = self.head();
        head.renewed_at == head.created_at || head.seen_at > head.renewed_at
    }

    /// The same session as a member of `roster`.
    #[must_use]
    pub fn on_roster(self, roster: Option<Key>) -> Self {
        let head = self.head();
        self.with(Head { roster, ..head })
    }

    /// The same session, with nothing in it.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self::new(self.head(), AttributesRef::default())
    }

    /// The record with `deltas` applied in their order; of two changes to one attribute the last one stays.
    #[must_use]
    pub fn merge(&self, deltas: &Deltas) -> Self {
        let mut head = self.head();
        for delta in deltas.iter() {
            if let Delta::Expire { after, since } = *delta {
                head.own_life = Some(at_least_a_millisecond(after));
                head.expires_at = since.max(head.renewed_at).after(after);
            }
        }
        Self::new(head, self.attributes().merge(deltas.iter()).view())
    }

    /// The bytes this record occupies in memory, without what an allocator adds.
    pub fn footprint(&self) -> usize {
        COUNTER
            + match &self.0 {
                Piece::Visitor(text) => size_of_val(&**text),
                Piece::Member(text) => size_of_val(&**text),
                Piece::Wide(text) => size_of_val(&**text),
            }
    }
}

impl From<Record> for Piece {
    fn from(record: Record) -> Self {
        record.0
    }
}

impl From<Text<Narrow<()>>> for Piece {
    fn from(text: Text<Narrow<()>>) -> Self {
        Self::Visitor(text)
    }
}

impl From<Text<Narrow<Key>>> for Piece {
    fn from(text: Text<Narrow<Key>>) -> Self {
        Self::Member(text)
    }
}

impl From<Text<Wide>> for Piece {
    fn from(text: Text<Wide>) -> Self {
        Self::Wide(text)
    }
}

impl From<Piece> for Record {
    fn from(piece: Piece) -> Self {
        Self(piece)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("head", &self.head())
            .field("attributes", &self.attributes())
            .finish()
    }
}

/// Says whether nobody shared the text, and the head is another one now.
fn put<H>(text: &mut Text<H>, head: H) -> bool {
    let own = Arc::get_mut(text);
    own.map(|own| own.header = head).is_some()
}

fn at_least_a_millisecond(life: Duration) -> NonZeroU64 {
    let millis = Timestamp::default().after(life).as_millis();
    NonZeroU64::new(millis).unwrap_or(NonZeroU64::MIN)
}

// As Authelia, whose users know the checkbox, and every login form in its footsteps.
const REMEMBER_ME: &str = "remember_me";
/// In front of what is shared.
const COUNTER: usize = size_of::<usize>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::session::Lifetime;

    #[test]
    fn deltas_apply_in_their_order() {
        let mut deltas = Deltas::new();
        deltas.set("a", 1);
        deltas.delete("a");
        deltas.set("a", 2);
        deltas.set("b", 3);
        deltas.delete("never there");

        let merged = record().merge(&deltas);

        assert!(merged.attributes().value("a").unwrap() == json!(2));
        assert!(merged.attributes().value("b").unwrap() == json!(3));
        assert_eq!(merged.attributes().iter().count(), 2);
    }

    #[test]
    fn a_record_that_is_shared_is_not_changed_under_its_readers() {
        let shared = record();
        let roster = Some(Key::new([7; 32]));

        let member = shared.clone().on_roster(roster);

        assert_eq!((member.roster(), shared.roster()), (roster, None));
        assert_eq!(member.attributes(), shared.attributes());
    }

    #[test]
    fn no_delta_changes_nothing() {
        assert_eq!(record().merge(&Deltas::new()), record());
    }

    #[test]
    fn an_own_life_counts_from_the_decision_not_from_the_merge() {
        let mut deltas = Deltas::new();
        deltas.expire(Duration::from_secs(5), START.after(Duration::from_secs(60)));

        let merged = record().merge(&deltas);

        assert_eq!(merged.expires_at(), START.after(Duration::from_secs(65)));
        assert_eq!(merged.own_life(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_decision_from_before_the_renewal_counts_from_the_renewal() {
        let mut deltas = Deltas::new();
        deltas.expire(Duration::from_secs(5), Timestamp::from_millis(0));

        let merged = record().merge(&deltas);

        assert_eq!(merged.expires_at(), START.after(Duration::from_secs(5)));
    }

    proptest! {
        #[test]
        fn merging_agrees_with_a_map(script in proptest::collection::vec((0_u8..6, proptest::option::of(0_i32..9)), 0..40)) {
            let mut model = serde_json::Map::new();
            let mut deltas = Deltas::new();
            for (name, value) in script {
                let name = name.to_string();
                match value {
                    Some(value) => {
                        model.insert(name.clone(), value.into());
                        deltas.set(name, value);
                    }
                    None => {
                        model.remove(&name);
                        deltas.delete(name);
                    }
                }
            }

            let merged = record().merge(&deltas);

            let left: serde_json::Map<String, Value> =
                merged.attributes().iter().map(|(name, value)| (name.into(), value.to_value())).collect();
            prop_assert_eq!(left, model);
        }
    }

    fn record() -> Record {
        Lifetime::new(Duration::from_secs(3600), None).begin(Family::new(7), START)
    }

    const START: Timestamp = Timestamp::from_millis(1_000_000);
}
