//! One part of the map: rows in a dense list, found through a table of their positions.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use abi::storage::{Expected, Key, Unavailable, Written};
use hashbrown::HashTable;

use super::pages::Pages;
use super::room::Share;
use crate::session::Timestamp;
use crate::storage::Versioned;

/// Dense rather than linked: removing moves the last row into the gap, so there is no free list to keep, sweeping
/// walks memory in order, and a row costs no more than itself and four bytes of table.
pub(super) struct Shard {
    pub(super) slots: Pages<Slot>,
    pub(super) share: Share,
    /// The weight of all rows.
    pub(super) bytes: usize,
    /// Where the next sweep begins.
    pub(super) hand: usize,
    positions: HashTable<u32>,
}

/// A row with what it takes to let it go.
pub(super) struct Slot {
    pub(super) key: Key,
    pub(super) row: Versioned,
    pub(super) dies_at: Timestamp,
    pub(super) weight: u32,
    /// The second of the last use, as the low 32 bits of Unix time.
    used: AtomicU32,
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
    fn new(key: Key, row: Versioned, lease: Lease) -> Self {
        let weight = ROW_OVERHEAD + row.state.footprint();
        Self {
            key,
            row,
            dies_at: lease.dies_at,
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
            used: AtomicU32::new(second(lease.now)),
        }
    }

    pub(super) fn is_dead(&self, now: Timestamp) -> bool {
        self.dies_at <= now
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

// === impl Shard ===

impl Shard {
    pub(super) fn new(share: Share) -> Self {
        Self {
            slots: Pages::new(),
            share,
            bytes: 0,
            hand: 0,
            positions: HashTable::new(),
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
        let at = self.position(&key);
        let current = at
            .map(|at| &self.slots[at])
            .filter(|slot| !slot.is_dead(lease.now));
        let version = current.map(|slot| slot.row.version);
        let fits = match expected {
            Expected::Absent => version.is_none(),
            Expected::Version(expected) => version == Some(expected),
        };
        if !fits {
            return (Written::Conflict, 0);
        }
        let slot = Slot::new(key, row, lease);
        if !self.share.fits(&slot) {
            return (Written::Unavailable(too_large(&slot)), 0);
        }
        if let Some(at) = at {
            self.remove(at);
        }
        self.sweep(lease.now);
        let evicted = self.make_room(slot.weight, lease.now);
        self.insert(slot);
        (Written::Done, evicted)
    }

    pub(super) fn load(&self, key: &Key, now: Timestamp) -> Option<Versioned> {
        let slot = &self.slots[self.position(key)?];
        if slot.is_dead(now) {
            return None;
        }
        slot.touch(now);
        Some(slot.row.clone())
    }

    pub(super) fn remove(&mut self, at: usize) {
        let slots = &self.slots;
        let hash = |&at: &u32| hash(&slots[at as usize].key);
        let entry = self
            .positions
            .find_entry(hash(&(at as u32)), |&found| found as usize == at);
        if let Ok(entry) = entry {
            entry.remove();
        }
        let last = slots.len() - 1;
        if let Some(moved) = self
            .positions
            .find_mut(hash(&(last as u32)), |&found| found as usize == last)
        {
            *moved = at as u32;
        }
        let removed = self.slots.swap_remove(at);
        self.bytes -= removed.map_or(0, |slot| slot.weight as usize);
        self.give_back();
    }

    fn insert(&mut self, slot: Slot) {
        self.bytes += slot.weight as usize;
        let (at, slot_hash) = (self.slots.len() as u32, hash(&slot.key));
        self.slots.push(slot);
        let slots = &self.slots;
        self.positions
            .insert_unique(slot_hash, at, |&at| hash(&slots[at as usize].key));
    }

    /// After most rows are gone, so is their memory. Pages go as they empty.
    fn give_back(&mut self) {
        let slots = &self.slots;
        if slots.len() < self.positions.capacity() / 4 {
            self.positions
                .shrink_to(slots.len() * 2, |&at| hash(&slots[at as usize].key));
        }
    }

    fn position(&self, key: &Key) -> Option<usize> {
        let found = self
            .positions
            .find(hash(key), |&at| self.slots[at as usize].key == *key);
        found.map(|&at| at as usize)
    }
}

/// A key is a hash already; its first eight bytes serve.
fn hash(key: &Key) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *key.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn second(now: Timestamp) -> u32 {
    (now.as_millis() / 1000) as u32
}

fn too_large(slot: &Slot) -> Unavailable {
    Unavailable::new(format!(
        "a row of {} bytes is more than maxBytes allows",
        slot.weight
    ))
}

/// What a row takes besides its state: its place in a page and in the table, which is at least seven sixteenths full of
/// five-byte entries.
const ROW_OVERHEAD: usize = Pages::<Slot>::PLACE + 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Family, Lifetime, State};

    // DESIGN: at most 200 bytes of memory beyond the data of a session.
    #[test]
    fn a_row_costs_at_most_200_bytes_beyond_its_attributes() {
        let record = Lifetime::new(HOUR, None).begin(Family::new(7), NOW);
        let live = State::Live(record.into());

        // Eight bytes for the allocator's own header of the shared record, which needs no rounding.
        assert!(
            ROW_OVERHEAD + live.footprint() + 8 <= 200,
            "{}",
            ROW_OVERHEAD + live.footprint()
        );
    }

    #[test]
    fn the_accounted_overhead_is_what_list_and_table_really_take() {
        let mut shard = Shard::new(Share {
            rows: usize::MAX,
            bytes: usize::MAX,
        });
        for number in 0..20_000_u64 {
            write(&mut shard, number);
            if number > 1000 {
                let table = shard.positions.num_buckets() * 5;
                let real = shard.slots.len() * Pages::<Slot>::PLACE + table;
                assert!(
                    real <= shard.slots.len() * (ROW_OVERHEAD + 1),
                    "at {number}"
                );
            }
        }
        assert_eq!(shard.bytes, 20_000 * ROW_OVERHEAD);
    }

    #[test]
    fn removing_in_any_order_leaves_the_others_findable() {
        let mut shard = Shard::new(Share {
            rows: usize::MAX,
            bytes: usize::MAX,
        });
        (0..500).for_each(|number| write(&mut shard, number));

        for number in (0..500).step_by(2) {
            shard.remove(shard.position(&key(number)).unwrap());
        }

        for number in 0..500 {
            assert_eq!(
                shard.load(&key(number), NOW).is_some(),
                number % 2 == 1,
                "{number}"
            );
        }
        assert_eq!(shard.bytes, 250 * ROW_OVERHEAD);
    }

    #[test]
    fn memory_is_given_back_when_most_rows_are_gone() {
        let mut shard = Shard::new(Share {
            rows: usize::MAX,
            bytes: usize::MAX,
        });
        (0..10_000).for_each(|number| write(&mut shard, number));

        while shard.slots.len() > 10 {
            shard.remove(0);
        }

        assert!(shard.positions.capacity() < 200);
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
