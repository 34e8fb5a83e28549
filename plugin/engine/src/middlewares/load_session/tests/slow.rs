//! Responses that come after another has given the same browser another cookie.

use super::*;

#[test]
fn slow_response_of_the_session_before_leaves_the_cookie_of_a_login_alone() {
    let read: fn(&TestExchange) = |_| {};
    let write: fn(&TestExchange) = |exchange| set(exchange, "basket", "apples");
    for work in [read, write] {
        let bench = Bench::new(json!({ "touchInterval": "1m" }));
        let visitor = bench.visit("", |exchange| set(exchange, "theme", "dark"));
        let visitor = cookie_of(&visitor).unwrap();
        bench.clock.advance(MINUTE);

        let mut login = None;
        let slow = bench.visit(&visitor, |exchange| {
            work(exchange);
            let other = bench.visit(&visitor, |other| set(other, "user_id", "anna"));
            login = cookie_of(&other);
        });

        assert_eq!(slow.response_headers("set-cookie"), [""; 0]);
        assert_eq!(bench.user(&login.unwrap()), Some(json!("anna")));
    }
}

#[test]
fn slow_response_to_an_old_id_tells_of_no_session_that_is_over() {
    let log_in: fn(&TestExchange) = |exchange| set(exchange, "user_id", "ben");
    let log_out: fn(&TestExchange) = |exchange| exchange.session().unwrap().destroy();
    for end in [log_in, log_out] {
        let bench = Bench::new(json!({}));
        let old = bench.log_in("anna");
        let new = renew(&bench, &old);

        let slow = bench.visit(&old, |_| {
            bench.visit(&new, |other| end(other));
        });

        assert_eq!(slow.response_headers("set-cookie"), [""; 0]);
    }
}

#[test]
fn slow_response_to_an_old_id_tells_of_the_id_that_the_session_has_by_then() {
    let bench = Bench::new(json!({}));
    let old = bench.log_in("anna");
    let new = renew(&bench, &old);

    let mut newest = String::new();
    let slow = bench.visit(&old, |_| newest = renew(&bench, &new));

    assert_eq!(cookie_of(&slow), Some(newest));
}

fn renew(bench: &Bench, cookie: &str) -> String {
    let renewed = bench.visit(cookie, |exchange| {
        assert!(exchange.session().unwrap().renew());
    });
    cookie_of(&renewed).unwrap()
}

const MINUTE: Duration = Duration::from_secs(60);
