use super::*;

#[test]
fn a_session_under_an_older_secret_is_counted_until_it_has_moved() {
    let before = Bench::new(json!({ "secrets": [OLD] }));
    let cookie = before.log_in("anna");
    before.clock.advance(Duration::from_secs(10));
    let after = beside(&before, json!({ "secrets": [NEW, OLD] }));
    let old_secret_loads = || after.gateway.counter("session_old_secret_loads_total", "");

    let moved = cookie_of(&after.visit(&cookie, |_| {})).expect("a new id");
    assert_eq!(old_secret_loads(), 1);

    assert_eq!(after.user(&moved), Some(json!("anna")));
    assert_eq!(old_secret_loads(), 1);
    let alone = beside(&before, json!({ "secrets": [NEW] }));
    assert_eq!(alone.user(&moved), Some(json!("anna")));
}

#[test]
fn a_session_whose_secret_went_is_an_anonymous_visitor() {
    let before = Bench::new(json!({ "secrets": [OLD] }));
    let cookie = before.log_in("anna");

    let after = beside(&before, json!({ "secrets": [NEW] }));

    assert_eq!(after.user(&cookie), None);
}

#[test]
fn a_session_in_use_outlives_a_change_of_secrets_shortly_before_it_is_due() {
    let config = |secrets: Value| json!({ "secrets": secrets, "cookieExpiration": "2h", "autoRenewAfter": "70m" });
    let before = Bench::new(config(json!([OLD, NEW])));
    let mut cookie = before.log_in("anna");
    let after = beside(&before, config(json!([NEW, OLD])));

    for minute in 0..240 {
        let bench = if minute < 65 { &before } else { &after };
        let seen = bench.visit(&cookie, |exchange| {
            let user = exchange.session().unwrap().get("user_id");
            assert_eq!(user, Some(json!("anna")), "{minute}");
        });
        cookie = cookie_of(&seen).unwrap_or(cookie);
        before.clock.advance(Duration::from_secs(60));
    }
}

#[test]
fn a_session_that_moves_keeps_its_end_where_nothing_is_renewed() {
    let config = |secrets: Value| json!({ "secrets": secrets, "disableAutoRenew": true });
    let before = Bench::new(config(json!([OLD])));
    let cookie = before.log_in("anna");
    before.clock.advance(Duration::from_secs(3600));
    let after = beside(&before, config(json!([NEW, OLD])));

    let moved = cookie_of(&after.visit(&cookie, |_| {})).expect("a new id");

    before.clock.advance(Duration::from_secs(3600));
    assert_eq!(after.user(&moved), None);
}

/// Another gateway on the same storage.
fn beside(bench: &Bench, config: Value) -> Bench {
    Bench::assemble(config, bench.rows.clone(), bench.clock.clone())
}

const NEW: &str = "a secret of the tests, long enough to be allowed";
const OLD: &str = "an older one of the tests, also long enough to be";
