//! Answers that were lost, and with them perhaps the one use of a refresh token.

use std::time::Duration;

use super::refreshing::House;
use super::*;

#[test]
fn a_lost_answer_and_a_refusal_end_no_session_before_its_access_token() {
    let house = House::new();
    let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 60);
    let half = "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{\"access_";
    house.scene.stage.says("/token", half);
    let lost = house.refresh(&id, SOON);
    assert_eq!(lost, Outcome::Failed("connection-broken"));
    house.answers(400, json!({ "error": "invalid_grant" }));

    for _ in 0..50 {
        house.scene.stage.later(Duration::from_secs(1));
        let outcome = house.refresh(&id, SOON);
        assert_eq!(outcome, Outcome::Failed("invalid_grant"));
    }

    assert_eq!(house.calls(), 2, "nobody asks again what was refused");
    house.scene.stage.later(Duration::from_secs(10));
    let outcome = house.refresh(&id, SOON);
    assert_eq!(outcome, Outcome::Ended("invalid_grant"));
    assert_eq!((house.calls(), house.tokens(&id)), (3, None));
}

#[test]
fn a_lost_answer_is_asked_for_again_and_a_good_one_leaves_no_doubt() {
    let house = House::new();
    let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 60);
    house.scene.stage.says("/token", "");
    let lost = house.refresh(&id, SOON);
    assert_eq!(lost, Outcome::Failed("connection-broken"));
    let tokens = house.tokens(&id).unwrap();
    assert_eq!(tokens.doubt, Some(Doubt::Unanswered));
    house.answers(200, json!({ "access_token": "a2", "expires_in": 60 }));
    house.scene.stage.later(Duration::from_secs(1));

    assert_eq!(house.refresh(&id, SOON), Outcome::Renewed);

    let tokens = house.tokens(&id).unwrap();
    assert_eq!((&*tokens.access_token, tokens.doubt), ("a2", None));
}

#[test]
fn without_a_doubt_a_refusal_is_the_end() {
    for failure in [json!({ "error": "invalid_client" }), json!({})] {
        let house = House::new();
        let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 60);
        house.answers(401, failure);
        assert!(matches!(house.refresh(&id, SOON), Outcome::Failed(_)));
        house.answers(400, json!({ "error": "invalid_grant" }));
        house.scene.stage.later(Duration::from_secs(1));

        assert_eq!(
            house.refresh(&id, SOON),
            Outcome::Ended("invalid_grant"),
            "the provider had answered"
        );
    }
}

const SOON: Due = Due::Before(120);
