//! Who has to go: rows whose time has run out, and, when a shard is full, the one idle longest.

use super::shard::Shard;
use crate::session::Timestamp;

/// What one shard may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Shard {
    /// Drops some of the rows whose time has run out.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let Self { slots, bytes, .. } = self;
        slots.sweep(|row| row.is_dead(now), |slot| *bytes -= slot.row().weight());
    }

    /// Drops rows until one of `weight` bytes fits beside the others, and says how many living ones went.
    pub(super) fn make_room(&mut self, weight: usize, now: Timestamp) -> u64 {
        let mut evicted = 0;
        while self.is_full(weight) {
            let Some(at) = self.idlest(now) else { break };
            evicted += u64::from(!self.slots.get(at).is_dead(now));
            self.remove(at);
        }
        evicted
    }

    fn is_full(&self, weight: usize) -> bool {
        self.slots.len() >= self.share.rows || self.bytes + weight > self.share.bytes
    }

    /// The row idle longest, or nearly so.
    fn idlest(&mut self, now: Timestamp) -> Option<u32> {
        self.slots
            .first_to_go(|row| (row.is_dead(now), row.idle(now)))
    }
}
