//! One part of the map: rows, and how much there is of them.

use std::time::Duration;

use abi::storage::{Expected, Key, Unavailable, Written};

use super::room::Share;
use super::row::Row;
use super::slots::{AnySlot, Slots};
use crate::session::{SixBytes, Timestamp};
use crate::storage::Versioned;
use crate::storage::dense::Dense;

/// Rows, and how much there is of them. What a load asks comes first.
#[repr(C)]
pub(super) struct Shard {
    pub(super) slots: Dense<Slots>,
    pub(super) share: Share,
    /// The weight of all rows.
    pub(super) bytes: usize,
}

/// From when to when a row is kept.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) now: Timestamp,
    pub(super) dies_at: Timestamp,
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
        let alive = self.slots.iter().filter(|row| !row.is_dead(now)).count();
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
            .map(|at| self.slots.get(at))
            .filter(|row| !row.is_dead(lease.now));
        let version = current.map(Row::version);
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
        let slot = AnySlot::new(&key, row, lease);
        let weight = slot.row().weight();
        if weight > self.share.bytes {
            return (Written::Unavailable(too_large(weight)), 0);
        }
        if let Some(at) = at {
            self.remove(at);
        }
        self.sweep(lease.now);
        let evicted = self.make_room(weight, lease.now);
        self.bytes += weight;
        self.slots.insert(slot);
        (Written::Done, evicted)
    }

    pub(super) fn load(&self, key: &Key, now: Timestamp) -> Option<Versioned> {
        let at = self.slots.position(key)?;
        self.slots.items().load(at, now)
    }

    pub(super) fn remove(&mut self, at: u32) {
        let removed = self.slots.remove(at);
        self.bytes -= removed.map_or(0, |slot| slot.row().weight());
    }
}

fn too_large(weight: usize) -> Unavailable {
    Unavailable::new(format!(
        "a row of {weight} bytes is more than maxBytes allows"
    ))
}

/// Else two writers could expect the same version, and both would win.
const WORN_OUT: &str = "a row was written too often";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Deltas, Family, Lifetime, State};

    // DESIGN: at most 200 bytes of memory beyond the data of a session. What the allocator adds is measured in
    // tests/allocations.rs.
    #[test]
    fn a_visitor_is_accounted_with_89_bytes_beyond_the_json() {
        let mut deltas = Deltas::new();
        deltas.set("basket", "a".repeat(24));
        let record = Lifetime::new(HOUR, None).begin(Family::new(7), NOW);
        let record = record.merge(&deltas);
        let json = record.attributes().json_len();
        let row = Versioned::first(State::Live(record));

        let slot = AnySlot::new(&key(1), row, Lease::new(NOW, HOUR));

        let account = slot.row().weight() - json;
        assert_eq!(account, 89);
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
        let all = shard.bytes;

        for number in (0..500).step_by(2) {
            shard.remove(shard.slots.position(&key(number)).unwrap());
        }

        assert_eq!(shard.bytes, all / 2);
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
