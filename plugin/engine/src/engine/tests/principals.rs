//! The sessions of a principal: listed, ended one by one or all at once, and counted.

use super::stage::{Stage, Stepping, Task, interleave};
use super::*;
use crate::session::{Entry, Excess, Family, Limit};
use crate::storage::conformance::block_on;

#[tokio::test]
async fn the_sessions_of_a_principal_are_listed_the_youngest_first() {
    let stage = Stage::new();
    let engine = stage.engine();
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.insert(0, log_in(&engine, "anna").await.record().family());
        stage.clock.advance(MINUTE);
    }
    log_in(&engine, "ben").await;

    let listed = engine.sessions_of("anna").await.unwrap();

    assert_eq!(families(&listed), expected);
    assert_eq!(listed[0].created_at, START.after(2 * MINUTE));
    assert_eq!(listed[0].expires_at, START.after(2 * MINUTE + HOUR));
}

#[tokio::test]
async fn a_list_holds_no_session_that_is_over() {
    let stage = Stage::new();
    let engine = stage.engine();
    let first = log_in(&engine, "anna").await;
    stage.clock.advance(HALF);
    let second = log_in(&engine, "anna").await;
    let third = log_in(&engine, "anna").await;
    let _ = engine.revoke(third.id()).await;

    stage.clock.advance(HALF);

    let listed = engine.sessions_of("anna").await.unwrap();
    assert_eq!(families(&listed), [second.record().family()]);
    assert_eq!(find(&engine, first.id()).await, None);
}

#[tokio::test]
async fn a_change_of_a_session_that_was_ended_elsewhere_is_lost() {
    let stage = Stage::new();
    let engine = stage.engine();
    let [kept, ended] = [log_in(&engine, "anna").await, log_in(&engine, "anna").await];
    assert_eq!(engine.revoke_others(&kept).await, Ok(1));

    let saved = engine.patch(&ended, &deltas(&[("a", 1)])).await;

    assert_eq!(saved, Saved::Lost);
    assert_eq!(find(&engine, ended.id()).await, None);
    engine
        .patch(&kept, &deltas(&[("a", 1)]))
        .await
        .expect_done();
}

#[tokio::test]
async fn a_renewed_session_keeps_its_place_in_the_list() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = log_in(&engine, "anna").await;
    stage.clock.advance(HALF);

    let renewed = engine.rotate(&session).await.expect_done();

    let listed = engine.sessions_of("anna").await.unwrap();
    assert_eq!(families(&listed), [session.record().family()]);
    assert_eq!(listed[0].created_at, START);
    assert_eq!(listed[0].expires_at, renewed.record().expires_at());
    stage.clock.advance(HOUR - Duration::from_millis(1));
    assert!(
        find(&engine, renewed.id()).await.is_some(),
        "the roster lives as long as its session"
    );
}

#[tokio::test]
async fn one_session_is_ended_from_another() {
    let engine = Stage::new().engine();
    let (here, there) = (log_in(&engine, "anna").await, log_in(&engine, "anna").await);

    assert_eq!(
        engine.revoke_one("anna", there.record().family()).await,
        Revoked::Done
    );

    assert_eq!(find(&engine, there.id()).await, None);
    assert!(find(&engine, here.id()).await.is_some());
    assert_eq!(
        engine.revoke_one("anna", there.record().family()).await,
        Revoked::Absent
    );
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let engine = Stage::new().engine();
    let session = log_in(&engine, "anna").await;

    assert_eq!(
        engine.revoke_one("ben", session.record().family()).await,
        Revoked::Absent
    );

    assert!(find(&engine, session.id()).await.is_some());
}

#[tokio::test]
async fn all_others_end_and_this_one_stays_through_any_renewal() {
    let engine = Stage::new().engine();
    let (here, there) = (log_in(&engine, "anna").await, log_in(&engine, "anna").await);
    let ben = log_in(&engine, "ben").await;
    let here = engine.rotate(&here).await.expect_done();

    assert_eq!(engine.revoke_others(&here).await, Ok(1));

    assert_eq!(find(&engine, there.id()).await, None);
    assert!(find(&engine, here.id()).await.is_some());
    assert!(find(&engine, ben.id()).await.is_some());
}

#[tokio::test]
async fn logging_out_everywhere_takes_one_write_however_many_there_are() {
    let stage = Stage::new();
    let engine = stage.engine();
    let mut sessions = Vec::new();
    for _ in 0..1000 {
        sessions.push(log_in(&engine, "anna").await);
    }
    stage.fail_after(1);

    assert_eq!(engine.revoke_all("anna").await, Ok(1000));

    stage.recover();
    for session in sessions {
        let _ = engine.patch(&session, &deltas(&[("late", 1)])).await;
        assert_eq!(find(&engine, session.id()).await, None);
    }
    let again = log_in(&engine, "anna").await;
    assert!(find(&engine, again.id()).await.is_some());
}

#[tokio::test]
async fn a_failed_logout_everywhere_says_so() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = log_in(&engine, "anna").await;
    stage.fail_after(0);

    assert!(engine.revoke_all("anna").await.is_err());

    stage.recover();
    assert!(find(&engine, session.id()).await.is_some());
}

#[tokio::test]
async fn without_its_roster_a_session_is_over() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = log_in(&engine, "anna").await;
    let roster = session.record().roster().unwrap();

    stage.forget(roster);

    assert_eq!(find(&engine, session.id()).await, None);
}

#[tokio::test]
async fn sessions_of_nobody_have_no_roster() {
    let engine = Stage::new().engine();

    let session = engine.create(&deltas(&[("basket", 1)])).await.expect_done();

    assert_eq!(session.record().roster(), None);
    assert_eq!(engine.revoke_others(&session).await, Ok(0));
}

#[tokio::test]
async fn a_login_leaves_the_roster_of_the_user_before() {
    let engine = Stage::new().engine();
    let anna = log_in(&engine, "anna").await;
    let mut changes = Deltas::new();
    changes.set("user_id", "ben");

    let ben = engine.regenerate(&anna, &changes).await.expect_done();

    assert_eq!(engine.sessions_of("anna").await, Ok(vec![]));
    assert_eq!(
        families(&engine.sessions_of("ben").await.unwrap()),
        [ben.record().family()]
    );
    assert_ne!(ben.record().family(), anna.record().family());
}

#[tokio::test]
async fn at_the_limit_the_oldest_session_ends() {
    let (stage, engine) = limited(2, Excess::EvictOldest);
    let first = log_in(&engine, "anna").await;
    stage.clock.advance(MINUTE);
    let second = log_in(&engine, "anna").await;

    let third = log_in(&engine, "anna").await;

    assert_eq!(find(&engine, first.id()).await, None);
    assert!(find(&engine, second.id()).await.is_some());
    assert!(find(&engine, third.id()).await.is_some());
}

#[tokio::test]
async fn at_the_limit_a_login_is_refused_and_nothing_is_left_of_it() {
    let (stage, engine) = limited(1, Excess::Refuse);
    let first = log_in(&engine, "anna").await;
    let visitor = engine.create(&deltas(&[("basket", 1)])).await.expect_done();
    let mut login = Deltas::new();
    login.set("user_id", "anna");

    assert_eq!(
        engine.create(&login).await,
        Saved::Refused(Refusal::TooManySessions)
    );
    assert_eq!(
        engine.regenerate(&visitor, &login).await,
        Saved::Refused(Refusal::TooManySessions)
    );

    assert_eq!(stage.live(), 2, "the first session and the visitor");
    assert!(find(&engine, first.id()).await.is_some());
    assert!(
        find(&engine, visitor.id()).await.is_some(),
        "the visitor is a visitor still"
    );
    let _ = engine.revoke(first.id()).await;
    let _ = engine.regenerate(&visitor, &login).await.expect_done();
}

#[tokio::test]
async fn a_login_of_the_same_user_takes_the_place_of_the_session_it_came_with() {
    for (most, excess) in [(2, Excess::EvictOldest), (2, Excess::Refuse)] {
        let (stage, engine) = limited(most, excess);
        let other = log_in(&engine, "anna").await;
        stage.clock.advance(MINUTE);
        let here = log_in(&engine, "anna").await;
        let mut login = Deltas::new();
        login.set("user_id", "anna");

        let again = engine.regenerate(&here, &login).await.expect_done();

        assert_eq!(find(&engine, here.id()).await, None);
        for session in [other, again] {
            assert!(find(&engine, session.id()).await.is_some(), "{excess:?}");
        }
    }
}

#[tokio::test]
async fn a_login_that_is_too_large_for_what_others_wrote_leaves_nothing_behind() {
    let stage = Stage::new();
    let policy = Policy {
        max_bytes: 100,
        ..policy()
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
    let visitor = engine.create(&deltas(&[("basket", 1)])).await.expect_done();
    let mut large = Deltas::new();
    large.set("blob", "x".repeat(70));
    let _ = engine.patch(&visitor, &large).await.expect_done();
    let mut login = Deltas::new();
    login.set("user_id", "anna");

    let saved = engine.regenerate(&visitor, &login).await;

    assert_eq!(saved, Saved::Refused(Refusal::TooLarge));
    assert_eq!(engine.sessions_of("anna").await, Ok(vec![]));
    assert!(find(&engine, visitor.id()).await.is_some());
    assert_eq!(stage.live(), 1);
}

#[tokio::test]
async fn a_session_that_was_idle_too_long_takes_no_place() {
    let stage = Stage::new();
    let lifetime = Lifetime {
        idle: Some(2 * MINUTE),
        ..policy().lifetime
    };
    let policy = Policy {
        lifetime,
        limit: Some(Limit {
            sessions: 1,
            excess: Excess::Refuse,
        }),
        ..policy()
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
    let first = log_in(&engine, "anna").await;
    stage.clock.advance(MINUTE);
    use_once(&engine, first.id()).await;
    stage.clock.advance(MINUTE);
    let mut login = Deltas::new();
    login.set("user_id", "anna");

    assert_eq!(
        engine.create(&login).await,
        Saved::Refused(Refusal::TooManySessions)
    );
    stage.clock.advance(MINUTE);

    let _ = engine.create(&login).await.expect_done();
}

#[test]
fn many_logins_at_once_never_exceed_the_limit() {
    for seed in 0..300 {
        let (stage, _) = limited(5, Excess::EvictOldest);
        let policy = Policy {
            limit: Some(FIVE),
            ..policy()
        };
        let engine = Engine::new(
            Arc::new(Stepping(stage.clone())),
            stage.clock.clone(),
            policy,
        );
        let mut login = Deltas::new();
        login.set("user_id", "anna");

        let sessions = interleave(
            seed,
            (0..20)
                .map(|_| -> Task<'_, Saved> { Box::pin(engine.create(&login)) })
                .collect(),
        );

        let mut alive = 0;
        for session in sessions {
            let session = session.expect_done();
            alive += usize::from(block_on(find(&engine, session.id())).is_some());
        }
        assert_eq!(alive, 5, "seed {seed}");
    }
}

#[test]
fn no_renewal_and_no_new_id_survives_a_logout_everywhere() {
    for seed in 0..2500 {
        let stage = Stage::new();
        let session = block_on(log_in(&stage.engine(), "anna"));
        let engine = Stepping::engine(&stage);

        let tasks: Vec<Task<'_, Option<Session>>> = vec![
            Box::pin(async { saved(engine.rotate(&session).await) }),
            Box::pin(async {
                let _ = engine.revoke_all("anna").await;
                None
            }),
            Box::pin(async { saved(engine.touch(&session).await) }),
            Box::pin(async { saved(engine.regenerate(&session, &Deltas::new()).await) }),
        ];
        let ids = interleave(seed, tasks);

        for id in ids.iter().flatten().map(Session::id).chain([session.id()]) {
            assert_eq!(block_on(find(&engine, id)), None, "seed {seed}");
        }
    }
}

fn saved(saved: Saved) -> Option<Session> {
    match saved {
        Saved::Done(session) => Some(session),
        _ => None,
    }
}

async fn log_in(engine: &Engine, user: &str) -> Session {
    let mut login = Deltas::new();
    login.set("user_id", user);
    engine.create(&login).await.expect_done()
}

fn families(entries: &[Entry]) -> Vec<Family> {
    entries.iter().map(|entry| entry.family).collect()
}

fn limited(sessions: usize, excess: Excess) -> (Arc<Stage>, Engine) {
    let stage = Stage::new();
    let policy = Policy {
        limit: Some(Limit { sessions, excess }),
        ..policy()
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
    (stage, engine)
}

const FIVE: Limit = Limit {
    sessions: 5,
    excess: Excess::EvictOldest,
};
