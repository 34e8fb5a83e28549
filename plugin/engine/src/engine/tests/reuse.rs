//! Retired ids: grace for requests in flight, help for lost responses, an end for thieves.

use super::stage::Stage;
use super::*;

#[tokio::test]
async fn in_the_grace_the_old_id_leads_to_the_session_and_alarms_nobody() {
    let (stage, engine, witness) = stage();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();
    let renewed = use_once(&engine, renewed.id()).await;
    witness.seen();

    stage.clock.advance(GRACE - Duration::from_millis(1));

    assert_eq!(find(&engine, session.id()).await, Some(renewed));
    assert_eq!(witness.seen(), []);
}

#[tokio::test]
async fn a_retired_id_ends_the_session_when_its_successor_is_in_use() {
    let (stage, engine, witness) = stage();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();
    use_once(&engine, renewed.id()).await;
    witness.seen();
    stage.clock.advance(GRACE);

    assert_eq!(find(&engine, session.id()).await, None);

    assert_eq!(witness.seen(), [("reuse-detected", "retired-id")]);
    assert_eq!(find(&engine, renewed.id()).await, None);
    assert_eq!(stage.live(), 0);
    assert_eq!(engine.sessions_of("1").await, Ok(vec![]));
}

#[tokio::test]
async fn a_client_that_the_new_id_never_reached_goes_on_with_the_old_one() {
    let (stage, engine, witness) = stage();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();
    witness.seen();
    stage.clock.advance(10 * MINUTE);

    let found = find(&engine, session.id()).await.unwrap();

    assert_eq!(found, renewed, "and is told the new id again");
    assert!(!found.is_touch_due(), "the new id has still not been seen");
    assert_eq!(witness.seen(), []);
    use_once(&engine, renewed.id()).await;
    assert_eq!(find(&engine, session.id()).await, None);
}

#[tokio::test]
async fn an_id_that_is_two_rotations_old_is_always_theft() {
    let (stage, engine, witness) = stage();
    let session = begin(&engine).await;
    let second = engine.rotate(&session).await.expect_done();
    let third = engine.rotate(&second).await.expect_done();
    witness.seen();
    stage.clock.advance(GRACE);

    assert_eq!(find(&engine, session.id()).await, None);

    assert_eq!(witness.seen(), [("reuse-detected", "retired-id")]);
    assert_eq!(find(&engine, third.id()).await, None);
}

#[tokio::test]
async fn theft_is_noticed_for_as_long_as_the_session_may_live() {
    let (stage, engine, witness) = stage();
    let session = begin(&engine).await;
    stage.clock.advance(HALF);
    let renewed = engine.rotate(&session).await.expect_done();
    use_once(&engine, renewed.id()).await;
    witness.seen();

    stage.clock.advance(HOUR - MINUTE);
    find(&engine, session.id()).await;

    assert_eq!(witness.seen(), [("reuse-detected", "retired-id")]);
}

#[tokio::test]
async fn where_reuse_revokes_nothing_the_old_id_is_dead_and_the_session_lives() {
    let stage = Stage::new();
    let policy = Policy {
        revokes_on_reuse: false,
        ..policy()
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();
    use_once(&engine, renewed.id()).await;
    stage.clock.advance(GRACE);

    assert_eq!(find(&engine, session.id()).await, None);

    assert!(find(&engine, renewed.id()).await.is_some());
}

// A report that takes longer than the grace must not end the session of its reader.
#[tokio::test]
async fn a_slow_request_may_write_through_its_old_id_after_the_grace() {
    let (stage, engine, witness) = stage();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();
    use_once(&engine, renewed.id()).await;
    stage.clock.advance(10 * MINUTE);
    witness.seen();

    let patched = engine
        .patch(&session, &deltas(&[("a", 1)]))
        .await
        .expect_done();

    assert_eq!(patched.id(), renewed.id());
    assert_eq!(witness.seen(), []);
}

#[tokio::test]
async fn logout_through_a_retired_id_is_a_logout_and_no_theft() {
    let (stage, engine, witness) = stage();
    let session = begin(&engine).await;
    let renewed = engine.rotate(&session).await.expect_done();
    use_once(&engine, renewed.id()).await;
    stage.clock.advance(GRACE);
    witness.seen();

    assert_eq!(engine.revoke(session.id()).await, Revoked::Done);

    assert_eq!(witness.seen(), [("revoked", "logout")]);
    assert_eq!(find(&engine, renewed.id()).await, None);
}

/// Ten thousand sessions whose responses get lost now and then, as on a train: the client repeats its request within
/// the grace or comes back much later, always with the last id that reached it.
#[tokio::test]
async fn honest_clients_with_lost_responses_never_look_like_thieves() {
    let (stage, engine, witness) = stage();
    for client in 0..10_000_u32 {
        let mut known = begin(&engine).await;
        for turn in 0..3 {
            let renewed = engine.rotate(&known).await.expect_done();
            let is_lost = (client >> turn) & 1 == 1;
            if is_lost {
                let later = if client % 3 == 0 { MINUTE } else { GRACE / 2 };
                stage.clock.advance(later);
                assert_eq!(find(&engine, known.id()).await, Some(renewed.clone()));
            }
            known = use_once(&engine, renewed.id()).await;
            stage.clock.advance(Duration::from_millis(1));
        }
    }

    assert!(
        witness
            .seen()
            .iter()
            .all(|(event, _)| *event != "reuse-detected")
    );
}

fn stage() -> (Arc<Stage>, Engine, Arc<Witness>) {
    let stage = Stage::new();
    let witness = Arc::new(Witness::default());
    let engine = stage.engine().observed_by(witness.clone());
    (stage, engine, witness)
}
