//! The clocks in operations: what they end, what extends them, what is written down of them.

use super::stage::Stage;
use super::*;

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

fn stage(lifetime: Lifetime) -> (Arc<Stage>, Engine, Arc<Witness>) {
    let stage = Stage::new();
    let witness = Arc::new(Witness::default());
    let engine = Engine::new(stage.clone(), stage.clock.clone(), Policy::new(lifetime));
    (stage, engine.observed_by(witness.clone()), witness)
}
