//! What a record says besides its attributes.

use std::num::NonZeroU64;

use abi::storage::Key;

use super::family::Family;
use super::six_bytes::SixBytes;
use super::timestamp::Timestamp;

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

/// As it lies in memory, without a gap: millions of sessions pay for each byte. What would be later than the year
/// 10889 is then.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct PackedHead {
    created_at: SixBytes,
    renewed_at: SixBytes,
    seen_at: SixBytes,
    expires_at: SixBytes,
    /// 0 stands for none.
    own_life: SixBytes,
    family: [u8; 8],
    roster: Option<Key>,
}

impl PackedHead {
    pub(super) fn created_at(&self) -> Timestamp {
        Timestamp::from_millis(self.created_at.get())
    }

    pub(super) fn renewed_at(&self) -> Timestamp {
        Timestamp::from_millis(self.renewed_at.get())
    }

    pub(super) fn seen_at(&self) -> Timestamp {
        Timestamp::from_millis(self.seen_at.get())
    }

    pub(super) fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at.get())
    }

    pub(super) fn own_life(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.own_life.get())
    }

    pub(super) const fn family(&self) -> Family {
        Family::new(u64::from_le_bytes(self.family))
    }

    pub(super) const fn roster(&self) -> Option<Key> {
        self.roster
    }
}

impl From<Head> for PackedHead {
    fn from(head: Head) -> Self {
        Self {
            created_at: head.created_at.as_millis().into(),
            renewed_at: head.renewed_at.as_millis().into(),
            seen_at: head.seen_at.as_millis().into(),
            expires_at: head.expires_at.as_millis().into(),
            own_life: head.own_life.map_or(0, NonZeroU64::get).into(),
            family: head.family.bits().to_le_bytes(),
            roster: head.roster,
        }
    }
}

impl From<PackedHead> for Head {
    fn from(packed: PackedHead) -> Self {
        Self {
            created_at: packed.created_at(),
            renewed_at: packed.renewed_at(),
            seen_at: packed.seen_at(),
            expires_at: packed.expires_at(),
            own_life: packed.own_life(),
            family: packed.family(),
            roster: packed.roster(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let at = Timestamp::from_millis;
        let head = Head {
            created_at: at(1),
            renewed_at: at(1_764_457_000_000),
            seen_at: at(1_764_457_000_001),
            expires_at: at(SixBytes::MAX),
            own_life: NonZeroU64::new(7),
            family: Family::new(u64::MAX - 1),
            roster: Some(Key::new([9; 32])),
        };
        let blank = Head {
            own_life: None,
            roster: None,
            ..head
        };

        for head in [head, blank] {
            assert_eq!(Head::from(PackedHead::from(head)), head);
        }
    }

    #[test]
    fn a_packed_head_has_no_gaps() {
        let clocks = 5 * size_of::<SixBytes>();
        assert_eq!(size_of::<PackedHead>(), clocks + 8 + 33);
    }
}
