//! Users for whom no limit is set, and clients that log in each time.

use super::stage::Stage;
use super::*;
use crate::session::{Excess, Limit};

#[tokio::test]
async fn where_no_limit_is_set_a_roster_has_one_all_the_same() {
    let stage = Stage::new();
    let witness = Arc::new(Witness::default());
    let engine = stage.engine().observed_by(witness.clone());
    let first = begin(&engine).await;
    for _ in 1..1000 {
        stage.clock.advance(Duration::from_millis(1));
        begin(&engine).await;
    }
    assert!(find(&engine, first.id()).await.is_some());
    witness.seen();

    begin(&engine).await;

    assert_eq!(
        witness.seen(),
        [("revoked", "evicted"), ("created", "first-write")]
    );
    assert_eq!(find(&engine, first.id()).await, None);
    assert_eq!(engine.sessions_of("1").await.unwrap().len(), 1000);
}

#[tokio::test]
async fn an_operator_may_allow_more_than_that() {
    let stage = Stage::new();
    let policy = Policy {
        limit: Some(Limit {
            sessions: 1001,
            excess: Excess::EvictOldest,
        }),
        ..policy()
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
    let first = begin(&engine).await;
    for _ in 1..1001 {
        stage.clock.advance(Duration::from_millis(1));
        begin(&engine).await;
    }

    assert!(find(&engine, first.id()).await.is_some());
}
