//! One part of the map: rows with what it takes to let them go.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use abi::storage::{Expected, Key, Unavailable, Written};

use super::room::Share;
use crate::session::{SixBytes, State, Timestamp};
use crate::storage::Versioned;
use crate::storage::dense::{Dense, Keyed, ShortKey};

/// Rows, and how much there is of them.
pub(super) struct Shard {
    pub(super) slots: Dense<Slot>,
    pub(super) share: Share,
    /// The weight of all rows.
    pub(super) bytes: usize,
}

/// A row with what it takes to let it go, as small as it gets: there are millions, and a load touches one line of the
/// processor's cache for it, or two.
pub(super) struct Slot {
    key: ShortKey,
    version: SixBytes,
    /// In milliseconds since 1970.
    dies_at: SixBytes,
    /// The second of the last use, as the low 32 bits of Unix time.
    used: AtomicU32,
    state: State,
}

/// From when to when a row is kept.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) now: Timestamp,
    dies_at: Timestamp,
}

// === impl Lease ===

impl Lease {
    pub(super) fn new(now: Timestamp, keep: Duration) -> Self {
        Self {
            now,
            dies_at: now.after(keep),
        }
    }
}

// === impl Slot ===

impl Slot {
    fn new(key: &Key, row: Versioned, lease: Lease) -> Self {
        Self {
            key: key.into(),
            version: row.version.into(),
            dies_at: lease.dies_at.as_millis().into(),
            used: AtomicU32::new(second(lease.now)),
            state: row.state,
        }
    }

    /// The bytes that it takes, by the storage's own account.
    pub(super) fn weight(&self) -> usize {
        ROW_OVERHEAD + self.state.footprint()
    }

    pub(super) fn is_dead(&self, now: Timestamp) -> bool {
        self.dies_at.get() <= now.as_millis()
    }

    fn row(&self) -> Versioned {
        Versioned {
            version: self.version.get(),
            state: self.state.clone(),
        }
    }

    /// Seconds since the last use. Wraps after 136 years, and then only picks the wrong row to evict.
    pub(super) fn idle(&self, now: Timestamp) -> u32 {
        second(now).wrapping_sub(self.used.load(Ordering::Relaxed))
    }

    /// Writes once a second at most: a hot row must not bounce its cache line between cores.
    fn touch(&self, now: Timestamp) {
        if self.idle(now) != 0 {
            self.used.store(second(now), Ordering::Relaxed);
        }
    }
}

impl Keyed for Slot {
    fn key(&self) -> ShortKey {
        self.key
    }
}

// === impl Shard ===

impl Shard {
    pub(super) fn new(share: Share) -> Self {
        Self {
            slots: Dense::new(),
            share,
            bytes: 0,
        }
    }

    /// Forgets everything and says how many rows were alive.
    pub(super) fn clear(&mut self, now: Timestamp) -> u64 {
        let alive = self.slots.iter().filter(|slot| !slot.is_dead(now)).count();
        *self = Self::new(self.share);
        alive as u64
    }

    /// Compares and writes. Also says how many living rows had to make room.
    pub(super) fn write(
        &mut self,
        key: Key,
        expected: Expected,
        row: Versioned,
        lease: Lease,
    ) -> (Written, u64) {
        let at = self.slots.position(&key);
        let current = at
            .map(|at| &self.slots[at])
            .filter(|slot| !slot.is_dead(lease.now));
        let version = current.map(|slot| slot.version.get());
        let fits = match expected {
            Expected::Absent => version.is_none(),
            Expected::Version(expected) => version == Some(expected),
        };
        if !fits {
            return (Written::Conflict, 0);
        }
        if row.version > SixBytes::MAX {
            return (Written::Unavailable(Unavailable::new(WORN_OUT)), 0);
        }
        let slot = Slot::new(&key, row, lease);
        if !self.share.fits(&slot) {
            return (Written::Unavailable(too_large(&slot)), 0);
        }
        if let Some(at) = at {
            self.remove(at);
        }
        self.sweep(lease.now);
        let evicted = self.make_room(slot.weight(), lease.now);
        self.insert(slot);
        (Written::Done, evicted)
    }

    pub(super) fn load(&self, key: &Key, now: Timestamp) -> Option<Versioned> {
        let slot = self.slots.find(key)?;
        if slot.is_dead(now) {
            return None;
        }
        slot.touch(now);
        Some(slot.row())
    }

    pub(super) fn remove(&mut self, at: usize) {
        let removed = self.slots.remove(at);
        self.bytes -= removed.map_or(0, |slot| slot.weight());
    }

    fn insert(&mut self, slot: Slot) {
        self.bytes += slot.weight();
        self.slots.insert(slot);
    }
}

fn second(now: Timestamp) -> u32 {
    (now.as_millis() / 1000) as u32
}

fn too_large(slot: &Slot) -> Unavailable {
    Unavailable::new(format!(
        "a row of {} bytes is more than maxBytes allows",
        slot.weight()
    ))
}

/// Else two writers could expect the same version, and both would win.
const WORN_OUT: &str = "a row was written too often";
/// What a row takes besides its state.
const ROW_OVERHEAD: usize = Dense::<Slot>::PLACE;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Deltas, Family, Lifetime, State};

    // DESIGN: at most 200 bytes of memory beyond the data of a session.
    #[test]
    fn a_row_costs_at_most_200_bytes_beyond_its_json() {
        let mut deltas = Deltas::new();
        deltas.set("basket", "a".repeat(24));
        let record = Lifetime::new(HOUR, None).begin(Family::new(7), NOW);
        let record = record.merge(&deltas);
        let json = record.attributes().json_len();
        let live = State::Live(record);

        let account = ROW_OVERHEAD + live.footprint() - json;

        // The allocator has a header of 8 bytes for the record and for the attributes, and rounds the latter up to 16.
        assert!(account + 8 + 8 + 8 <= 200, "{account}");
    }

    #[test]
    fn a_slot_takes_32_bytes_and_a_state() {
        assert_eq!(size_of::<Slot>(), 32 + size_of::<State>());
    }

    #[test]
    fn a_row_is_not_written_more_often_than_its_slot_can_count() {
        let mut shard = Shard::new(Share {
            rows: 1,
            bytes: usize::MAX,
        });
        let mut write = |version| {
            let state = State::Revoked;
            let row = Versioned { version, state };
            let lease = Lease::new(NOW, HOUR);
            shard.write(key(1), Expected::Absent, row, lease).0
        };

        let refused = write(SixBytes::MAX + 1);

        assert!(matches!(refused, Written::Unavailable(_)));
        assert_eq!(write(SixBytes::MAX), Written::Done);
    }

    #[test]
    fn bytes_are_those_of_the_rows_that_are_left() {
        let mut shard = Shard::new(Share {
            rows: usize::MAX,
            bytes: usize::MAX,
        });
        (0..500).for_each(|number| write(&mut shard, number));

        for number in (0..500).step_by(2) {
            shard.remove(shard.slots.position(&key(number)).unwrap());
        }

        assert_eq!(shard.bytes, 250 * ROW_OVERHEAD);
    }

    fn write(shard: &mut Shard, number: u64) {
        let row = Versioned::first(State::Revoked);
        let (written, _) = shard.write(key(number), Expected::Absent, row, Lease::new(NOW, HOUR));
        assert_eq!(written, Written::Done);
    }

    fn key(number: u64) -> Key {
        let mut bytes = [0; 32];
        // The hash has to be spread as that of a real key is.
        bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        Key::new(bytes)
    }

    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
}
