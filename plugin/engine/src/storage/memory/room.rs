//! Who has to go: rows whose time has run out, and, when a shard is full, the one idle longest.

use super::shard::{Shard, Slot};
use crate::session::Timestamp;

/// What one shard may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Share {
    /// Whether the row would fit if it were alone.
    pub(super) fn fits(&self, slot: &Slot) -> bool {
        slot.weight as usize <= self.bytes
    }
}

impl Shard {
    /// Looks at the next few rows and drops the dead ones.
    ///
    /// Every write pays for a slice, so there is no thread, no pause, and no list of deadlines to keep: with eight
    /// rows looked at for one that may be added, the dead are at most a seventh of what is stored in the long run.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        for _ in 0..SLICE.min(self.slots.len()) {
            let at = self.hand % self.slots.len();
            if self.slots[at].is_dead(now) {
                // The hand stays: the last row moves here and was not looked at yet.
                self.remove(at);
                if self.slots.is_empty() {
                    return;
                }
            } else {
                self.hand = at + 1;
            }
        }
    }

    /// Drops rows until one of `weight` bytes fits beside the others, and says how many living ones went.
    pub(super) fn make_room(&mut self, weight: u32, now: Timestamp) -> u64 {
        let mut evicted = 0;
        while !self.slots.is_empty() && self.is_full(weight) {
            let at = self.idlest(now);
            evicted += u64::from(!self.slots[at].is_dead(now));
            self.remove(at);
        }
        evicted
    }

    fn is_full(&self, weight: u32) -> bool {
        self.slots.len() >= self.share.rows || self.bytes + weight as usize > self.share.bytes
    }

    /// The row idle longest among the next few; exact in a small shard, and close to it in a large one, without a
    /// list that every reader would have to lock.
    fn idlest(&mut self, now: Timestamp) -> usize {
        let (from, rows) = (self.hand, self.slots.len());
        self.hand = (from + SAMPLE) % rows;
        let sample = (0..SAMPLE.min(rows)).map(|step| (from + step) % rows);
        let longest = sample.max_by_key(|&at| {
            let slot = &self.slots[at];
            (slot.is_dead(now), slot.idle(now))
        });
        longest.unwrap_or_default()
    }
}

const SLICE: usize = 8;
const SAMPLE: usize = 16;
