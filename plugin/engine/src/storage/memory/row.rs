//! A row with what it takes to let it go.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::session::{State, Timestamp};
use crate::storage::Versioned;
use crate::storage::dense::{ENTRY, Keyed, SHARE};

/// There are millions, so each kind of row has a slot of its own, in which nothing is but what it needs, and a load
/// touches one line of the processor's cache for it, or two.
pub(super) trait Row: Keyed {
    fn version(&self) -> u64;

    fn dies_at(&self) -> Timestamp;

    /// The second of the last use, as the low 32 bits of Unix time.
    fn used(&self) -> &AtomicU32;

    fn state(&self) -> State;

    /// The bytes outside of the slot.
    fn footprint(&self) -> usize;

    /// The bytes that it takes, by the storage's own account.
    fn weight(&self) -> usize {
        size_of_val(self) + SHARE + ENTRY + self.footprint()
    }

    fn is_dead(&self, now: Timestamp) -> bool {
        self.dies_at() <= now
    }

    /// Seconds since the last use. Wraps after 136 years, and then only picks the wrong row to evict.
    fn idle(&self, now: Timestamp) -> u32 {
        second(now).wrapping_sub(self.used().load(Ordering::Relaxed))
    }

    /// Writes once a second at most: a hot row must not bounce its cache line between cores.
    fn touch(&self, now: Timestamp) {
        if self.idle(now) != 0 {
            self.used().store(second(now), Ordering::Relaxed);
        }
    }

    /// Uses the row, unless its time has run out.
    fn load(&self, now: Timestamp) -> Option<Versioned> {
        if self.is_dead(now) {
            return None;
        }
        self.touch(now);
        Some(Versioned {
            version: self.version(),
            state: self.state(),
        })
    }
}

pub(super) fn second(now: Timestamp) -> u32 {
    (now.as_millis() / 1000) as u32
}
