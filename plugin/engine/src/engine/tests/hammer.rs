//! Real threads on real storages.

use super::*;
use crate::clock::SystemClock;
use crate::session::{Excess, Family, Limit};
use crate::storage::conformance::{Crowd, Subject, block_on};
use crate::storage::file::tests::FileSubject;
use crate::storage::memory::tests::MemorySubject;
use crate::storage::redis::tests::RedisSubject;

#[test]
fn the_hammer_falls_on_memory() {
    hammer(&MemorySubject::open());
}

#[test]
fn the_hammer_falls_on_redis() {
    hammer(&RedisSubject::open());
}

#[test]
fn the_hammer_falls_on_a_file() {
    hammer(&FileSubject::every_write());
}

#[test]
fn the_hammer_falls_on_a_file_that_is_written_every_second() {
    hammer(&FileSubject::every_second());
}

/// All scenes, with two engines on one storage, as two gateways would have.
fn hammer(subject: &impl Subject) {
    let clock = Arc::new(SystemClock::new());
    let limit = Some(Limit {
        sessions: CAP,
        excess: Excess::EvictOldest,
    });
    let policy = Policy { limit, ..policy() };
    let gateway = || Engine::new(subject.rows(), clock.clone(), policy.clone());
    let pair = [gateway(), gateway()];
    for _ in 0..10 {
        rotations_have_one_successor(&pair);
        disjoint_writes_are_all_there(&pair);
        nothing_survives_a_logout(&pair);
        nothing_survives_a_logout_everywhere(&pair);
        logins_stay_below_the_limit(&pair);
        a_login_and_its_logout_see_each_other(&pair);
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

/// Pairs of threads: one links a login, the other ends it.
fn a_login_and_its_logout_see_each_other(pair: &[Engine; 2]) {
    let links: Vec<_> = (0..16).map(|_| link_of_anybody()).collect();
    let for_good = (Timestamp::from_millis(u64::MAX), HOUR);
    let linking = Linking {
        issued_at: Timestamp::default(),
        keep: HOUR,
    };

    // Whether each of them has seen the other.
    let seen = Crowd(links.len() * 2).run(|number| {
        let link = &links[number / 2];
        let name = format!("sid:{}", link.family);
        match number % 2 {
            0 => block_on(pair[0].link(&name, link, linking)).unwrap() == Linked::Over,
            _ => !block_on(pair[1].end_logins(&name, for_good))
                .unwrap()
                .is_empty(),
        }
    });

    for (number, seen) in seen.chunks(2).enumerate() {
        assert_ne!(seen[0], seen[1], "pair {number}");
    }
}

fn link_of_anybody() -> Link {
    Link {
        principal: "anna".to_owned(),
        family: Family::generate().unwrap(),
    }
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
    assert_eq!(found.record().attributes().iter().count(), 32 * 5 + 1);
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

fn nothing_survives_a_logout_everywhere(pair: &[Engine; 2]) {
    let session = block_on(begin(&pair[0]));

    let seen = Crowd(32).run(|number| {
        let engine = &pair[number % 2];
        let saved = match number {
            16 => {
                assert!(block_on(engine.revoke_all("1")).is_ok());
                return None;
            }
            _ if number % 5 == 0 => block_on(engine.rotate(&session)),
            _ if number % 7 == 0 => block_on(engine.regenerate(&session, &Deltas::new())),
            _ => block_on(engine.touch(&session)),
        };
        match saved {
            Saved::Done(session) => Some(session),
            Saved::Lost => None,
            other => panic!("{other:?}"),
        }
    });

    for snapshot in seen.into_iter().flatten().chain([session]) {
        assert_eq!(block_on(find(&pair[0], snapshot.id())), None);
    }
    assert_eq!(block_on(pair[1].sessions_of("1")), Ok(vec![]));
}

fn logins_stay_below_the_limit(pair: &[Engine; 2]) {
    let login = deltas(&[("user_id", 7)]);

    let sessions = Crowd(100).run(|number| {
        let engine = &pair[number % 2];
        let session = block_on(engine.create(&login)).expect_done();
        let listed = block_on(engine.sessions_of("7")).unwrap().len();
        assert!(listed <= CAP, "{listed} sessions");
        session
    });

    let alive = sessions
        .iter()
        .filter(|session| block_on(find(&pair[0], session.id())).is_some());
    assert_eq!(alive.count(), CAP);
    assert_eq!(block_on(pair[1].revoke_all("7")), Ok(CAP));
}

const CAP: usize = 5;
