//! How long a session lives, and under which id.

use super::*;

#[test]
fn session_ends_when_its_cookie_does() {
    let bench = Bench::new(json!({ "cookieExpiration": "2h", "disableAutoRenew": true }));
    let cookie = bench.log_in("anna");

    bench.clock.advance(Duration::from_secs(2 * 3600 - 1));
    let before = bench.user(&cookie);
    bench.clock.advance(Duration::from_secs(1));
    let after = bench.user(&cookie);

    assert_eq!((before, after), (Some(json!("anna")), None));
}

#[test]
fn session_that_is_due_gets_a_new_id_a_fresh_life_and_keeps_its_data() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let old = bench.log_in("anna");

    bench.clock.advance(Duration::from_secs(30 * 60));
    let renewed = bench.visit(&old, |_| {});

    let new = cookie_of(&renewed).unwrap();
    assert_ne!(new, old);
    bench.clock.advance(Duration::from_secs(2 * 3600 - 1));
    assert_eq!(bench.user(&new), Some(json!("anna")));
}

#[test]
fn request_in_flight_with_the_old_id_is_told_the_same_new_one() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let old = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(30 * 60));
    let first = bench.visit(&old, |_| {});

    bench.clock.advance(Duration::from_secs(9));
    let second = bench.visit(&old, |_| {});

    assert_eq!(cookie_of(&first), cookie_of(&second));
}

#[test]
fn retired_id_that_comes_back_ends_the_session_of_thief_and_victim() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let old = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(30 * 60));
    let new = cookie_of(&bench.visit(&old, |_| {})).unwrap();
    assert_eq!(bench.user(&new), Some(json!("anna")));

    bench.clock.advance(Duration::from_secs(11));

    assert_eq!(bench.user(&old), None);
    assert_eq!(bench.user(&new), None);
}

#[test]
fn client_that_never_got_its_new_id_is_told_again() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let old = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(30 * 60));
    let lost = bench.visit(&old, |_| {});

    bench.clock.advance(Duration::from_secs(300));
    let again = bench.visit(&old, |_| {});

    assert_eq!(cookie_of(&again), cookie_of(&lost));
}

#[test]
fn client_that_breaks_off_keeps_the_id_it_has() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let cookie = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(30 * 60));
    let mut exchange = bench
        .gateway
        .exchange("GET", "/")
        .with_header("Cookie", &cookie);

    drop(wait(bench.middleware.on_request(exchange.lend())).unwrap());
    bench.clock.advance(Duration::from_secs(60));

    assert_eq!(bench.user(&cookie), Some(json!("anna")));
}

#[test]
fn change_in_the_request_that_renews_is_kept_under_the_new_id() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let old = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(30 * 60));

    let exchange = bench.visit(&old, |exchange| set(exchange, "basket", "apples"));

    let new = cookie_of(&exchange).unwrap();
    assert_ne!(new, old);
    assert_eq!(exchange.response_headers("set-cookie").len(), 1);
    assert_eq!(bench.read(&new, "basket"), Some(json!("apples")));
}

#[test]
fn nothing_is_renewed_when_renewal_is_off() {
    let bench = Bench::new(json!({ "disableAutoRenew": true }));
    let cookie = bench.log_in("anna");

    bench.clock.advance(Duration::from_secs(3600));

    assert_eq!(cookie_of(&bench.visit(&cookie, |_| {})), None);
}

#[test]
fn hidden_session_is_renewed_but_not_seen() {
    let bench =
        Bench::new(json!({ "disableSessionForward": true, "responseHeader": "X-Session-Set" }));
    let login = bench.visit("", |exchange| {
        exchange.answer(200, &[("X-Session-Set", r#"{"user_id":"anna"}"#)])
    });
    let cookie = cookie_of(&login).unwrap();

    bench.clock.advance(Duration::from_secs(30 * 60));
    let exchange = bench.visit(&cookie, |exchange| assert!(exchange.session().is_none()));

    assert!(cookie_of(&exchange).is_some());
}

#[test]
fn own_expiry_of_a_session_counts_and_is_told() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    let exchange = bench.visit(&cookie, |exchange| {
        exchange
            .session()
            .unwrap()
            .set_expiry(Duration::from_secs(60))
    });
    bench.clock.advance(Duration::from_secs(61));

    assert!(exchange.response_headers("set-cookie")[0].contains("Max-Age=60;"));
    assert_eq!(bench.user(&cookie), None);
}
