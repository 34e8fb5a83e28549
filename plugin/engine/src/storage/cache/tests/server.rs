//! A server whose answers can be held back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

/// Rows in memory. What is asked or written is done at once, and answered when it is allowed.
pub(super) struct Server {
    rows: MemoryStorage,
    loads: AtomicUsize,
    answers: Semaphore,
    fails_writes: AtomicBool,
}

impl Server {
    pub(super) fn new(clock: &Arc<ManualClock>) -> Self {
        Self {
            rows: MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap(),
            loads: AtomicUsize::new(0),
            answers: Semaphore::new(PLENTY),
            fails_writes: AtomicBool::new(false),
        }
    }

    /// Puts a row where it is, as another gateway does.
    pub(super) fn put(&self, address: Address, version: u64) {
        let known = match self.rows.load(address) {
            Maybe::Ready(Loaded::Found(row)) => Expected::Version(row.version),
            _ => Expected::Absent,
        };
        let written = self.rows.write(address, known, row(version), HOUR);
        assert!(matches!(written, Maybe::Ready(Written::Done)));
    }

    /// Answers nobody from now on.
    pub(super) fn hold(&self) {
        self.answers.forget_permits(PLENTY);
    }

    /// Answers so many, or one that is still to come.
    pub(super) fn answer(&self, count: usize) {
        self.answers.add_permits(count);
    }

    pub(super) fn fail_writes(&self) {
        self.fails_writes.store(true, Ordering::Relaxed);
    }

    pub(super) fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }

    async fn wait(&self) {
        if let Ok(permit) = self.answers.acquire().await {
            permit.forget();
        }
    }
}

impl Rows for Server {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::task(async move {
            self.loads.fetch_add(1, Ordering::Relaxed);
            let answer = self.rows.load(address).wait().await;
            self.wait().await;
            answer
        })
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        Maybe::task(async move {
            if self.fails_writes.swap(false, Ordering::Relaxed) {
                return Written::Unavailable(Unavailable::new("gone"));
            }
            let answer = self.rows.write(address, expected, row, keep).wait().await;
            self.wait().await;
            answer
        })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows.reset()
    }
}

pub(super) fn row(version: u64) -> Versioned {
    Versioned {
        version,
        state: State::Revoked,
    }
}

const PLENTY: usize = 1_000_000;
