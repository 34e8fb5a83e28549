//! Which rows were written a moment ago, and so may be missing on replicas.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use abi::storage::Key;
use tokio::time::Instant;

use crate::storage::redis::link::index;

/// When rows were last written by this process. Rows share places: one that was not written may count as if it was,
/// never the other way round.
#[derive(Debug)]
pub(super) struct Recent {
    start: Instant,
    /// Milliseconds since `start`, and one.
    written: Box<[AtomicU64]>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            written: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(super) fn wrote(&self, key: &Key) {
        self.place(key).fetch_max(self.now() + 1, Ordering::Relaxed);
    }

    /// Whether `key` was written in the last second.
    pub(super) fn has(&self, key: &Key) -> bool {
        match self.place(key).load(Ordering::Relaxed) {
            0 => false,
            written => self.now() < written + LASTS,
        }
    }

    fn place(&self, key: &Key) -> &AtomicU64 {
        let index = index(key, PLACES);
        &self.written[usize::try_from(index).unwrap_or_default()]
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
    }
}

/// Enough for ten thousand writes a second to leave most reads alone, in 64 KiB.
const PLACES: u64 = 8192;
const LASTS: u64 = Duration::from_secs(1).as_millis() as u64;

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_written_row_is_recent_for_a_second() {
        let recent = Recent::new();
        let (written, other) = (Key::new([1; 32]), Key::new([2; 32]));

        recent.wrote(&written);

        assert!(recent.has(&written));
        assert!(!recent.has(&other));
        advance(Duration::from_millis(1000)).await;
        assert!(recent.has(&written));
        advance(Duration::from_millis(1)).await;
        assert!(!recent.has(&written));
    }
}
