//! The head of a session that lives as most do.

use abi::storage::Key;

use super::Head;
use crate::session::family::Family;
use crate::session::six_bytes::SixBytes;
use crate::session::timestamp::Timestamp;

/// Without a life of its own, and with clocks that are less than seven weeks apart: the first of them, and how much
/// later the others are. `R` is where the roster is; nothing for whoever is on none.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Narrow<R> {
    created_at: SixBytes,
    /// After the creation.
    renewed: Later,
    /// After the renewal, as is the end.
    seen: Later,
    expires: Later,
    family: [u8; 8],
    roster: R,
}

/// In milliseconds.
type Later = [u8; 4];

impl<R> Narrow<R> {
    /// None when the clocks do not fit, or there is a life of its own.
    pub(super) fn of(head: &Head, roster: R) -> Option<Self> {
        let is_usual = head.own_life.is_none();
        is_usual.then_some(())?;
        let created_at = SixBytes::from(head.created_at.as_millis());
        let renewed_at = SixBytes::from(head.renewed_at.as_millis());
        Some(Self {
            created_at,
            renewed: between(created_at, head.renewed_at)?,
            seen: between(renewed_at, head.seen_at)?,
            expires: between(renewed_at, head.expires_at)?,
            family: head.family.bits().to_le_bytes(),
            roster,
        })
    }

    #[inline]
    fn head(&self, roster: Option<Key>) -> Head {
        let created_at = self.created_at.get();
        let renewed_at = later(created_at, self.renewed);
        Head {
            created_at: Timestamp::from_millis(created_at),
            renewed_at: Timestamp::from_millis(renewed_at),
            seen_at: Timestamp::from_millis(later(renewed_at, self.seen)),
            expires_at: Timestamp::from_millis(later(renewed_at, self.expires)),
            own_life: None,
            family: Family::new(u64::from_le_bytes(self.family)),
            roster,
        }
    }
}

impl From<&Narrow<()>> for Head {
    #[inline]
    fn from(narrow: &Narrow<()>) -> Self {
        narrow.head(None)
    }
}

impl From<&Narrow<Key>> for Head {
    #[inline]
    fn from(narrow: &Narrow<Key>) -> Self {
        narrow.head(Some(narrow.roster))
    }
}

/// None when that is before, or too long after. What is too late for six bytes is as late as they say, as everywhere.
fn between(from: SixBytes, to: Timestamp) -> Option<Later> {
    let to = SixBytes::from(to.as_millis());
    let millis = to.get().checked_sub(from.get())?;
    u32::try_from(millis).ok().map(u32::to_le_bytes)
}

fn later(from: u64, by: Later) -> u64 {
    from + u64::from(u32::from_le_bytes(by))
}
