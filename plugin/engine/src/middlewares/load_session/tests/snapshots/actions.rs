//! What the actions of this plugin make of a session that is only remembered.

use std::collections::BTreeMap;

use abi::handle::ActionHandle;

use super::*;
use crate::actions::LogoutAction;
use crate::runtime::Runtime;
use crate::tokens::Providers;

#[test]
fn memory_of_an_ended_session_ends_none_of_its_user() {
    let cached = Cached::new(json!({}));
    let (mut here, mut copied) = (cached.log_in("anna"), cached.log_in("anna"));
    end_others(&cached, &mut here);

    let answer = log_out_everywhere(&cached, &mut copied);

    assert_eq!(body(&answer), json!({ "ended": 0 }));
    assert!(copied.0.is_empty(), "the client forgets what is over");
    cached.advance(300);
    assert_eq!(cached.user(&mut here), Some(json!("anna")));
}

#[test]
fn login_of_the_user_whose_session_is_only_remembered_begins_another_one() {
    let cached = Cached::new(json!({}));
    let (mut here, mut copied) = (cached.log_in("anna"), cached.log_in("anna"));
    end_others(&cached, &mut here);
    let ended = copied.id();

    cached.visit(&mut copied, |exchange| {
        set(exchange, "user_id", "anna");
        exchange.session().unwrap().regenerate();
    });

    assert_ne!(copied.id(), ended);
    assert_eq!(cached.user(&mut copied), Some(json!("anna")));
    assert_eq!(cached.user(&mut here), Some(json!("anna")));
}

#[test]
fn user_is_logged_out_everywhere_from_a_request_that_was_answered_from_a_snapshot() {
    let cached = Cached::new(json!({}));
    let (mut here, mut there) = (cached.log_in("anna"), cached.log_in("anna"));

    let answer = log_out_everywhere(&cached, &mut here);

    assert_eq!(body(&answer), json!({ "ended": 2 }));
    cached.advance(300);
    assert_eq!(cached.user(&mut there), None);
}

fn log_out_everywhere(cached: &Cached, jar: &mut Jar) -> TestExchange {
    let gateway = &cached.bench.gateway;
    let clock: Arc<dyn Clock> = cached.bench.clock.clone();
    let desk = (clock, Arc::new(Runtime::default()));
    let providers = Providers::new(BTreeMap::new(), desk, &gateway.services()).unwrap();
    let action = LogoutAction::new(
        &serde_json::from_value(json!({})).unwrap(),
        (Arc::new(providers), Arc::default()),
        &gateway.services(),
    );
    let action = ActionHandle::new(action.unwrap());
    let mut exchange = gateway
        .exchange("POST", "/logout")
        .with_header("Cookie", jar.header())
        .with_header("Content-Type", "application/json")
        .with_body(r#"{"everywhere":true}"#);
    exchange
        .run_with(&cached.bench.middleware, |exchange| {
            exchange.call(&action).unwrap();
        })
        .unwrap();
    jar.keep(&exchange);
    exchange
}

fn end_others(cached: &Cached, jar: &mut Jar) {
    cached.visit(jar, |exchange| {
        let session = exchange.session().unwrap().clone();
        assert_eq!(
            wait(session.store().unwrap().revoke_others(&session)),
            Ok(1)
        );
    });
}

fn body(exchange: &TestExchange) -> Value {
    serde_json::from_slice(exchange.response_body()).unwrap()
}
