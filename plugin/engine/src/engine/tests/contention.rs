//! Many who change one row at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use abi::storage::{Expected, Written};

use super::stage::{Stage, Stepping, Task, interleave};
use super::*;
use crate::session::{Address, Family};
use crate::storage::Versioned;

#[test]
fn whoever_lost_once_does_not_keep_others_from_winning() {
    for seed in 0..50 {
        let rows = Counted::new();
        let engine = engine_on(rows.clone(), &rows.stage.clock);
        let login = deltas(&[("user_id", 1)]);

        let tasks = (0..LOGINS).map(|_| -> Task<'_, Saved> { Box::pin(engine.create(&login)) });
        let sessions = interleave(seed, tasks.collect());

        assert!(sessions.iter().all(|saved| matches!(saved, Saved::Done(_))));
        let writes = rows.writes.load(Ordering::Relaxed);
        // The session, the roster in vain, and the roster. Who is first of those that wait may lose as well, to one who
        // then has not tried in vain.
        assert!(writes <= 3 * LOGINS, "{writes} writes, seed {seed}");
    }
}

#[tokio::test]
async fn a_row_that_is_never_won_is_an_outage_after_some_seconds() {
    let lost = Lost::new();
    let engine = engine_on(lost.clone(), &lost.stage.clock);

    let saved = engine.create(&deltas(&[("user_id", 1)])).await;

    assert!(matches!(saved, Saved::Unavailable(_)), "{saved:?}");
    assert_eq!(lost.stage.clock.now().since(START), 5 * SECOND);
    let link = Link {
        principal: "1".into(),
        family: Family::new(1),
    };
    let linking = Linking {
        issued_at: START,
        keep: HOUR,
    };
    let before = lost.stage.clock.now();
    assert!(engine.link("sid:1", &link, linking).await.is_err());
    assert_eq!(lost.stage.clock.now().since(before), 5 * SECOND);
}

/// Counts the writes, and lets another go first before every access.
struct Counted {
    stage: Arc<Stage>,
    stepping: Stepping,
    writes: AtomicUsize,
}

impl Counted {
    fn new() -> Arc<Self> {
        let stage = Stage::new();
        Arc::new(Self {
            stepping: Stepping(stage.clone()),
            stage,
            writes: AtomicUsize::new(0),
        })
    }
}

impl Rows for Counted {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.stepping.load(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.stepping.write(address, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.stage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.stage.reset()
    }
}

/// The first write is that of the session. Every other one takes a second, and comes too late.
struct Lost {
    stage: Arc<Stage>,
    writes: AtomicUsize,
}

impl Lost {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            stage: Stage::new(),
            writes: AtomicUsize::new(0),
        })
    }
}

impl Rows for Lost {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.stage.load(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        if self.writes.fetch_add(1, Ordering::Relaxed) == 0 {
            return self.stage.write(address, expected, row, keep);
        }
        self.stage.clock.advance(SECOND);
        Written::Conflict.into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.stage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.stage.reset()
    }
}

const LOGINS: usize = 20;
const SECOND: Duration = Duration::from_secs(1);
