//! Many sessions in one storage.

use std::sync::Arc;
use std::time::Duration;

use abi::config::ByteSize;
use engine::clock::ManualClock;
use engine::session::{Lifetime, SessionId, Timestamp};
use engine::storage::{MemoryConfig, MemoryStorage};
use engine::{Engine, Policy};
use serde_json::Value;

use crate::kind::{Kind, create};
use crate::resident::resident;

/// A storage, what works on it, and what it took to fill it.
pub(crate) struct Population {
    pub(crate) rows: Arc<MemoryStorage>,
    pub(crate) engine: Engine,
    /// Stands still, so that no session is renewed or touched while something else is measured.
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sessions: usize,
    /// The growth of this process for each session.
    pub(crate) bytes: usize,
    /// A thousand ids, evenly spread over the order in which the sessions were made.
    pub(crate) hot: Vec<SessionId>,
    /// A million ids, or all there are, in no order.
    pub(crate) any: Vec<SessionId>,
}

impl Population {
    /// As many sessions as are asked for, all of one kind.
    pub(crate) fn of(sessions: usize, kind: &Kind) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_763_683_200_000)));
        let rows = MemoryStorage::open(&UNBOUNDED, clock.clone());
        let rows = Arc::new(rows.expect("there is room"));
        let policy = Policy::new(Lifetime::new(LIFE, None));
        let mut population = Self {
            engine: Engine::new(rows.clone(), clock.clone(), policy),
            rows,
            clock,
            sessions,
            bytes: 0,
            hot: Vec::new(),
            any: Vec::new(),
        };
        population.fill(kind);
        population
    }

    fn fill(&mut self, kind: &Kind) {
        let before = resident();
        for number in 0..self.sessions {
            let id = self.create(&(kind.attributes)(number));
            if number % self.sessions.div_ceil(HOT) == 0 {
                self.hot.push(id.clone());
            }
            if number % self.sessions.div_ceil(ANY) == 0 {
                self.any.push(id);
            }
        }
        let ids = size_of::<SessionId>() * (self.hot.capacity() + self.any.capacity());
        self.bytes = (resident() - before).saturating_sub(ids) / self.sessions;
        shuffle(&mut self.any);
    }

    /// A new session with these attributes.
    pub(crate) fn create(&self, attributes: &Value) -> SessionId {
        create(&self.engine, attributes)
    }
}

/// Fisher and Yates, with numbers that are random enough.
fn shuffle(ids: &mut [SessionId]) {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..ids.len()).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ids.swap(last, random as usize % (last + 1));
    }
}

pub(crate) const LIFE: Duration = Duration::from_secs(60 * 60);
const HOT: usize = 1000;
const ANY: usize = 1_000_000;
const UNBOUNDED: MemoryConfig = MemoryConfig {
    max_entries: u32::MAX,
    max_bytes: ByteSize::of_bytes(u64::MAX),
};
