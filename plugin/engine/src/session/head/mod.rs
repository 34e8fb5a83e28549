//! What a record says besides its attributes.

mod narrow;
mod wide;

use std::num::NonZeroU64;

use abi::storage::Key;

use super::family::Family;
use super::timestamp::Timestamp;

pub(crate) use self::narrow::Narrow;
pub(crate) use self::wide::Wide;

/// To be read and changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Head {
    pub(super) created_at: Timestamp,
    pub(super) renewed_at: Timestamp,
    pub(super) seen_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// In milliseconds.
    pub(super) own_life: Option<NonZeroU64>,
    pub(super) family: Family,
    pub(super) roster: Option<Key>,
}

impl Head {
    /// Whether the clocks are in the order that every record keeps.
    pub(super) fn is_consistent(&self) -> bool {
        self.created_at <= self.renewed_at && self.renewed_at <= self.seen_at.min(self.expires_at)
    }
}

/// A head as it lies in memory, in the fewest bytes that can say it: millions of sessions pay for each. What is to be
/// said decides which of these it is, so that equal heads are equal here.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum PackedHead {
    Visitor(Narrow<()>),
    Member(Narrow<Key>),
    Wide(Wide),
}

impl From<&Head> for PackedHead {
    fn from(head: &Head) -> Self {
        let narrow = match head.roster {
            None => Narrow::of(head, ()).map(Self::Visitor),
            Some(roster) => Narrow::of(head, roster).map(Self::Member),
        };
        narrow.unwrap_or_else(|| Self::Wide(head.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::six_bytes::SixBytes;

    #[test]
    fn what_is_packed_comes_back() {
        for head in heads() {
            assert_eq!(unpacked(PackedHead::from(&head)), head);
        }
    }

    #[test]
    fn clocks_beyond_the_last_moment_are_packed_as_those_that_are_there() {
        let at = |millis| {
            let at = Timestamp::from_millis(millis);
            let [usual, ..] = heads();
            Head {
                created_at: at,
                renewed_at: at,
                seen_at: at,
                expires_at: at,
                ..usual
            }
        };

        let [beyond, last] = [u64::MAX, SixBytes::MAX].map(|millis| PackedHead::from(&at(millis)));

        assert!(beyond == last);
        assert_eq!(unpacked(beyond), at(SixBytes::MAX));
    }

    #[test]
    fn a_life_of_its_own_or_clocks_that_are_far_apart_take_a_wide_head() {
        let is_wide = heads().map(|head| matches!(PackedHead::from(&head), PackedHead::Wide(_)));

        assert_eq!(is_wide, [false, false, true, true, true, true]);
    }

    #[test]
    fn a_packed_head_has_no_gaps() {
        let sizes = [
            size_of::<Narrow<()>>(),
            size_of::<Narrow<Key>>(),
            size_of::<Wide>(),
        ];

        assert_eq!(sizes, [6 + 3 * 4 + 8, 6 + 3 * 4 + 8 + 32, 5 * 6 + 8 + 33]);
    }

    fn unpacked(packed: PackedHead) -> Head {
        match packed {
            PackedHead::Visitor(narrow) => (&narrow).into(),
            PackedHead::Member(narrow) => (&narrow).into(),
            PackedHead::Wide(wide) => (&wide).into(),
        }
    }

    /// Two of the usual kind, and four that are not, each for one reason.
    fn heads() -> [Head; 6] {
        let at = Timestamp::from_millis;
        let visitor = Head {
            created_at: at(1_764_457_000_000),
            renewed_at: at(1_764_457_000_000 + APART),
            seen_at: at(1_764_457_000_000 + 2 * APART),
            expires_at: at(1_764_457_000_001 + APART),
            own_life: None,
            family: Family::new(u64::MAX - 1),
            roster: None,
        };
        let roster = Some(Key::new([9; 32]));
        let (own_life, late) = (NonZeroU64::new(7), at(1_764_457_000_001 + 2 * APART));
        let expires_at = at(SixBytes::MAX);
        [
            visitor,
            Head { roster, ..visitor },
            Head {
                own_life,
                ..visitor
            },
            Head {
                renewed_at: late,
                seen_at: late,
                expires_at: late,
                ..visitor
            },
            Head {
                seen_at: at(late.as_millis() + 1),
                roster,
                ..visitor
            },
            Head {
                expires_at,
                ..visitor
            },
        ]
    }

    /// As far as clocks are apart whose distance has four bytes.
    const APART: u64 = u32::MAX as u64;
}
