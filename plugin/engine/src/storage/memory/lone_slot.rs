//! The slot of a roster with one entry.

use std::sync::atomic::AtomicU32;

use super::row::{Row, second};
use super::shard::Lease;
use crate::session::{Lone, State, Timestamp};
use crate::storage::dense::{Keyed, ShortKey};

/// All there is to know of a user who has one session. A second one takes its place with a roster of a block.
pub(super) struct LoneSlot {
    key: ShortKey,
    version: [u8; 4],
    /// How many seconds the row is kept after the session has ended.
    linger: [u8; 2],
    used: AtomicU32,
    lone: Lone,
}

impl LoneSlot {
    /// None when it was written very often, or is kept for a time that cannot be said here.
    pub(super) fn new((key, version): (ShortKey, u64), lone: Lone, lease: Lease) -> Option<Self> {
        let dies_at = lease.dies_at.as_millis();
        let linger = dies_at.checked_sub(lone.expires_at().as_millis())?;
        let seconds = u16::try_from(linger / 1000).ok()?;
        (linger % 1000 == 0).then_some(())?;
        Some(Self {
            key,
            version: u32::try_from(version).ok()?.to_le_bytes(),
            linger: seconds.to_le_bytes(),
            used: AtomicU32::new(second(lease.now)),
            lone,
        })
    }
}

impl Keyed for LoneSlot {
    fn key(&self) -> ShortKey {
        self.key
    }
}

impl Row for LoneSlot {
    fn version(&self) -> u64 {
        u32::from_le_bytes(self.version).into()
    }

    fn dies_at(&self) -> Timestamp {
        let linger = u64::from(u16::from_le_bytes(self.linger)) * 1000;
        Timestamp::from_millis(self.lone.expires_at().as_millis() + linger)
    }

    fn used(&self) -> &AtomicU32 {
        &self.used
    }

    fn state(&self) -> State {
        State::Roster(self.lone.into())
    }

    fn footprint(&self) -> usize {
        0
    }
}
