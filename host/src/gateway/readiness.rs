//! Whether requests can be served now.

use std::future::Future;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// What came of the last look at the storages. Anybody may ask, and a look writes to each of them: one at a time is
/// enough for all who wait for it.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    began: Instant,
    is_ready: bool,
}

impl Readiness {
    /// Looks, unless somebody has begun to since this was asked.
    pub(super) async fn ask(&self, look: impl Future<Output = bool>) -> bool {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some(seen) = *last
            && seen.began > asked
        {
            return seen.is_ready;
        }
        let began = Instant::now();
        let is_ready = look.await;
        *last = Some(Seen { began, is_ready });
        is_ready
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn who_asks_while_somebody_looks_shares_the_next_look() {
        let (readiness, looks) = (Readiness::default(), AtomicUsize::new(0));
        let ask = || {
            readiness.ask(async {
                let number = looks.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                number > 0
            })
        };

        let answers = join_all((0..100).map(|_| ask())).await;

        assert_eq!(looks.load(Ordering::Relaxed), 2);
        assert!(!answers[0] && answers[1..].iter().all(|is_ready| *is_ready));
    }

    #[tokio::test]
    async fn who_asks_later_is_told_nothing_old() {
        let readiness = Readiness::default();

        assert!(readiness.ask(async { true }).await);
        assert!(!readiness.ask(async { false }).await);
    }
}
