//! A storage that does not answer never looks like one without the session.

use super::stage::Stage;
use super::*;

#[tokio::test]
async fn an_outage_has_its_own_outcome_everywhere() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    let gone = || Unavailable::new("gone");

    stage.fail_after(-1);

    assert_eq!(
        engine.load(session.id()).wait().await,
        Loaded::Unavailable(gone())
    );
    assert_eq!(
        engine.create(&Deltas::new()).await,
        Saved::Unavailable(gone())
    );
    assert_eq!(
        engine.patch(&session, &deltas(&[("a", 1)])).await,
        Saved::Unavailable(gone())
    );
    assert_eq!(engine.rotate(&session).await, Saved::Unavailable(gone()));
    assert_eq!(
        engine.regenerate(&session, &Deltas::new()).await,
        Saved::Unavailable(gone())
    );
    assert_eq!(
        engine.revoke(session.id()).await,
        Revoked::Unavailable(gone())
    );
}

#[tokio::test]
async fn a_session_survives_an_outage() {
    let stage = Stage::new();
    let engine = stage.engine();
    let session = begin(&engine).await;
    stage.fail_after(-1);
    let _ = engine.rotate(&session).await;

    stage.recover();

    assert_eq!(find(&engine, session.id()).await, Some(session));
}
