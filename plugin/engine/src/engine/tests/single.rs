//! One request at a time.

use super::stage::Stage;
use super::*;

#[tokio::test]
async fn a_created_session_is_found() {
    let engine = Stage::new().engine();

    let session = begin(&engine).await;

    assert_eq!(find(&engine, session.id()).await, Some(session.clone()));
    assert_eq!(value(&session, "user_id"), Some(1));
    assert!(!session.is_due());
}

#[tokio::test]
async fn a_live_session_in_memory_is_there_at_once() {
    let engine = Stage::new().engine();
    let session = begin(&engine).await;

    assert!(matches!(
        engine.load(session.id()),
        Maybe::Ready(Loaded::Found(_))
    ));
}

#[tokio::test]
async fn an_unknown_id_finds_nothing_and_writes_nothing() {
    let stage = Stage::new();
    let engine = stage.engine();

    for _ in 0..1000 {
        let id = SessionId::generate().unwrap();
        assert_eq!(find(&engine, &id).await, None);
        assert_eq!(engine.revoke(&id).await, Revoked::Absent);
    }

    assert_eq!(stage.rows_ever(), 0);
}

#[tokio::test]
async fn a_session_ends_with_its_life() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;

    stage.clock.advance(HOUR - Duration::from_millis(1));
    assert!(find(&engine, session.id()).await.is_some());
    stage.clock.advance(Duration::from_millis(1));

    assert_eq!(find(&engine, session.id()).await, None);
    assert_eq!(
        engine.patch(&session, &deltas(&[("a", 1)])).await,
        Saved::Lost
    );
    assert_eq!(engine.rotate(&session).await, Saved::Lost);
    assert_eq!(
        engine.regenerate(&session, &Deltas::new()).await,
        Saved::Lost
    );
}

#[tokio::test]
async fn a_life_over_in_the_record_counts_even_if_the_row_is_still_there() {
    let stage = Stage::new();
    let session = begin(&stage.engine()).await;
    let ahead = Arc::new(ManualClock::new(START.after(HOUR)));

    // Another gateway, whose clock is right, on a storage that kept the row too long.
    assert_eq!(
        find(&engine_on(stage.clone(), &ahead), session.id()).await,
        None
    );
}

#[tokio::test]
async fn a_session_is_due_after_the_configured_time() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;

    stage.clock.advance(HALF);

    assert!(find(&engine, session.id()).await.unwrap().is_due());
}

#[tokio::test]
async fn a_patch_changes_the_data_and_not_the_life() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    stage.clock.advance(MINUTE);

    let patched = engine
        .patch(&session, &deltas(&[("a", 2)]))
        .await
        .expect_done();

    assert_eq!(find(&engine, session.id()).await, Some(patched.clone()));
    assert_eq!(
        (value(&patched, "user_id"), value(&patched, "a")),
        (Some(1), Some(2))
    );
    assert_eq!(patched.record().expires_at(), session.record().expires_at());
    stage.clock.advance(HOUR - MINUTE);
    assert_eq!(find(&engine, session.id()).await, None);
}

#[tokio::test]
async fn a_patch_of_an_old_snapshot_keeps_what_others_wrote() {
    let engine = Stage::new().engine();
    let session = begin(&engine).await;
    let _ = engine.patch(&session, &deltas(&[("a", 1)])).await;

    let patched = engine
        .patch(&session, &deltas(&[("b", 2)]))
        .await
        .expect_done();

    assert_eq!(
        (value(&patched, "a"), value(&patched, "b")),
        (Some(1), Some(2))
    );
}

#[tokio::test]
async fn a_life_of_its_own_holds_from_the_patch_on() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    let mut longer = Deltas::new();
    longer.expire(10 * HOUR, engine.now());

    let _ = engine.patch(&session, &longer).await;

    stage.clock.advance(10 * HOUR - MINUTE);
    assert!(find(&engine, session.id()).await.is_some());
    stage.clock.advance(MINUTE);
    assert_eq!(find(&engine, session.id()).await, None);
}

#[tokio::test]
async fn a_new_id_through_an_old_snapshot_ends_nothing_that_was_prolonged() {
    let stage = Stage::new();
    let lifetime = Lifetime {
        is_sliding: false,
        ..policy().lifetime
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), Policy::new(lifetime));
    let (mut short, mut long) = (Deltas::new(), Deltas::new());
    short.expire(Duration::from_millis(1), engine.now());
    long.expire(HOUR, engine.now());
    let session = engine.create(&short).await.expect_done();
    let _ = engine.patch(&session, &long).await.expect_done();

    let given = engine
        .regenerate(&session, &Deltas::new())
        .await
        .expect_done();

    stage.clock.advance(HALF);
    assert!(find(&engine, given.id()).await.is_some());
}

#[tokio::test]
async fn a_life_of_nothing_ends_the_session() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    let mut over = Deltas::new();
    over.expire(Duration::ZERO, engine.now());

    assert_eq!(engine.patch(&session, &over).await, Saved::Lost);

    assert_eq!(stage.live(), 0);
    assert_eq!(engine.create(&over).await, Saved::Lost);
}

#[tokio::test]
async fn rotation_gives_a_new_id_a_fresh_life_and_the_same_data() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    stage.clock.advance(HALF);

    let renewed = engine.rotate(&session).await.expect_done();

    assert_ne!(renewed.id(), session.id());
    assert_eq!(renewed.record().attributes(), session.record().attributes());
    assert_eq!(renewed.record().created_at(), START);
    assert_eq!(renewed.record().expires_at(), START.after(HALF).after(HOUR));
    assert_eq!(find(&engine, renewed.id()).await, Some(renewed));
}

#[tokio::test]
async fn a_write_through_the_old_id_reaches_the_successor() {
    let engine = Stage::new().engine();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();

    let patched = engine
        .patch(&session, &deltas(&[("a", 2)]))
        .await
        .expect_done();

    assert_eq!(patched.id(), renewed.id());
    assert_eq!(
        value(&find(&engine, renewed.id()).await.unwrap(), "a"),
        Some(2)
    );
}

#[tokio::test]
async fn rotating_an_old_snapshot_again_changes_nothing() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();

    let again = engine.rotate(&session).await.expect_done();

    assert_eq!(again, renewed);
    assert_eq!(stage.live(), 1);
}

#[tokio::test]
async fn several_rotations_are_followed_through() {
    let engine = Stage::new().engine();
    let first = begin(&engine).await;
    let mut last = first.clone();
    for _ in 0..5 {
        last = engine.rotate(&last).await.expect_done();
    }

    assert_eq!(find(&engine, first.id()).await, Some(last));
}

#[tokio::test]
async fn logout_ends_the_session_and_no_write_brings_it_back() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;

    assert_eq!(engine.revoke(session.id()).await, Revoked::Done);

    assert_eq!(find(&engine, session.id()).await, None);
    assert_eq!(
        engine.patch(&session, &deltas(&[("a", 1)])).await,
        Saved::Lost
    );
    assert_eq!(engine.rotate(&session).await, Saved::Lost);
    assert_eq!(
        engine.regenerate(&session, &Deltas::new()).await,
        Saved::Lost
    );
    assert_eq!(engine.revoke(session.id()).await, Revoked::Absent);
    assert_eq!(stage.live(), 0);
    stage.clock.advance(TOMBSTONE);
    assert_eq!(
        engine.patch(&session, &deltas(&[("a", 1)])).await,
        Saved::Lost
    );
}

#[tokio::test]
async fn logout_with_the_old_id_ends_the_successor() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();

    assert_eq!(engine.revoke(session.id()).await, Revoked::Done);

    assert_eq!(find(&engine, renewed.id()).await, None);
    assert_eq!(stage.live(), 0);
}

#[tokio::test]
async fn login_gives_an_unrelated_id_and_kills_the_old_one_at_once() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;

    let login = engine
        .regenerate(&session, &deltas(&[("user_id", 42)]))
        .await
        .expect_done();

    assert_ne!(login.id(), session.id());
    assert_eq!(value(&login, "user_id"), Some(42));
    assert_eq!(find(&engine, session.id()).await, None);
    assert_eq!(find(&engine, login.id()).await, Some(login));
    assert_eq!(stage.live(), 1);
}

#[tokio::test]
async fn login_carries_over_what_the_visitor_wrote_since_the_snapshot() {
    let engine = Stage::new().engine();
    let session = engine.create(&deltas(&[("basket", 1)])).await.expect_done();
    let _ = engine.patch(&session, &deltas(&[("cart", 3)])).await;

    let login = engine
        .regenerate(&session, &deltas(&[("user_id", 42)]))
        .await
        .expect_done();

    assert_eq!(
        (value(&login, "cart"), value(&login, "user_id")),
        (Some(3), Some(42))
    );
}

#[tokio::test]
async fn login_of_another_user_begins_with_nothing_of_the_one_before() {
    let engine = Stage::new().engine();
    let anna = begin(&engine).await;
    let mut own_life = deltas(&[("token", 7)]);
    own_life.expire(10 * HOUR, START);
    let _ = engine.patch(&anna, &own_life).await.expect_done();

    let ben = engine
        .regenerate(&anna, &deltas(&[("user_id", 42), ("cart", 3)]))
        .await
        .expect_done();

    let values = ["user_id", "cart", "token"].map(|name| value(&ben, name));
    assert_eq!(values, [Some(42), Some(3), None]);
    assert_eq!(ben.record().expires_at(), START.after(HOUR));
}

#[tokio::test]
async fn login_of_the_same_user_begins_anew_with_what_they_had() {
    let stage = Stage::new();
    let engine = stage.engine();
    let before = begin(&engine).await;
    let _ = engine.patch(&before, &deltas(&[("cart", 3)])).await;
    stage.clock.advance(MINUTE);

    let login = engine
        .regenerate(&before, &deltas(&[("user_id", 1)]))
        .await
        .expect_done();

    assert_eq!(login.record().created_at(), START.after(MINUTE));
    assert_ne!(login.record().family(), before.record().family());
    assert_eq!(value(&login, "cart"), Some(3));
    assert_eq!(find(&engine, before.id()).await, None);
    let listed = engine.sessions_of("1").await.unwrap();
    let families = listed.iter().map(|entry| entry.family);
    assert!(families.eq([login.record().family()]));
}

#[tokio::test]
async fn login_kills_the_successor_of_the_id_it_came_with() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();

    let login = engine
        .regenerate(&session, &Deltas::new())
        .await
        .expect_done();

    assert_eq!(find(&engine, session.id()).await, None);
    assert_eq!(find(&engine, renewed.id()).await, None);
    assert_eq!(find(&engine, login.id()).await, Some(login));
}

#[tokio::test]
async fn reset_ends_everything() {
    let engine = Stage::new().engine();
    let session = begin(&engine).await;

    assert_eq!(engine.reset().wait().await, Ok(2), "a row and a roster");

    assert_eq!(find(&engine, session.id()).await, None);
}
