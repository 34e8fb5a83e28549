//! The keys about users and their data, by what they change.

use abi::SessionStore;

use super::*;

#[test]
fn sessions_are_listed_under_the_configured_attribute() {
    let bench = Bench::new(json!({ "principal": "sub" }));

    let cookie = cookie_of(&bench.visit("", |exchange| set(exchange, "sub", "7"))).unwrap();
    bench.visit(&cookie, |exchange| set(exchange, "user_id", "anna"));

    assert_eq!(sessions(&bench, "7"), 1);
    assert_eq!(sessions(&bench, "anna"), 0);
}

#[test]
fn change_of_the_configured_attribute_is_a_login() {
    let bench = Bench::new(json!({ "principal": "sub" }));
    let cookie = bench.log_in("anna");

    let basket = bench.visit(&cookie, |exchange| set(exchange, "basket", "apples"));
    let login = bench.visit(&cookie, |exchange| set(exchange, "sub", "7"));

    assert_eq!(cookie_of(&basket), None);
    assert_ne!(cookie_of(&login), Some(cookie.clone()));
    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn sessions_belong_to_nobody_when_no_attribute_names_the_user() {
    let bench = Bench::new(json!({ "principal": "" }));
    let cookie = bench.log_in("anna");

    assert_eq!(sessions(&bench, "anna"), 0);
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
}

#[test]
fn login_beyond_the_limit_ends_the_oldest_session() {
    for on_limit in [Value::Null, json!("evictOldest")] {
        let bench = Bench::new(json!({ "maxSessionsPerPrincipal": 2, "onLimit": on_limit }));
        let cookies = ["phone", "laptop", "tablet"].map(|_| {
            bench.clock.advance(Duration::from_secs(1));
            bench.log_in("anna")
        });

        let alive = cookies.map(|cookie| bench.user(&cookie).is_some());

        assert_eq!(alive, [false, true, true]);
    }
}

#[test]
fn login_beyond_the_limit_is_refused_when_that_is_asked_for() {
    let bench = Bench::new(json!({ "maxSessionsPerPrincipal": 1, "onLimit": "refuse" }));
    let first = bench.log_in("anna");

    let refused = log_in_again(&bench);

    assert_eq!(refused.reason(), "too-many-sessions");
    assert_eq!(bench.user(&first), Some(json!("anna")));
}

#[test]
fn data_beyond_the_limit_is_not_taken() {
    let bench = Bench::new(json!({ "maxBytes": "1KiB" }));
    let cookie = bench.log_in("anna");

    bench.visit(&cookie, |exchange| {
        let session = exchange.session().unwrap();
        assert!(session.set("essay", "x".repeat(1024)).is_err());
        session.set("note", "x".repeat(512)).unwrap();
    });

    assert_eq!(bench.read(&cookie, "essay"), None);
    assert!(bench.read(&cookie, "note").is_some());
}

fn sessions(bench: &Bench, principal: &str) -> usize {
    let store: SessionStore = bench
        .gateway
        .services()
        .session_store("LoadSessionMiddleware")
        .unwrap();
    wait(store.sessions(principal)).unwrap().len()
}

fn log_in_again(bench: &Bench) -> Failure {
    let mut exchange = bench.gateway.exchange("GET", "/");
    exchange
        .run_with(&bench.middleware, |exchange| {
            set(exchange, "user_id", "anna")
        })
        .unwrap_err()
}
