//! How far the master has come, for replicas to be measured by.

use std::sync::atomic::{AtomicU64, Ordering};

/// The last two positions of the master, half a second apart.
#[derive(Debug, Default)]
pub(super) struct Progress {
    before: AtomicU64,
    last: AtomicU64,
}

impl Progress {
    pub(super) fn reached(&self, offset: u64) {
        self.before
            .store(self.last.swap(offset, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether a replica at `offset` has what the master had when it was asked last but one: between half a second and
    /// one second ago. A lag of less is no fault of the replica's.
    pub(super) fn is_followed(&self, offset: u64) -> bool {
        offset >= self.before.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_may_be_behind_by_no_more_than_one_question() {
        let progress = Progress::default();
        assert!(progress.is_followed(0), "as long as nothing is known");

        progress.reached(100);
        assert!(progress.is_followed(0));
        progress.reached(200);
        assert!(!progress.is_followed(99));
        assert!(progress.is_followed(100));
        progress.reached(200);
        assert!(!progress.is_followed(199));
    }
}
