//! Storages that show what happened, that fail on cue, and that stop before every step.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use abi::storage::{Expected, Key, Loaded, Written};

use super::*;
use crate::session::{Address, State};
use crate::storage::{MemoryConfig, MemoryStorage, Versioned};

/// Memory that remembers every key it was given, and can be told to fail.
pub(super) struct Stage {
    rows: MemoryStorage,
    keys: Mutex<BTreeSet<Key>>,
    forgotten: Mutex<BTreeSet<Key>>,
    writes_left: AtomicI64,
    fate: Fate,
    pub(super) clock: Arc<ManualClock>,
}

/// What becomes of the write on which a gateway dies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    Done,
    NotDone,
}

impl Stage {
    pub(super) fn new() -> Arc<Self> {
        Self::that_fails_with(Fate::NotDone)
    }

    pub(super) fn that_fails_with(fate: Fate) -> Arc<Self> {
        let clock = Arc::new(ManualClock::new(START));
        let rows = MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap();
        let writes_left = AtomicI64::new(i64::MAX);
        Arc::new(Self {
            rows,
            keys: Mutex::default(),
            forgotten: Mutex::default(),
            writes_left,
            fate,
            clock,
        })
    }

    pub(super) fn engine(self: &Arc<Self>) -> Engine {
        engine_on(self.clone(), &self.clock)
    }

    /// Lets so many writes succeed before the storage goes away.
    pub(super) fn fail_after(&self, writes: i64) {
        self.writes_left.store(writes, Ordering::Relaxed);
    }

    pub(super) fn recover(&self) {
        self.fail_after(i64::MAX);
    }

    /// Loses a row, as a storage does that is too full.
    pub(super) fn forget(&self, key: Key) {
        self.forgotten.lock().unwrap().insert(key);
    }

    /// How many live rows there are, whoever knows them.
    pub(super) fn live(&self) -> usize {
        let keys = self.keys.lock().unwrap();
        let is_live = |key: &&Key| {
            let loaded = self.rows.load((**key).into());
            matches!(
                loaded,
                Maybe::Ready(Loaded::Found(Versioned {
                    state: State::Live(_),
                    ..
                }))
            )
        };
        keys.iter().filter(is_live).count()
    }

    /// How many rows were ever written.
    pub(super) fn rows_ever(&self) -> usize {
        self.keys.lock().unwrap().len()
    }
}

impl Rows for Stage {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        if self.writes_left.load(Ordering::Relaxed) < 0 {
            return Loaded::Unavailable(Unavailable::new("gone")).into();
        }
        if self.forgotten.lock().unwrap().contains(&address.key()) {
            return Loaded::Absent.into();
        }
        self.rows.load(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        let left = self.writes_left.fetch_sub(1, Ordering::Relaxed);
        if left > 0 {
            self.keys.lock().unwrap().insert(address.key());
            return self.rows.write(address, expected, row, keep);
        }
        if left == 0 && self.fate == Fate::Done {
            self.keys.lock().unwrap().insert(address.key());
            let _ = self.rows.write(address, expected, row, keep);
        }
        Written::Unavailable(Unavailable::new("gone")).into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows.reset()
    }
}

/// Lets another task go first before every access, so that a scheduler can put accesses in any order.
pub(super) struct Stepping(pub(super) Arc<Stage>);

impl Stepping {
    pub(super) fn engine(stage: &Arc<Stage>) -> Engine {
        engine_on(Arc::new(Self(stage.clone())), &stage.clock)
    }
}

impl Rows for Stepping {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::task(async move {
            tokio::task::yield_now().await;
            self.0.load(address).wait().await
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
            tokio::task::yield_now().await;
            self.0.write(address, expected, row, keep).wait().await
        })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.0.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.0.reset()
    }
}

/// Runs tasks to their end on this thread, one step of one task at a time, in an order that `seed` decides.
pub(super) fn interleave<T>(seed: u64, tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let mut order = Order(seed);
    let mut tasks: Vec<_> = tasks.into_iter().map(|task| (Some(task), None)).collect();
    let mut running: Vec<_> = (0..tasks.len()).collect();
    while !running.is_empty() {
        let chosen = order.next() % running.len();
        let (task, result) = &mut tasks[running[chosen]];
        let Some(work) = task else {
            unreachable!("a finished task is not running")
        };
        if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            (*task, *result) = (None, Some(value));
            running.swap_remove(chosen);
        }
    }
    tasks
        .into_iter()
        .map(|(_, result)| result.expect("every task ran to its end"))
        .collect()
}

pub(super) type Task<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;

/// SplitMix64: every seed gives another order, and the same one each time.
struct Order(u64);

impl Order {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 1) as usize
    }
}
