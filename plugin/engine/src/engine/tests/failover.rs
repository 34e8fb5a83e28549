//! A master that dies with writes that it had acknowledged.

use std::collections::BTreeMap;

use abi::storage::{Expected, Written};

use super::*;
use crate::engine::revocations::{Ended, MOST};
use crate::session::Address;
use crate::storage::Versioned;

#[tokio::test]
async fn a_logout_that_a_failover_lost_is_done_again() {
    let desk = Desk::new();
    let session = begin(&desk.engine).await;
    let visitor = desk
        .engine
        .create(&deltas(&[("basket", 1)]))
        .await
        .expect_done();
    desk.rows.replicate();

    for ended in [&session, &visitor] {
        assert_eq!(desk.engine.revoke(ended.id()).await, Revoked::Done);
    }
    desk.rows.fail_over();
    assert!(
        find(&desk.engine, session.id()).await.is_some(),
        "it is back"
    );

    assert_eq!(
        desk.engine.end_again().await,
        Ok(3),
        "two rows, one name on a roster"
    );

    assert_eq!(find(&desk.engine, session.id()).await, None);
    assert_eq!(find(&desk.engine, visitor.id()).await, None);
    assert_eq!(desk.engine.end_again().await, Ok(0));
}

#[tokio::test]
async fn a_logout_everywhere_that_a_failover_lost_is_done_again() {
    let desk = Desk::new();
    let (mine, other) = (begin(&desk.engine).await, begin(&desk.engine).await);
    desk.rows.replicate();

    assert_eq!(desk.engine.revoke_others(&mine).await, Ok(1));
    desk.rows.fail_over();
    let newer = begin(&desk.engine).await;
    assert_eq!(desk.engine.end_again().await, Ok(1));

    assert_eq!(find(&desk.engine, other.id()).await, None);
    assert!(find(&desk.engine, mine.id()).await.is_some());
    assert!(find(&desk.engine, newer.id()).await.is_some());
}

#[tokio::test]
async fn an_id_from_before_a_login_stays_dead_after_a_failover() {
    let desk = Desk::new();
    let planted = desk
        .engine
        .create(&deltas(&[("basket", 1)]))
        .await
        .expect_done();
    desk.rows.replicate();

    let login = desk
        .engine
        .regenerate(&planted, &deltas(&[("user_id", 1)]))
        .await;
    login.expect_done();
    desk.rows.fail_over();
    assert_eq!(desk.engine.end_again().await, Ok(1));

    assert_eq!(find(&desk.engine, planted.id()).await, None);
}

#[tokio::test]
async fn what_was_not_lost_is_left_alone() {
    let desk = Desk::new();
    let session = begin(&desk.engine).await;
    assert_eq!(desk.engine.revoke(session.id()).await, Revoked::Done);

    desk.rows.replicate();
    desk.rows.fail_over();

    assert_eq!(desk.engine.end_again().await, Ok(0));
}

#[tokio::test]
async fn an_end_is_remembered_for_a_minute() {
    for (later, count) in [(MINUTE - MILLISECOND, 2), (MINUTE, 0)] {
        let desk = Desk::new();
        let session = begin(&desk.engine).await;
        desk.rows.replicate();
        assert_eq!(desk.engine.revoke(session.id()).await, Revoked::Done);

        desk.rows.fail_over();
        desk.clock.advance(later);

        assert_eq!(desk.engine.end_again().await, Ok(count));
    }
}

#[tokio::test]
async fn more_ends_than_are_remembered_take_the_place_of_the_oldest() {
    let known = Revocations::default();
    let row = |number: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Ended::Row(Key::new(bytes).into())
    };

    (0..MOST as u64 + 2).for_each(|number| known.remember(row(number), START));

    let recent = known.recent(START);
    assert_eq!((recent.len(), recent[0]), (MOST, row(2)));
}

struct Desk {
    engine: Engine,
    rows: Arc<Replicated>,
    clock: Arc<ManualClock>,
}

impl Desk {
    fn new() -> Self {
        let (rows, clock) = (
            Arc::new(Replicated::default()),
            Arc::new(ManualClock::new(START)),
        );
        let engine = engine_on(rows.clone(), &clock);
        Self {
            engine: engine.remembering_ends(),
            rows,
            clock,
        }
    }
}

/// A master and a replica that hears of writes when it is told to.
#[derive(Default)]
struct Replicated(Mutex<[BTreeMap<Key, Versioned>; 2]>);

impl Replicated {
    fn replicate(&self) {
        let [master, replica] = &mut *self.0.lock().unwrap();
        replica.clone_from(master);
    }

    fn fail_over(&self) {
        let [master, replica] = &mut *self.0.lock().unwrap();
        master.clone_from(replica);
    }
}

impl Rows for Replicated {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        let [master, _] = &*self.0.lock().unwrap();
        let row = master.get(&address.key()).cloned();
        row.map_or(Loaded::Absent, Loaded::Found).into()
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        _: Duration,
    ) -> Maybe<'_, Written> {
        let [master, _] = &mut *self.0.lock().unwrap();
        let known = master.get(&address.key()).map(|row| row.version);
        let found = known.map_or(Expected::Absent, Expected::Version);
        if found != expected {
            return Written::Conflict.into();
        }
        master.insert(address.key(), row);
        Written::Done.into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Ok(()).into()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Ok(0).into()
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);
