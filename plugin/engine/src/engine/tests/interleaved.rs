//! Requests that run into each other, step by step, in thousands of orders. A failing seed fails every time.

use super::stage::{Stage, Stepping, Task, interleave};
use super::*;
use crate::storage::conformance::block_on;

#[test]
fn rotations_at_once_have_one_successor() {
    for_each_order(|seed, stage, engine, session| {
        let rotate = || -> Task<'_, _> { Box::pin(engine.rotate(session)) };

        let rotated = interleave(seed, vec![rotate(), rotate(), rotate(), rotate()]);

        let first = rotated[0].clone().expect_done();
        for other in rotated {
            assert_eq!(other.expect_done().id(), first.id(), "seed {seed}");
        }
        assert_eq!(stage.live(), 1, "seed {seed}");
    });
}

#[test]
fn nobody_is_anonymous_while_others_rotate() {
    for_each_order(|seed, _, engine, session| {
        let load =
            || -> Task<'_, bool> { Box::pin(async { find(engine, session.id()).await.is_some() }) };
        let rotate = || -> Task<'_, bool> {
            Box::pin(async { matches!(engine.rotate(session).await, Saved::Done(_)) })
        };

        let outcomes = interleave(seed, vec![load(), rotate(), load(), rotate(), load()]);

        assert_eq!(outcomes, [true; 5], "seed {seed}");
    });
}

#[test]
fn writes_of_different_attributes_all_survive_a_rotation_and_a_login() {
    for_each_order(|seed, stage, engine, session| {
        let patch = |name| -> Task<'_, Saved> {
            Box::pin(async move { engine.patch(session, &deltas(&[(name, 1)])).await })
        };

        let outcomes = interleave(
            seed,
            vec![
                patch("a"),
                patch("b"),
                Box::pin(engine.rotate(session)),
                patch("c"),
            ],
        );

        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Saved::Done(_))),
            "seed {seed}"
        );
        let found = block_on(find(engine, session.id())).unwrap();
        let values = ["user_id", "a", "b", "c"].map(|name| value(&found, name));
        assert_eq!(values, [Some(1); 4], "seed {seed}");
        assert_eq!(stage.live(), 1, "seed {seed}");
    });
}

/// One attribute is written, 42 logs in, and another attribute is written.
fn writes_beside_a_login(seed: u64, engine: &Engine, session: &Session) -> Vec<Saved> {
    let patch = |name| -> Task<'_, Saved> {
        Box::pin(async move { engine.patch(session, &deltas(&[(name, 1)])).await })
    };
    let login: Task<'_, Saved> = Box::pin(async {
        engine
            .regenerate(session, &deltas(&[("user_id", 42)]))
            .await
    });
    interleave(seed, vec![patch("a"), login, patch("b")])
}

#[test]
fn no_acknowledged_write_of_a_visitor_is_lost_to_a_login() {
    for_each_order_from(&deltas(&[("basket", 1)]), |seed, stage, engine, session| {
        let outcomes = writes_beside_a_login(seed, engine, session);

        let login = outcomes[1].clone().expect_done();
        let found = block_on(find(engine, login.id())).unwrap();
        for (name, outcome) in [("a", &outcomes[0]), ("b", &outcomes[2])] {
            let is_done = matches!(outcome, Saved::Done(_));
            assert_eq!(
                value(&found, name).is_some(),
                is_done,
                "seed {seed}, {name}"
            );
        }
        assert_eq!(value(&found, "user_id"), Some(42), "seed {seed}");
        assert_eq!(stage.live(), 1, "seed {seed}");
        assert_eq!(block_on(find(engine, session.id())), None, "seed {seed}");
    });
}

#[test]
fn nothing_that_one_user_writes_is_left_to_the_next() {
    for_each_order(|seed, stage, engine, session| {
        let outcomes = writes_beside_a_login(seed, engine, session);

        let login = outcomes[1].clone().expect_done();
        let found = block_on(find(engine, login.id())).unwrap();
        let values = ["user_id", "a", "b"].map(|name| value(&found, name));
        assert_eq!(values, [Some(42), None, None], "seed {seed}");
        assert_eq!(stage.live(), 1, "seed {seed}");
        assert_eq!(block_on(find(engine, session.id())), None, "seed {seed}");
    });
}

#[test]
fn nothing_is_alive_after_a_logout_among_writes_and_rotations() {
    for_each_order(|seed, stage, engine, session| {
        let patch = |name| -> Task<'_, Option<Session>> {
            Box::pin(async move { done(engine.patch(session, &deltas(&[(name, 1)])).await) })
        };
        let rotate = || -> Task<'_, Option<Session>> {
            Box::pin(async { done(engine.rotate(session).await) })
        };
        let load: Task<'_, Option<Session>> = Box::pin(find(engine, session.id()));
        let revoke: Task<'_, Option<Session>> = Box::pin(async {
            assert_eq!(engine.revoke(session.id()).await, Revoked::Done);
            None
        });

        let seen = interleave(
            seed,
            vec![patch("a"), rotate(), revoke, rotate(), load, patch("b")],
        );

        for snapshot in seen.into_iter().flatten().chain([session.clone()]) {
            assert_eq!(block_on(find(engine, snapshot.id())), None, "seed {seed}");
            let late = block_on(engine.patch(&snapshot, &deltas(&[("late", 1)])));
            assert_eq!(late, Saved::Lost, "seed {seed}");
        }
        assert_eq!(stage.live(), 0, "seed {seed}");
    });
}

#[test]
fn of_two_logins_each_gets_a_session_and_the_old_one_is_over() {
    for_each_order(|seed, stage, engine, session| {
        let login = |user| -> Task<'_, Saved> {
            Box::pin(async move {
                engine
                    .regenerate(session, &deltas(&[("user_id", user)]))
                    .await
            })
        };

        // The session was user 1's: whoever logs in again logs in all the same.
        let second = [1, 2, 3][seed as usize % 3];
        let outcomes = interleave(seed, vec![login(second), login(1)]);

        let users = outcomes.into_iter().map(|outcome| {
            let login = outcome.expect_done();
            let found = block_on(find(engine, login.id())).expect("a login holds");
            value(&found, "user_id")
        });
        assert!(users.eq([Some(second.into()), Some(1)]), "seed {seed}");
        assert_eq!(block_on(find(engine, session.id())), None, "seed {seed}");
        assert_eq!(stage.live(), 2, "seed {seed}");
    });
}

#[test]
fn a_login_during_a_rotation_leaves_one_session_and_no_old_id() {
    for_each_order(|seed, stage, engine, session| {
        let login: Task<'_, Saved> = Box::pin(async {
            engine
                .regenerate(session, &deltas(&[("user_id", 42)]))
                .await
        });

        let outcomes = interleave(
            seed,
            vec![
                Box::pin(engine.rotate(session)),
                login,
                Box::pin(engine.rotate(session)),
            ],
        );

        let login = outcomes[1].clone().expect_done();
        assert_eq!(stage.live(), 1, "seed {seed}");
        assert_eq!(block_on(find(engine, session.id())), None, "seed {seed}");
        assert_eq!(
            value(&block_on(find(engine, login.id())).unwrap(), "user_id"),
            Some(42),
            "seed {seed}"
        );
    });
}

#[test]
fn of_two_new_ids_at_once_one_is_given_and_the_session_goes_on_under_it() {
    let nothing = Deltas::new();
    for_each_order(|seed, stage, engine, session| {
        let rights = || -> Task<'_, Saved> { Box::pin(engine.regenerate(session, &nothing)) };

        let outcomes = interleave(seed, vec![rights(), rights()]);

        let given: Vec<_> = outcomes.into_iter().filter_map(done).collect();
        assert_eq!(given.len(), 1, "seed {seed}");
        let found = block_on(find(engine, given[0].id()));
        assert_eq!(found.as_ref(), Some(&given[0]), "seed {seed}");
        assert_eq!(stage.live(), 1, "seed {seed}");
    });
}

#[test]
fn no_touch_shortens_what_somebody_else_prolonged() {
    let mut longer = Deltas::new();
    longer.expire(10 * HOUR, START);
    for_each_order(|seed, stage, engine, session| {
        stage.clock.advance(MINUTE);
        let prolong: Task<'_, Saved> = Box::pin(engine.patch(session, &longer));

        interleave(seed, vec![prolong, Box::pin(engine.touch(session))]);

        stage.clock.advance(2 * HOUR);
        // A login sweeps the roster.
        block_on(begin(engine));
        let found = block_on(find(engine, session.id()));
        assert!(found.is_some(), "seed {seed}");
    });
}

#[test]
fn a_shorter_life_takes_nothing_from_what_somebody_else_gives() {
    let after = |life| {
        let mut deltas = Deltas::new();
        deltas.expire(life, START);
        deltas
    };
    let [shorter, longer] = [after(10 * MINUTE), after(10 * HOUR)];
    let nothing = Deltas::new();
    for_each_order(|seed, stage, engine, session| {
        stage.clock.advance(MINUTE);
        let shorten: Task<'_, Saved> = match seed % 2 {
            0 => Box::pin(engine.patch(session, &shorter)),
            _ => Box::pin(engine.regenerate(session, &shorter)),
        };
        let other: Task<'_, Saved> = match seed / 2 % 4 {
            0 => Box::pin(engine.patch(session, &longer)),
            1 => Box::pin(engine.regenerate(session, &nothing)),
            2 => Box::pin(engine.rotate(session)),
            _ => Box::pin(engine.touch(session)),
        };

        let outcomes = interleave(seed, vec![shorten, other]);

        let told = outcomes.into_iter().filter_map(done);
        let left: Vec<_> = told
            .filter_map(|told| block_on(find(engine, told.id())))
            .collect();
        let ends = left.iter().map(|session| session.record().expires_at());
        let end = ends.max().expect("the session goes on");
        let millisecond = Duration::from_millis(1);
        stage.clock.advance(end.since(engine.now()) - millisecond);
        // A login sweeps the roster.
        block_on(begin(engine));
        let mut found = left
            .iter()
            .map(|session| block_on(find(engine, session.id())));
        assert!(found.any(|found| found.is_some()), "seed {seed}");
    });
}

fn done(saved: Saved) -> Option<Session> {
    match saved {
        Saved::Done(session) => Some(session),
        Saved::Lost => None,
        other => panic!("{other:?}"),
    }
}

/// Plays a scene in many orders, each time on an empty stage with one session of a user.
fn for_each_order(scene: impl Fn(u64, &Stage, &Engine, &Session)) {
    for_each_order_from(&deltas(&[("user_id", 1)]), scene);
}

/// As [`for_each_order`], with a session that begins like this.
fn for_each_order_from(beginning: &Deltas, scene: impl Fn(u64, &Stage, &Engine, &Session)) {
    for seed in 0..2500 {
        let stage = Stage::new();
        let session = block_on(stage.engine().create(beginning)).expect_done();
        scene(seed, &stage, &Stepping::engine(&stage), &session);
    }
}
