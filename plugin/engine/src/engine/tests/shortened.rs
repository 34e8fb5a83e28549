//! Sessions that are given less time than they had.

use super::stage::Stage;
use super::*;
use crate::session::{Excess, Limit};

#[tokio::test]
async fn a_session_whose_life_was_made_shorter_takes_no_place_when_it_is_over() {
    let limit = Some(Limit {
        sessions: 1,
        excess: Excess::Refuse,
    });
    let mut shorter = Deltas::new();
    shorter.expire(MINUTE, START);
    for gets_another_id in [false, true] {
        let (stage, policy) = (Stage::new(), Policy { limit, ..policy() });
        let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
        let session = begin(&engine).await;
        let _ = match gets_another_id {
            true => engine.regenerate(&session, &shorter).await.expect_done(),
            false => engine.patch(&session, &shorter).await.expect_done(),
        };

        stage.clock.advance(2 * MINUTE);

        assert_eq!(engine.sessions_of("1").await, Ok(vec![]));
        begin(&engine).await;
    }
}

#[tokio::test]
async fn a_list_says_when_a_session_ends_that_is_not_remembered_any_more() {
    let stage = Stage::new();
    let lifetime = Lifetime {
        remembered: Some(30 * HOUR),
        ..policy().lifetime
    };
    let policy = Policy {
        lifetime,
        ..policy()
    };
    let engine = Engine::new(stage.clone(), stage.clock.clone(), policy);
    let mut login = Deltas::new();
    login.set("user_id", "anna");
    login.set("remember_me", true);
    let session = engine.create(&login).await.expect_done();
    let mut forget = Deltas::new();
    forget.set("remember_me", false);

    engine.patch(&session, &forget).await.expect_done();

    let listed = engine.sessions_of("anna").await.unwrap();
    assert_eq!(listed[0].expires_at, START.after(HOUR));
}
