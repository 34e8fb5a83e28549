//! Who plays: three gateways with clocks of their own on one storage, whose writes are watched.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use abi::storage::{Expected, Loaded, Unavailable, Written};

use super::super::*;
use super::life::Life;
use super::script::{Broom, World};
use super::tale::Moment;
use crate::clock::Clock;
use crate::session::{Address, Keyring, Record, State};
use crate::storage::Versioned;

/// The gateways of a world.
pub(super) struct Cast {
    pub(super) gateways: Vec<Gateway>,
    pub(super) witness: Arc<Witness>,
    pub(super) tally: Arc<Tally>,
    truth: Arc<ManualClock>,
    storage: Arc<ManualClock>,
    broom: Broom,
}

/// What was seen of the writes of all gateways.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) writes: AtomicU64,
    /// Rows that were kept for too long.
    pub(super) faults: Mutex<Vec<String>>,
}

/// One of them.
pub(super) struct Gateway {
    pub(super) engine: Engine,
    clock: Arc<Skewed>,
}

/// A storage to play on.
pub(super) trait House {
    /// The rows, as a gateway sees them that has this keyring, in a storage that lives by this clock.
    fn rows(&self, keyring: &Keyring, clock: &Arc<ManualClock>) -> Arc<dyn Rows>;

    /// What names and seals the rows.
    fn keyring(&self) -> Keyring;
}

impl Cast {
    pub(super) fn new(house: &impl House, world: &World) -> Self {
        let [truth, storage] = [(); 2].map(|()| Arc::new(ManualClock::new(world.start)));
        let (witness, tally) = (Arc::<Witness>::default(), Arc::<Tally>::default());
        let policy = Policy {
            keyring: house.keyring(),
            ..world.policy.clone()
        };
        let rows = house.rows(&policy.keyring, &storage);
        let gateway = |skew| {
            let clock = Arc::new(Skewed {
                truth: truth.clone(),
                ahead: AtomicI64::new(skew),
            });
            let watched = Watched {
                rows: rows.clone(),
                clock: clock.clone(),
                policy: policy.clone(),
                latest: AtomicU64::new(0),
                tally: tally.clone(),
            };
            let engine = Engine::new(Arc::new(watched), clock.clone(), policy.clone());
            Gateway {
                engine: engine.observed_by(witness.clone()),
                clock,
            }
        };
        Self {
            gateways: world.skews.unwrap_or_default().map(gateway).into(),
            witness,
            tally,
            truth,
            storage,
            broom: world.broom,
        }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.truth.advance(time);
        if self.broom == Broom::Punctual {
            self.storage.advance(time);
        }
    }

    pub(super) fn moment(&self, at: usize) -> Moment {
        Moment {
            here: self.gateways[at].clock.now(),
            truly: self.truth.now(),
            stored: self.storage.now(),
        }
    }
}

impl Gateway {
    /// Sets the clock, to so many milliseconds more than the truth.
    pub(super) fn jump(&self, millis: i64) {
        self.clock.ahead.store(millis, Ordering::Relaxed);
    }
}

/// The clock of a gateway that is not right.
struct Skewed {
    truth: Arc<ManualClock>,
    ahead: AtomicI64,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let now = self.truth.now().as_millis();
        Timestamp::from_millis(now.saturating_add_signed(ahead))
    }
}

/// The rows, as one gateway writes them. Nothing is kept for longer than what it says is left of it, but for the time
/// that is documented.
struct Watched {
    rows: Arc<dyn Rows>,
    clock: Arc<Skewed>,
    policy: Policy,
    /// For how many milliseconds the latest session was kept: the successor of the row that is rotated next.
    latest: AtomicU64,
    tally: Arc<Tally>,
}

impl Watched {
    /// The longest time that the row may be kept.
    fn limit(&self, state: &State) -> Duration {
        let now = self.clock.now();
        let left = |record: &Record| Life::from(record).left(&self.policy.lifetime, now);
        match state {
            State::Live(record) => {
                let left = left(record);
                self.latest
                    .store(left.as_millis() as u64, Ordering::Relaxed);
                // A session without a life is over before anybody reads it.
                if left.is_zero() { BROOM } else { left }
            }
            State::Rotating(rotating) => left(&rotating.record) + BROOM,
            State::Rotated(_) => {
                let successor = Duration::from_millis(self.latest.load(Ordering::Relaxed));
                successor.max(self.policy.grace).max(BROOM) + BROOM
            }
            State::Roster(roster) => {
                let left = roster.ends_at().since(now);
                left.max(roster.longest_left()) + TOMBSTONE
            }
            State::Revoked => TOMBSTONE,
        }
    }
}

impl Rows for Watched {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.rows.load(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        let limit = self.limit(&row.state);
        if keep.is_zero() || keep > limit {
            let mut faults = self.tally.faults.lock().unwrap();
            faults.push(format!("kept for {keep:?} instead of {limit:?}: {row:?}"));
        }
        self.tally.writes.fetch_add(1, Ordering::Relaxed);
        self.rows.write(address, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows.reset()
    }
}

// How much longer than needed a row is kept that others may be about to read.
const BROOM: Duration = Duration::from_secs(10);
