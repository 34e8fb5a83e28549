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
use crate::sample::Sample;

/// A storage, what works on it, and what it took to fill it.
pub(crate) struct Population {
    pub(crate) rows: Arc<MemoryStorage>,
    pub(crate) engine: Engine,
    /// Stands still, so that no session is renewed or touched while something else is measured.
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sessions: usize,
    /// The growth of this process for each session.
    pub(crate) bytes: usize,
    pub(crate) sample: Sample,
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
            sample: Sample::of(sessions),
        };
        population.fill(kind);
        population
    }

    fn fill(&mut self, kind: &Kind) {
        let before = resident();
        for number in 0..self.sessions {
            let id = self.create(&(kind.attributes)(number));
            self.sample.see(number, &id);
        }
        let grown = resident() - before;
        self.bytes = grown.saturating_sub(self.sample.bytes()) / self.sessions;
        self.sample.shuffle();
    }

    /// A new session with these attributes.
    pub(crate) fn create(&self, attributes: &Value) -> SessionId {
        create(&self.engine, attributes)
    }
}

pub(crate) const LIFE: Duration = Duration::from_secs(60 * 60);
const UNBOUNDED: MemoryConfig = MemoryConfig {
    max_entries: u32::MAX,
    max_bytes: ByteSize::of_bytes(u64::MAX),
};
