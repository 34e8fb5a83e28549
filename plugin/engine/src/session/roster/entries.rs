//! What stands on a roster.

use super::Entry;
use super::lone::Lone;
use super::packed::Packed;
use crate::session::family::Family;
use crate::session::timestamp::Timestamp;

/// Entries in the order of their families. They say which of these it is, so that equal entries are equal here.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Entries {
    Lone(Lone),
    Packed(Packed),
}

impl Entries {
    /// Of entries that are in this order already.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let lone = match entries {
            [entry] => Lone::of(entry),
            _ => None,
        };
        lone.map_or_else(|| Self::Packed(Packed::of(entries)), Self::Lone)
    }

    pub(super) fn names(&self, family: Family) -> bool {
        match self {
            Self::Lone(lone) => lone.family() == family,
            Self::Packed(packed) => packed.position(family).is_some(),
        }
    }

    pub(super) fn find(&self, family: Family) -> Option<Entry> {
        match self {
            Self::Lone(lone) => (lone.family() == family).then(|| lone.entry()),
            Self::Packed(packed) => packed.position(family).map(|at| packed.get(at)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> {
        let (lone, packed) = match self {
            Self::Lone(lone) => (Some(lone.entry()), None),
            Self::Packed(packed) => (None, Some(packed.iter())),
        };
        lone.into_iter().chain(packed.into_iter().flatten())
    }

    /// When each of them ends.
    pub(super) fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let (lone, packed) = match self {
            Self::Lone(lone) => (Some(lone.expires_at()), None),
            Self::Packed(packed) => (None, Some(packed.ends())),
        };
        lone.into_iter().chain(packed.into_iter().flatten())
    }

    /// The bytes on the heap.
    pub(super) fn footprint(&self) -> usize {
        match self {
            Self::Lone(_) => 0,
            Self::Packed(packed) => packed.footprint(),
        }
    }
}
