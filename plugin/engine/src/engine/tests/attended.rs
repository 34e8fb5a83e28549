//! Sessions that are kept in view, long after the request that they came with.

use super::stage::Stage;
use super::*;

#[tokio::test]
async fn session_in_memory_is_looked_at_without_waiting() {
    let (_, engine) = stage();
    let session = begin(&engine).await;

    let attended = engine.attend(session.id(), Closeness::Copies);

    assert!(matches!(attended, Maybe::Ready(Loaded::Found(id)) if id == *session.id()));
}

#[tokio::test]
async fn session_is_followed_through_renewals_and_nobody_is_alarmed() {
    let (stage, engine) = stage();
    let session = begin(&engine).await;
    let mut id = session.id().clone();
    let mut current = session;
    for _ in 0..3 {
        let renewed = engine.rotate(&current).await.expect_done();
        current = use_once(&engine, renewed.id()).await;
        // Long after the grace: whoever came with the old id now would be a thief.
        stage.clock.advance(10 * MINUTE);

        id = attend(&engine, &id).await.unwrap();

        assert_eq!(id, *current.id());
    }
    assert!(find(&engine, &id).await.is_some());
}

#[tokio::test]
async fn looking_is_no_use_of_the_session() {
    let (stage, engine) = stage();
    let session = begin(&engine).await;
    let rows = stage.rows_ever();
    stage.clock.advance(10 * MINUTE);

    attend(&engine, session.id()).await.unwrap();

    let found = find(&engine, session.id()).await.unwrap();
    assert_eq!(found, session);
    assert!(found.is_touch_due());
    assert_eq!(stage.rows_ever(), rows);
}

#[tokio::test]
async fn session_that_was_ended_is_over() {
    for close in [Closeness::Copies, Closeness::Storage] {
        let (_, engine) = stage();
        let [one, other] = [begin(&engine).await, begin(&engine).await];
        assert_eq!(engine.revoke(one.id()).await, Revoked::Done);
        let found = engine.attend(one.id(), close).wait().await;
        assert_eq!(found, Loaded::Absent);

        engine.revoke_all("1").await.unwrap();
        let found = engine.attend(other.id(), close).wait().await;
        assert_eq!(found, Loaded::Absent);
    }
}

#[tokio::test]
async fn session_whose_time_is_up_is_over() {
    let (stage, engine) = stage();
    let session = begin(&engine).await;
    stage.clock.advance(HOUR);

    assert_eq!(attend(&engine, session.id()).await, None);
}

#[tokio::test]
async fn id_that_a_login_replaced_is_over() {
    let (_, engine) = stage();
    let session = begin(&engine).await;
    let login = deltas(&[("user_id", 2)]);
    engine.regenerate(&session, &login).await.expect_done();

    assert_eq!(attend(&engine, session.id()).await, None);
}

#[tokio::test]
async fn outage_is_told_as_one() {
    let (stage, engine) = stage();
    let session = begin(&engine).await;
    stage.fail_after(-1);

    for close in [Closeness::Copies, Closeness::Storage] {
        let found = engine.attend(session.id(), close).wait().await;

        assert!(matches!(found, Loaded::Unavailable(_)), "{close:?}");
    }
}

fn stage() -> (Arc<Stage>, Engine) {
    let stage = Stage::new();
    let engine = stage.engine();
    (stage, engine)
}

async fn attend(engine: &Engine, id: &SessionId) -> Option<SessionId> {
    match engine.attend(id, Closeness::Copies).wait().await {
        Loaded::Found(id) => Some(id),
        Loaded::Absent => None,
        Loaded::Unavailable(cause) => panic!("unavailable: {cause}"),
    }
}
