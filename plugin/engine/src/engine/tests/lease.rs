//! One at a time, nobody after their time, and nothing written over what is newer.

use super::stage::Stage;
use super::*;
use crate::session::Record;

#[tokio::test]
async fn a_lease_is_somebodys_until_it_is_released_or_ends() {
    let stage = Stage::new();
    let (one, other) = (stage.engine(), stage.engine());
    let session = begin(&one).await;

    let lease = one.lease(&session, MINUTE).await.unwrap().unwrap();
    assert!(other.lease(&session, MINUTE).await.unwrap().is_none());
    one.release(lease).await;
    stage.clock.advance(Duration::from_millis(2));
    let lease = other.lease(&session, MINUTE).await.unwrap();
    assert!(lease.is_some());

    stage.clock.advance(MINUTE);
    assert!(one.lease(&session, MINUTE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lease_that_is_extended_goes_on_and_one_that_ended_is_another_holders() {
    let stage = Stage::new();
    let (one, other) = (stage.engine(), stage.engine());
    let session = begin(&one).await;
    let mut lease = one.lease(&session, MINUTE).await.unwrap().unwrap();

    stage.clock.advance(HALF.min(Duration::from_secs(40)));
    assert!(one.extend(&mut lease, MINUTE).await.unwrap());
    stage.clock.advance(Duration::from_secs(40));
    assert!(other.lease(&session, MINUTE).await.unwrap().is_none());

    stage.clock.advance(MINUTE);
    let mut next = other.lease(&session, MINUTE).await.unwrap().unwrap();
    assert!(
        !one.extend(&mut lease, MINUTE).await.unwrap(),
        "the late one has lost it"
    );
    assert!(other.extend(&mut next, MINUTE).await.unwrap());
}

#[tokio::test]
async fn sessions_have_leases_of_their_own_and_an_outage_is_told() {
    let stage = Stage::new();
    let engine = stage.engine();
    let (mine, yours) = (begin(&engine).await, begin(&engine).await);

    let held = engine.lease(&mine, MINUTE).await.unwrap();
    assert!(held.is_some() && engine.lease(&yours, MINUTE).await.unwrap().is_some());

    stage.fail_after(0);
    assert!(engine.lease(&mine, MINUTE).await.is_err());
}

#[tokio::test]
async fn a_guarded_patch_writes_only_over_what_it_was_made_for() {
    let engine = Stage::new().engine();
    let session = begin(&engine).await;
    let is_one = |record: &Record| {
        record
            .attributes()
            .value("n")
            .is_some_and(|n| n.to_value() == 1)
    };
    let _ = engine
        .patch(&session, &deltas(&[("n", 1)]))
        .await
        .expect_done();

    // Both were read at the same time; the second finds what the first has made of it.
    let stale = find(&engine, session.id()).await.unwrap();
    let first = engine
        .patch_while(&stale, &deltas(&[("n", 2)]), is_one)
        .await
        .expect_done();
    let second = engine
        .patch_while(&stale, &deltas(&[("n", 3)]), is_one)
        .await
        .expect_done();

    assert_eq!(
        (value(&first, "n"), value(&second, "n")),
        (Some(2), Some(2))
    );
    let stored = find(&engine, session.id()).await.unwrap();
    assert_eq!(value(&stored, "n"), Some(2));
}

#[tokio::test]
async fn a_session_ends_for_the_cause_that_is_given() {
    let witness = Arc::new(Witness::default());
    let engine = Stage::new().engine().observed_by(witness.clone());
    let session = begin(&engine).await;

    assert_eq!(
        engine.revoke_for(session.id(), Cause::Tokens).await,
        Revoked::Done
    );

    assert_eq!(witness.seen().last(), Some(&("revoked", "tokens")));
}
