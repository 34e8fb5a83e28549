//! Real threads on real storages.

use super::*;
use crate::clock::SystemClock;
use crate::storage::conformance::{Crowd, Subject, block_on};
use crate::storage::file::tests::FileSubject;
use crate::storage::memory::tests::MemorySubject;
use crate::storage::redis::tests::RedisSubject;

#[test]
fn the_hammer_falls_on_memory() {
    hammer(&MemorySubject::open());
}

#[test]
fn the_hammer_falls_on_a_file() {
    hammer(&FileSubject::every_write());
}

#[test]
fn the_hammer_falls_on_a_file_that_is_written_every_second() {
    hammer(&FileSubject::every_second());
}

#[test]
fn the_hammer_falls_on_redis() {
    hammer(&RedisSubject::open());
}

/// All scenes, with two engines on one storage, as two gateways would have.
fn hammer(subject: &impl Subject) {
    let clock = Arc::new(SystemClock::new());
    let gateway = || Engine::new(subject.rows(), clock.clone(), policy());
    let pair = [gateway(), gateway()];
    for _ in 0..10 {
        rotations_have_one_successor(&pair);
        disjoint_writes_are_all_there(&pair);
        nothing_survives_a_logout(&pair);
    }
}

fn rotations_have_one_successor(pair: &[Engine; 2]) {
    let session = block_on(begin(&pair[0]));

    let ids = Crowd(64).run(|number| {
        let engine = &pair[number % 2];
        if number % 4 == 3 {
            return block_on(find(engine, session.id()))
                .map(|_| None)
                .expect("never anonymous");
        }
        Some(block_on(engine.rotate(&session)).expect_done().id().clone())
    });

    let successors: Vec<_> = ids.into_iter().flatten().collect();
    assert_eq!(successors.len(), 48);
    assert!(
        successors
            .iter()
            .all(|id| id == &successors[0] && id != session.id())
    );
}

fn disjoint_writes_are_all_there(pair: &[Engine; 2]) {
    let session = block_on(begin(&pair[0]));

    Crowd(32).run(|number| {
        let engine = &pair[number % 2];
        if number == 16 {
            let _ = block_on(engine.rotate(&session)).expect_done();
        }
        for write in 0..5 {
            let name = format!("{number}.{write}");
            let _ = block_on(engine.patch(&session, &deltas(&[(&name, 1)]))).expect_done();
        }
    });

    let found = block_on(find(&pair[1], session.id())).unwrap();
    assert_eq!(found.record().attributes().len(), 32 * 5 + 1);
}

fn nothing_survives_a_logout(pair: &[Engine; 2]) {
    let session = block_on(begin(&pair[0]));

    let seen = Crowd(32).run(|number| {
        let engine = &pair[number % 2];
        let saved = match number {
            16 => {
                assert_eq!(block_on(engine.revoke(session.id())), Revoked::Done);
                return None;
            }
            _ if number % 5 == 0 => block_on(engine.rotate(&session)),
            _ => block_on(engine.patch(&session, &deltas(&[("a", 1)]))),
        };
        match saved {
            Saved::Done(session) => Some(session),
            Saved::Lost => None,
            other => panic!("{other:?}"),
        }
    });

    for snapshot in seen.into_iter().flatten().chain([session]) {
        assert_eq!(block_on(find(&pair[0], snapshot.id())), None);
        assert_eq!(
            block_on(pair[1].patch(&snapshot, &deltas(&[("late", 1)]))),
            Saved::Lost
        );
    }
}
