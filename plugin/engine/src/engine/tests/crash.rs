//! A gateway dies at each of its writes, and somebody else finishes the work.

use super::stage::{Fate, Stage};
use super::*;

#[tokio::test]
async fn a_rotation_that_died_at_any_write_is_finished_by_the_next_request() {
    for (writes, fate) in deaths(4) {
        let stage = Stage::that_fails_with(fate);
        let engine = stage.engine();
        let session = begin(&engine).await;
        stage.fail_after(writes);
        assert!(matches!(
            engine.rotate(&session).await,
            Saved::Unavailable(_)
        ));
        stage.recover();

        let found = find(&engine, session.id())
            .await
            .expect("nobody is logged out");

        let rotated = engine.rotate(&found).await.expect_done();
        assert_eq!(value(&rotated, "user_id"), Some(1), "{writes} {fate:?}");
        assert_eq!(stage.live(), 1, "{writes} {fate:?}");
        assert_eq!(
            find(&engine, session.id()).await,
            Some(rotated),
            "{writes} {fate:?}"
        );
    }
}

#[tokio::test]
async fn a_rotation_that_died_long_ago_still_leaves_the_old_cookie_usable() {
    for (writes, fate) in deaths(3) {
        let stage = Stage::that_fails_with(fate);
        let engine = stage.engine();
        let session = begin(&engine).await;
        stage.fail_after(writes);
        let _ = engine.rotate(&session).await;
        stage.recover();

        stage.clock.advance(HOUR - MINUTE);

        assert!(
            find(&engine, session.id()).await.is_some(),
            "{writes} {fate:?}"
        );
    }
}

#[tokio::test]
async fn a_rotation_that_died_ends_with_the_life_of_its_record() {
    for (writes, fate) in deaths(3) {
        let stage = Stage::that_fails_with(fate);
        let engine = stage.engine();
        let session = begin(&engine).await;
        stage.fail_after(writes);
        let _ = engine.rotate(&session).await;
        stage.recover();

        stage.clock.advance(HOUR);

        assert_eq!(find(&engine, session.id()).await, None, "{writes} {fate:?}");
    }
}

#[tokio::test]
async fn a_write_through_a_half_finished_rotation_is_not_lost() {
    for (writes, fate) in deaths(4) {
        let stage = Stage::that_fails_with(fate);
        let engine = stage.engine();
        let session = begin(&engine).await;
        stage.fail_after(writes);
        let _ = engine.rotate(&session).await;
        stage.recover();

        let _ = engine
            .patch(&session, &deltas(&[("a", 7)]))
            .await
            .expect_done();

        let found = find(&engine, session.id()).await.unwrap();
        assert_eq!(value(&found, "a"), Some(7), "{writes} {fate:?}");
    }
}

#[tokio::test]
async fn a_logout_on_a_half_finished_rotation_leaves_nothing_alive() {
    for (writes, fate) in deaths(4) {
        let stage = Stage::that_fails_with(fate);
        let engine = stage.engine();
        let session = begin(&engine).await;
        stage.fail_after(writes);
        let _ = engine.rotate(&session).await;
        stage.recover();

        assert_eq!(
            engine.revoke(session.id()).await,
            Revoked::Done,
            "{writes} {fate:?}"
        );

        assert_eq!(stage.live(), 0, "{writes} {fate:?}");
        assert_eq!(find(&engine, session.id()).await, None);
    }
}

#[tokio::test]
async fn a_login_that_died_leaves_the_old_session_or_none() {
    for (writes, fate) in deaths(3) {
        let stage = Stage::that_fails_with(fate);
        let engine = stage.engine();
        let session = begin(&engine).await;
        stage.fail_after(writes);
        assert!(matches!(
            engine.regenerate(&session, &Deltas::new()).await,
            Saved::Unavailable(_)
        ));
        stage.recover();

        let found = find(&engine, session.id()).await;

        let is_dead = (writes, fate) == (2, Fate::Done);
        assert_eq!(found, (!is_dead).then_some(session), "{writes} {fate:?}");
    }
}

/// To die at each of so many writes, before it was done or after.
fn deaths(writes: i64) -> impl Iterator<Item = (i64, Fate)> {
    (0..writes).flat_map(|write| [(write, Fate::NotDone), (write, Fate::Done)])
}
