//! What goes wrong, and what must not come of it.

use super::*;

#[test]
fn nonsense_of_an_upstream_changes_nothing() {
    let bench = Bench::new(json!({ "responseHeader": "X-Session-Set" }));
    let cookie = bench.log_in("anna");

    let exchange = bench.visit(&cookie, |exchange| {
        exchange.answer(200, &[("X-Session-Set", "[1]")])
    });

    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
}

#[test]
fn session_that_ended_meanwhile_stays_ended_and_the_cookie_is_left_alone() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    let late = bench.visit(&cookie, |exchange| {
        set(exchange, "basket", "apples");
        bench.visit(&cookie, |other| other.session().unwrap().destroy());
    });

    assert_eq!(cookie_of(&late), None);
    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn logout_clears_the_cookie_of_a_session_that_ended_meanwhile() {
    let destroy: fn(&TestExchange) = |exchange| exchange.session().unwrap().destroy();
    let expire: fn(&TestExchange) = |exchange| {
        let session = exchange.session().unwrap();
        session.set_expiry(Duration::ZERO);
    };
    for log_out in [destroy, expire] {
        let bench = Bench::new(json!({}));
        let cookie = bench.log_in("anna");

        let late = bench.visit(&cookie, |exchange| {
            log_out(exchange);
            bench.visit(&cookie, |other| other.session().unwrap().destroy());
        });

        assert_eq!(cookie_of(&late).as_deref(), Some("session_id="));
    }
}

#[test]
fn outage_is_neither_an_anonymous_visitor_nor_a_cleared_cookie() {
    let bench = Bench::over(json!({}), Arc::new(Down));
    let mut exchange = bench.gateway.exchange("GET", "/").with_header(
        "Cookie",
        "session_id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    );

    let failure = exchange
        .run_with(&bench.middleware, |_| panic!("the upstream is not reached"))
        .unwrap_err();

    assert_eq!(
        (failure.kind(), failure.reason()),
        (Kind::UNAVAILABLE, "storage-unavailable")
    );
    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    assert_eq!(bench.loads("unavailable"), 1);
}

#[test]
fn login_during_an_outage_tells_the_client_nothing() {
    let bench = Bench::over(json!({}), Arc::new(Down));
    let mut exchange = bench.gateway.exchange("GET", "/");

    let failure = exchange
        .run_with(&bench.middleware, |exchange| {
            set(exchange, "user_id", "anna")
        })
        .unwrap_err();

    assert_eq!(failure.kind(), Kind::UNAVAILABLE);
    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
}

#[test]
fn every_fault_is_found_at_once() {
    let faults = Bench::make(
        json!({ "keyLookup": "cookie", "responseHeader": "not a name" }),
        memory(&Arc::new(ManualClock::new(Timestamp::from_millis(0)))),
    )
    .unwrap_err();

    let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["responseHeader", "keyLookup"]);
}

#[test]
fn response_header_that_the_gateway_needs_is_refused() {
    for name in ["Set-Cookie", "content-type", "Vary"] {
        let faults = Bench::make(
            json!({ "responseHeader": name }),
            memory(&Arc::new(ManualClock::new(Timestamp::from_millis(0)))),
        )
        .unwrap_err();

        assert_eq!(
            faults.to_string(),
            format!(
                "responseHeader: `{name}` belongs to the connection or the gateway; name one of your own, such as `X-Session-Set`"
            )
        );
    }
}

#[test]
fn cookie_that_browsers_would_drop_is_refused() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let faults = Bench::make(json!({ "cookieSameSite": 4 }), memory(&clock)).unwrap_err();

    assert_eq!(
        faults.to_string(),
        "cookieSameSite: SameSite=None needs a secure cookie, or browsers drop it"
    );
}

#[test]
fn debug_output_of_a_visit_holds_no_secret() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna-the-secret");
    let id = cookie.strip_prefix("session_id=").unwrap();
    let mut exchange = bench
        .gateway
        .exchange("GET", "/")
        .with_header("Cookie", &cookie);
    let visit = wait(bench.inner.store.open(&mut exchange.lend())).unwrap();

    let shown = format!("{visit:?}");

    assert!(
        !shown.contains(id) && !shown.contains("anna-the-secret"),
        "{shown}"
    );
}
