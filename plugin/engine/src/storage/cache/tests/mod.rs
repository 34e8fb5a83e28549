//! The cache over a server that answers when it is told to.

mod hammer;
mod orders;
mod server;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use abi::testing::TestGateway;
use tokio::join;

use self::server::{Server, row};
use super::*;
use crate::clock::ManualClock;
use crate::session::{Family, Lifetime, State, Timestamp};
use crate::storage::conformance::Subject;
use crate::storage::{Ear, MemoryConfig, MemoryStorage};

mod as_a_storage {
    use super::Desk;

    crate::conformance_suite!(Desk::with_copies_of_a_moment);
}

#[tokio::test]
async fn a_hit_is_there_at_once_and_asks_nobody() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;

    let hit = desk.cache.load(mine());

    assert!(matches!(hit, Maybe::Ready(Loaded::Found(_))), "{hit:?}");
    assert_eq!(desk.server.loads(), 1);
    assert_eq!((desk.counted("hit"), desk.counted("miss")), (1, 1));
}

#[tokio::test]
async fn while_nothing_is_heard_nothing_is_shared_and_copies_are_for_outages_alone() {
    let mut desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.ear.lose();

    desk.load().await;
    join!(desk.load(), desk.load());

    assert_eq!(desk.server.loads(), 3);
    assert_eq!(desk.cache.recall(mine()), Some(row(1)));
}

#[tokio::test]
async fn absence_is_asked_for_every_time() {
    let desk = Desk::new();

    desk.load().await;
    desk.load().await;

    assert_eq!(desk.server.loads(), 2);
}

#[tokio::test]
async fn a_row_that_somebody_else_wrote_is_read_again() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;

    desk.server.put(mine(), 2);
    desk.changes.changed(&mine().key());

    assert_eq!(desk.load().await, Some(2));
}

#[tokio::test]
async fn who_asks_at_the_same_time_shares_one_read() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.server.hold();

    let asking = async { join!(desk.load(), desk.load(), desk.load()) };
    let (answers, ()) = join!(asking, async { desk.server.answer(1) });

    assert_eq!(answers, (Some(1), Some(1), Some(1)));
    assert_eq!(desk.server.loads(), 1);
}

#[tokio::test]
async fn when_the_first_goes_away_the_next_reads_anew() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.server.hold();
    let mut first = Box::pin(desk.load());
    let mut second = pin!(desk.load());
    assert_eq!(poll(first.as_mut()), Poll::Pending);
    assert_eq!(poll(second.as_mut()), Poll::Pending);
    assert_eq!(desk.server.loads(), 1);

    drop(first);
    desk.server.answer(1);

    assert_eq!(second.await, Some(1));
    assert_eq!(desk.server.loads(), 2);
}

#[tokio::test]
async fn nobody_joins_a_read_from_before_the_news() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.server.hold();
    let mut early = pin!(desk.load());
    assert_eq!(poll(early.as_mut()), Poll::Pending);

    desk.server.put(mine(), 2);
    desk.changes.changed(&mine().key());
    let late = desk.load();
    desk.server.answer(2);

    let (late, early) = join!(late, early);
    assert_eq!((early, late), (Some(1), Some(2)));
    assert_eq!(desk.load().await, Some(2), "the older answer was not kept");
    assert_eq!(desk.server.loads(), 2);
}

#[tokio::test]
async fn an_answer_that_a_gap_overtook_is_not_kept() {
    let mut desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.server.hold();
    let cache = Arc::clone(&desk.cache);
    let mut asking = pin!(cache.load(mine()).wait());
    assert!(poll(asking.as_mut()).is_pending());

    desk.ear.lose();
    desk.ear.hear();
    desk.server.answer(9);
    asking.await;

    desk.load().await;
    assert_eq!(desk.server.loads(), 2);
}

#[tokio::test]
async fn no_copy_is_older_than_allowed_since_its_row_was_asked_for() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.server.hold();
    let mut slow = pin!(desk.load());
    assert_eq!(poll(slow.as_mut()), Poll::Pending);

    desk.clock.advance(AGE);
    desk.server.answer(9);
    slow.await;

    desk.load().await;
    assert_eq!(desk.server.loads(), 2);
    assert!(matches!(desk.cache.load(mine()), Maybe::Ready(_)));
}

#[tokio::test]
async fn what_was_written_here_is_read_here_without_a_question() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;

    assert_eq!(desk.write(2, State::Revoked).await, Written::Done);

    assert_eq!(desk.load().await, Some(2));
    assert_eq!(desk.server.loads(), 1);
}

#[tokio::test]
async fn after_a_conflict_the_row_is_read_again() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;
    desk.server.put(mine(), 2);

    assert_eq!(desk.write(2, State::Revoked).await, Written::Conflict);

    assert_eq!(desk.load().await, Some(2));
}

#[tokio::test]
async fn a_write_that_nobody_waited_for_leaves_no_fresh_copy() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;
    desk.server.hold();
    {
        let mut writing = pin!(desk.write(2, State::Revoked));
        assert!(poll(writing.as_mut()).is_pending());
    }
    desk.server.answer(9);

    assert_eq!(desk.load().await, Some(2));
}

#[tokio::test]
async fn of_a_failed_write_of_a_live_row_a_stale_copy_is_left_and_of_an_end_none() {
    let desk = Desk::new();
    let record = Lifetime::new(AGE, None).begin(Family::new(7), NOW);
    for (state, left) in [(State::Live(record), Some(1)), (State::Revoked, None)] {
        desk.server.put(mine(), 1);
        desk.load().await;
        desk.server.fail_writes();

        let written = desk.write(2, state).await;

        assert!(matches!(written, Written::Unavailable(_)));
        let recalled = desk.cache.recall(mine()).map(|row| row.version);
        assert_eq!(recalled, left);
        assert!(matches!(desk.cache.load(mine()), Maybe::Pending(_)));
    }
}

#[tokio::test]
async fn a_copy_outlives_a_gap_to_be_recalled_and_no_longer_than_allowed() {
    let mut desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;

    desk.ear.lose();

    assert!(matches!(desk.cache.load(mine()), Maybe::Pending(_)));
    assert_eq!(desk.cache.recall(mine()), Some(row(1)));
    desk.clock.advance(AGE);
    assert_eq!(desk.cache.recall(mine()), None);
}

#[tokio::test]
async fn rereading_asks_the_storage_and_refreshes_the_copy() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;
    desk.server.put(mine(), 2);

    desk.cache.reread(mine()).wait().await;

    assert_eq!(desk.load().await, Some(2));
    assert_eq!(desk.server.loads(), 2);
}

#[tokio::test]
async fn a_reset_leaves_no_copy() {
    let desk = Desk::new();
    desk.server.put(mine(), 1);
    desk.load().await;

    desk.cache.reset().wait().await.unwrap();

    assert_eq!(desk.load().await, None);
    assert_eq!(desk.cache.recall(mine()), None);
}

/// A cache with everything it depends on.
struct Desk {
    gateway: TestGateway,
    server: Arc<Server>,
    cache: Arc<Cached<Arc<Server>>>,
    changes: Changes,
    ear: Ear,
    clock: Arc<ManualClock>,
}

impl Desk {
    fn new() -> Self {
        Self::with(AGE)
    }

    /// Rows that run out are not heard of, so no copy may be there when the clock has moved.
    fn with_copies_of_a_moment() -> Self {
        Self::with(Duration::from_millis(1))
    }

    fn with(max_staleness: Duration) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let server = Arc::new(Server::new(&clock));
        let gateway = TestGateway::new();
        let changes = Changes::default();
        let mut ear = changes.ear();
        ear.hear();
        let capacity = Capacity {
            entries: 1000,
            max_staleness,
        };
        let cache = Cached::new(
            Arc::clone(&server),
            ("Redis", capacity),
            changes.clone(),
            (clock.clone(), &gateway.services()),
        );
        Self {
            gateway,
            server,
            cache: Arc::new(cache),
            changes,
            ear,
            clock,
        }
    }

    async fn load(&self) -> Option<u64> {
        match self.cache.load(mine()).wait().await {
            Loaded::Found(row) => Some(row.version),
            Loaded::Absent => None,
            Loaded::Unavailable(cause) => panic!("{cause}"),
        }
    }

    async fn write(&self, version: u64, state: State) -> Written {
        let row = Versioned { version, state };
        let expected = Expected::Version(version - 1);
        self.cache.write(mine(), expected, row, HOUR).wait().await
    }

    fn counted(&self, outcome: &str) -> u64 {
        let labels = format!("storage=Redis\noutcome={outcome}");
        self.gateway.counter("session_cache_loads_total", &labels)
    }
}

impl Subject for Desk {
    fn rows(&self) -> Arc<dyn Rows> {
        self.cache.clone()
    }

    fn clock(&self) -> Option<&ManualClock> {
        Some(&self.clock)
    }
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn mine() -> Address {
    Key::new([1; 32]).into()
}

const AGE: Duration = Duration::from_secs(2);
const HOUR: Duration = Duration::from_secs(3600);
const NOW: Timestamp = Timestamp::from_millis(1_000_000);
