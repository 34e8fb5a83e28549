//! How far the master has come, for replicas to be measured by.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The last two positions of the master, half a second apart.
#[derive(Debug)]
pub(super) struct Progress(Mutex<Heard>);

#[derive(Debug)]
struct Heard {
    before: u64,
    last: u64,
    at: Instant,
}

impl Progress {
    pub(super) fn reached(&self, offset: u64) {
        let mut heard = self.heard();
        *heard = Heard {
            before: heard.last,
            last: offset,
            at: Instant::now(),
        };
    }

    /// Whether a replica at `offset` has what the master had when it was asked last but one: between half a second and
    /// one second ago. A lag of less is no fault of the replica's. Of a master that is silent nobody knows how far it
    /// has come: it may answer others and be cut off from its replicas as it is from us.
    pub(super) fn is_followed(&self, offset: u64) -> bool {
        let heard = self.heard();
        heard.at.elapsed() < SILENT && offset >= heard.before
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new(Heard {
            before: 0,
            last: 0,
            at: Instant::now(),
        }))
    }
}

/// Three times as long as the master's connection is asked after.
const SILENT: Duration = Duration::from_millis(1500);

#[cfg(test)]
mod tests {
    use tokio::time::advance;

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

    #[tokio::test(start_paused = true)]
    async fn nothing_follows_a_master_that_is_silent() {
        let progress = Progress::default();
        progress.reached(100);

        advance(SILENT / 2).await;
        assert!(progress.is_followed(100));
        advance(SILENT / 2).await;
        assert!(!progress.is_followed(100));
        progress.reached(100);
        assert!(progress.is_followed(100));
    }
}
