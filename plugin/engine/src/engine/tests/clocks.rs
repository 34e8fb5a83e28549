//! The clocks in operations: what they end, what extends them, what is written down of them.

use super::stage::Stage;
use super::*;
use crate::session::State;

#[tokio::test]
async fn use_is_written_once_in_an_interval_whoever_comes() {
    let stage = Stage::new();
    let (one, other) = (stage.engine(), stage.engine());
    let session = begin(&one).await;
    stage.clock.advance(MINUTE);
    let seen = [
        find(&one, session.id()).await.unwrap(),
        find(&other, session.id()).await.unwrap(),
    ];
    assert!(seen.iter().all(Session::is_touch_due));

    let first = one.touch(&seen[0]).await.expect_done();
    let second = other.touch(&seen[1]).await.expect_done();

    assert_eq!(first.version(), session.version() + 1);
    assert_eq!(
        second.version(),
        session.version(),
        "the other came first, and that is as good"
    );
    assert!(!find(&one, session.id()).await.unwrap().is_touch_due());
}

#[tokio::test]
async fn a_session_out_of_use_ends_and_use_keeps_it() {
    let (stage, engine, witness) = stage(Lifetime {
        idle: Some(5 * MINUTE),
        ..policy().lifetime
    });
    let (used, unused) = (begin(&engine).await, begin(&engine).await);
    for _ in 0..5 {
        stage.clock.advance(MINUTE);
        use_once(&engine, used.id()).await;
    }
    witness.seen();

    assert_eq!(find(&engine, unused.id()).await, None);

    assert!(find(&engine, used.id()).await.is_some());
    stage.clock.advance(5 * MINUTE - Duration::from_millis(1));
    assert!(find(&engine, used.id()).await.is_some());
}

#[tokio::test]
async fn the_clock_that_ended_a_session_is_named() {
    let generous = Stage::new();
    let ends = |lifetime: Lifetime, after: Duration| {
        let stage = generous.clone();
        async move {
            let writer = stage.engine();
            let session = begin(&writer).await;
            let witness = Arc::new(Witness::default());
            let ahead = Arc::new(ManualClock::new(stage.clock.now().after(after)));
            let reader = Engine::new(stage.clone(), ahead, Policy::new(lifetime))
                .observed_by(witness.clone());
            assert_eq!(find(&reader, session.id()).await, None);
            witness.seen()
        }
    };
    let base = policy().lifetime;
    let idle = Lifetime {
        idle: Some(MINUTE),
        ..base
    };
    let absolute = Lifetime {
        absolute: Some(MINUTE),
        ..base
    };

    assert_eq!(ends(base, HOUR).await, [("expired", "life")]);
    assert_eq!(ends(idle, MINUTE).await, [("expired", "idle")]);
    assert_eq!(ends(absolute, MINUTE).await, [("expired", "absolute")]);
}

#[tokio::test]
async fn constant_use_and_renewal_do_not_outlive_the_absolute_end() {
    let (stage, engine, _) = stage(Lifetime {
        absolute: Some(3 * HOUR),
        ..policy().lifetime
    });
    let mut session = begin(&engine).await;
    while stage.clock.now() < START.after(3 * HOUR - MINUTE) {
        stage.clock.advance(MINUTE);
        session = use_once(&engine, session.id()).await;
        if session.is_due() {
            session = engine.rotate(&session).await.expect_done();
        }
    }

    stage.clock.advance(MINUTE - Duration::from_millis(1));
    assert!(find(&engine, session.id()).await.is_some());
    stage.clock.advance(Duration::from_millis(1));

    assert_eq!(find(&engine, session.id()).await, None);
}

#[tokio::test]
async fn a_login_starts_the_absolute_life_anew_and_other_new_ids_do_not() {
    let (stage, engine, _) = stage(Lifetime {
        absolute: Some(2 * HOUR),
        ..policy().lifetime
    });
    let session = begin(&engine).await;
    stage.clock.advance(HALF);

    let rights = engine
        .regenerate(&session, &Deltas::new())
        .await
        .expect_done();
    let login = engine
        .regenerate(&rights, &deltas(&[("user_id", 42)]))
        .await
        .expect_done();

    assert_eq!(rights.record().created_at(), START);
    assert_eq!(login.record().created_at(), START.after(HALF));
}

#[tokio::test]
async fn a_remembered_login_lives_as_long_as_was_promised() {
    let (stage, engine, _) = stage(Lifetime {
        remembered: Some(30 * HOUR),
        idle: Some(MINUTE),
        ..policy().lifetime
    });
    let mut login = deltas(&[("user_id", 1)]);
    login.set("remember_me", true);
    let session = engine.create(&login).await.expect_done();

    stage.clock.advance(30 * HOUR - Duration::from_millis(1));
    assert!(find(&engine, session.id()).await.is_some());
    stage.clock.advance(Duration::from_millis(1));

    assert_eq!(find(&engine, session.id()).await, None);
}

#[tokio::test]
async fn a_session_too_large_is_refused_and_what_was_there_stays() {
    let stage = Stage::new();
    let policy = Policy {
        max_bytes: 100,
        ..policy()
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
    let session = begin(&engine).await;
    let mut large = Deltas::new();
    large.set("blob", "x".repeat(100));

    assert_eq!(
        engine.create(&large).await,
        Saved::Refused(Refusal::TooLarge)
    );
    assert_eq!(
        engine.patch(&session, &large).await,
        Saved::Refused(Refusal::TooLarge)
    );
    assert_eq!(
        engine.regenerate(&session, &large).await,
        Saved::Refused(Refusal::TooLarge)
    );

    assert_eq!(find(&engine, session.id()).await, Some(session));
    assert_eq!(stage.live(), 1);
}

#[tokio::test]
async fn a_gateway_whose_clock_is_minutes_ahead_ends_nothing_of_others() {
    let (stage, engine, _) = stage(Lifetime::new(10 * MINUTE, None));
    let ahead = ahead_of(&stage, 14 * MINUTE);
    let [kept, over] = [begin(&engine).await, begin(&engine).await];
    let _ = engine.revoke(over.id()).await;

    let other = begin(&ahead).await;
    let _ = ahead.revoke(other.id()).await;

    assert!(find(&engine, kept.id()).await.is_some());
    stage.clock.advance(10 * MINUTE - Duration::from_millis(1));
    assert!(find(&engine, kept.id()).await.is_some());
}

#[tokio::test]
async fn a_roster_lasts_as_long_as_its_sessions_whoever_writes_it() {
    let (stage, engine, _) = stage(Lifetime::new(HOUR, None));
    let ahead = ahead_of(&stage, HOUR - MINUTE);
    let [kept, left] = [begin(&engine).await, begin(&engine).await];

    let left = find(&ahead, left.id()).await.unwrap();
    let _ = ahead.revoke(left.id()).await;

    stage.clock.advance(HOUR - Duration::from_millis(1));
    assert!(find(&engine, kept.id()).await.is_some());
}

#[tokio::test]
async fn what_has_been_over_for_a_while_goes_from_the_roster() {
    let (stage, engine, _) = stage(Lifetime::new(10 * MINUTE, None));
    begin(&engine).await;
    stage.clock.advance(10 * MINUTE);
    begin(&engine).await;
    assert_eq!(on_roster(&engine).await, 2);

    stage.clock.advance(5 * MINUTE);
    begin(&engine).await;

    assert_eq!(on_roster(&engine).await, 2);
    assert_eq!(engine.sessions_of("1").await.unwrap().len(), 2);
}

/// A gateway on the same rows, by a clock of its own. The rows go by that of the stage.
fn ahead_of(stage: &Arc<Stage>, by: Duration) -> Engine {
    let clock = Arc::new(ManualClock::new(stage.clock.now().after(by)));
    let lifetime = Lifetime::new(10 * MINUTE, None);
    Engine::new(stage.clone(), clock, Policy::new(lifetime))
}

async fn on_roster(engine: &Engine) -> usize {
    let address = engine.policy.keyring.rosters("1")[0];
    match engine.rows.load(address).wait().await {
        Loaded::Found(row) => match row.state {
            State::Roster(roster) => roster.entries().count(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn stage(lifetime: Lifetime) -> (Arc<Stage>, Engine, Arc<Witness>) {
    let stage = Stage::new();
    let witness = Arc::new(Witness::default());
    let engine = Engine::new(stage.clone(), stage.clock.clone(), Policy::new(lifetime));
    (stage, engine.observed_by(witness.clone()), witness)
}
