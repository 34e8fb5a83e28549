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
use super::head::{Head, PackedHead};
use super::timestamp::Timestamp;

/// The clocks and the attributes of one session.
///
/// Always `created_at <= renewed_at <= seen_at` and `renewed_at <= expires_at`. Immutable: a change makes a new
/// record, so that readers share the old one without a lock. Cheap to clone: all of it lies in one piece of memory,
/// behind a counter.
#[derive(Clone, Eq, PartialEq)]
pub struct Record(Arc<HeaderSlice<PackedHead, str>>);

impl Record {
    pub(super) fn new(head: Head, attributes: AttributesRef<'_>) -> Self {
        let text = attributes.text();
        Self(Arc::from_header_and_str(head.into(), text))
    }

    /// What it says besides its attributes.
    pub(super) fn head(&self) -> Head {
        self.0.header.into()
    }

    /// The same attributes under another head; in place, where nobody shares them.
    #[must_use]
    pub(super) fn with(mut self, head: Head) -> Self {
        match Arc::get_mut(&mut self.0) {
            Some(own) => own.header = head.into(),
            None => return Self::new(head, self.attributes()),
        }
        self
    }

    /// When the session began: at its first write, or at the login that made it somebody's.
    pub fn created_at(&self) -> Timestamp {
        self.0.header.created_at()
    }

    /// When the session last got a new id and a fresh life.
    pub fn renewed_at(&self) -> Timestamp {
        self.0.header.renewed_at()
    }

    /// When the session was last seen in use, to the accuracy of `touchInterval`.
    pub fn seen_at(&self) -> Timestamp {
        self.0.header.seen_at()
    }

    /// The end of the life that the last renewal gave. Other clocks may end the session earlier: ask
    /// [`Lifetime::remaining`](super::Lifetime::remaining).
    pub fn expires_at(&self) -> Timestamp {
        self.0.header.expires_at()
    }

    /// The life that a [`Delta::Expire`] gave this session instead of the configured one.
    pub fn own_life(&self) -> Option<Duration> {
        let millis = self.0.header.own_life();
        millis.map(|millis| Duration::from_millis(millis.get()))
    }

    /// What stays the same while the id changes.
    pub fn family(&self) -> Family {
        self.0.header.family()
    }

    /// The roster that must name this session for it to be alive; none when it belongs to nobody.
    pub fn roster(&self) -> Option<Key> {
        self.0.header.roster()
    }

    /// What the session knows.
    pub fn attributes(&self) -> AttributesRef<'_> {
        AttributesRef::of_text(&self.0.slice)
    }

    /// Whether the user asked to be remembered: the attribute `remember_me` is `true`.
    pub fn is_remembered(&self) -> bool {
        let remember = self.attributes().value(REMEMBER_ME);
        remember.is_some_and(|remember| remember == Value::Bool(true))
    }

    /// Whether a client ever came with the id that the last rotation gave. Until then the response with it may have
    /// been lost on its way.
    pub fn is_confirmed(&self) -> bool {
        self.renewed_at() == self.created_at() || self.seen_at() > self.renewed_at()
    }

    /// The same session as a member of `roster`.
    #[must_use]
    pub fn on_roster(self, roster: Option<Key>) -> Self {
        let head = self.head();
        self.with(Head { roster, ..head })
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
        COUNTER + size_of_val(&*self.0)
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
