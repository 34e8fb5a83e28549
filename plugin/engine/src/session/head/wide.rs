//! The head of any session.

use std::num::NonZeroU64;

use abi::storage::Key;

use super::Head;
use crate::session::family::Family;
use crate::session::six_bytes::SixBytes;
use crate::session::timestamp::Timestamp;

/// Without a gap. What would be later than the year 10889 is then.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Wide {
    created_at: SixBytes,
    renewed_at: SixBytes,
    seen_at: SixBytes,
    expires_at: SixBytes,
    /// In milliseconds; 0 stands for none.
    own_life: SixBytes,
    family: [u8; 8],
    roster: Option<Key>,
}

impl From<&Head> for Wide {
    fn from(head: &Head) -> Self {
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

impl From<&Wide> for Head {
    #[inline]
    fn from(wide: &Wide) -> Self {
        let time = |millis: SixBytes| Timestamp::from_millis(millis.get());
        Self {
            created_at: time(wide.created_at),
            renewed_at: time(wide.renewed_at),
            seen_at: time(wide.seen_at),
            expires_at: time(wide.expires_at),
            own_life: NonZeroU64::new(wide.own_life.get()),
            family: Family::new(u64::from_le_bytes(wide.family)),
            roster: wide.roster,
        }
    }
}
