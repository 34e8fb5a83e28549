//! Where the key of a session is found, sent and kept from.

use super::*;

#[test]
fn cookie_has_the_documented_defaults_and_is_never_cached() {
    let bench = Bench::new(json!({}));

    let exchange = bench.visit("", |exchange| set(exchange, "user_id", "anna"));

    let cookie = exchange.response_headers("set-cookie")[0].to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("session_id="), "{pair}");
    assert_eq!(pair.len(), "session_id=".len() + 43);
    assert_eq!(
        attributes,
        "SameSite=Lax; Path=/; Max-Age=7200; Expires=Thu, 01 Jan 1970 03:00:00 GMT"
    );
    assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
}

#[test]
fn cookie_attributes_are_as_configured() {
    let bench = Bench::new(json!({
        "keyLookup": "cookie:sid", "cookieHTTPOnly": true, "cookieSecure": true, "cookieSameSite": "Strict",
        "cookieSessionOnly": true,
    }));

    let exchange = bench.visit("", |exchange| set(exchange, "user_id", "anna"));

    let cookie = exchange.response_headers("set-cookie")[0].to_owned();
    let (_, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Secure; Path=/");
}

#[test]
fn cookie_goes_to_the_hosts_and_paths_that_are_configured() {
    let bench = Bench::new(json!({
        "cookieDomain": "Example.COM", "cookiePath": "/app", "cookiePartitioned": true, "cookieSecure": true,
        "cookieSameSite": "None", "cookieSessionOnly": true,
    }));

    let exchange = bench.visit("", |exchange| set(exchange, "user_id", "anna"));

    let [twin, cookie] = exchange.response_headers("set-cookie")[..] else {
        panic!("two cookies")
    };
    assert!(
        twin.starts_with("session_id=; ") && !twin.contains("Domain"),
        "{twin}"
    );
    let (_, attributes) = cookie.split_once("; ").unwrap();
    let mut attributes: Vec<&str> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        [
            "Domain=example.com",
            "Partitioned",
            "Path=/app",
            "SameSite=None",
            "Secure"
        ]
    );
}

#[test]
fn id_of_a_client_is_never_adopted() {
    let bench = Bench::new(json!({}));
    let chosen = "session_id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    let exchange = bench.visit(chosen, |exchange| set(exchange, "user_id", "anna"));

    assert_ne!(cookie_of(&exchange).unwrap(), chosen);
    assert_eq!(bench.user(chosen), None);
}

#[test]
fn ids_of_every_wrong_shape_cost_no_read_and_no_write() {
    let bench = Bench::new(json!({}));
    let long = "a".repeat(100_000);
    for id in ["", "x", "../../etc/passwd", "\"\"", "%00", "null", &long] {
        let exchange = bench.visit(&format!("session_id={id}"), |_| {});

        assert_eq!(exchange.response_headers("set-cookie"), [""; 0], "{id:.20}");
    }
    assert_eq!(bench.stored(), 0);
    assert_eq!(bench.loads("anonymous"), 7);
}

#[test]
fn first_valid_one_of_several_cookies_counts() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");
    let stale = "session_id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    let user = bench.user(&format!("session_id=junk; {stale}; {cookie}"));

    assert_eq!(user, Some(json!("anna")));
}

// As a browser sends them after the domain or the path of the cookie has changed.
#[test]
fn retired_id_beside_the_one_that_it_leads_to_is_no_theft() {
    let bench = Bench::new(json!({ "sensitivePaths": ["/admin/*"] }));
    let old = bench.log_in("anna");
    let new = renew_and_use(&bench, &old);
    bench.clock.advance(Duration::from_secs(60));

    for path in ["/", "/admin"] {
        let exchange = bench.gateway.exchange("GET", path);
        let mut exchange = exchange.with_header("Cookie", format!("{old}; {new}"));
        exchange.run(&bench.middleware, 200).unwrap();
        assert_eq!(
            exchange.session().unwrap().get("user_id"),
            Some(json!("anna"))
        );
        assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    }
    bench.clock.advance(Duration::from_secs(30 * 60));
    let renewed = bench.visit(&format!("{old}; {new}"), |_| {});

    let newest = cookie_of(&renewed).expect("it is due as with one cookie");
    assert_eq!(bench.user(&newest), Some(json!("anna")));
}

#[test]
fn retired_id_beside_that_of_somebody_else_is_theft() {
    let bench = Bench::new(json!({}));
    let (old, other) = (bench.log_in("anna"), bench.log_in("ben"));
    let new = renew_and_use(&bench, &old);
    bench.clock.advance(Duration::from_secs(60));

    let user = bench.user(&format!("{old}; {other}"));

    assert_eq!(user, Some(json!("ben")));
    assert_eq!(bench.user(&new), None);
}

#[test]
fn key_does_not_reach_the_upstream_and_everything_else_does() {
    let bench = Bench::new(json!({ "keyLookup": ["cookie:sid", "header:X-Session", "query:s"] }));
    let mut exchange = bench
        .gateway
        .exchange("GET", "/?a=1&s=secret&b=2&s=again")
        .with_header("Cookie", "theme=dark; sid=secret; lang=de")
        .with_header("Cookie", "sid=other")
        .with_header("X-Session", "secret");

    exchange.run(&bench.middleware, 200).unwrap();

    assert_eq!(
        exchange.request_header("cookie"),
        Some("theme=dark; lang=de")
    );
    assert_eq!(exchange.request_header("x-session"), None);
    assert_eq!(exchange.query(), Some("a=1&b=2"));
}

#[test]
fn key_does_not_reach_the_upstream_in_a_query_that_cannot_be_forwarded() {
    let bench = Bench::new(json!({ "keyLookup": "query:s" }));
    let mut exchange = bench.gateway.exchange("GET", "/?not a query&s=secret");

    exchange.run(&bench.middleware, 200).unwrap();

    assert_eq!(exchange.query(), None);
}

#[test]
fn key_is_forwarded_when_that_is_asked_for() {
    let bench = Bench::new(json!({ "forwardSessionKey": true }));
    let mut exchange = bench
        .gateway
        .exchange("GET", "/")
        .with_header("Cookie", "session_id=x");

    exchange.run(&bench.middleware, 200).unwrap();

    assert_eq!(exchange.request_header("cookie"), Some("session_id=x"));
}

#[test]
fn header_lookup_answers_in_the_same_header() {
    let bench = Bench::new(json!({ "keyLookup": "header:X-Session" }));
    let begun = bench.visit("", |exchange| set(exchange, "user_id", "anna"));
    let id = begun.response_headers("x-session")[0].to_owned();

    let mut exchange = bench
        .gateway
        .exchange("GET", "/")
        .with_header("X-Session", &id);
    let mut seen = None;
    exchange
        .run_with(&bench.middleware, |exchange| {
            seen = exchange.session().unwrap().get("user_id");
            exchange.answer(200, &[]);
        })
        .unwrap();

    assert_eq!(seen, Some(json!("anna")));
    assert_eq!(begun.response_headers("set-cookie"), [""; 0]);
}

#[test]
fn id_from_a_query_is_found_but_never_becomes_a_cookie() {
    let bench = Bench::new(
        json!({ "keyLookup": ["cookie:session_id", "query:s"], "autoRenewAfter": "1m" }),
    );
    let cookie = bench.log_in("anna");
    let id = cookie.strip_prefix("session_id=").unwrap();
    bench.clock.advance(Duration::from_secs(120));

    let mut exchange = bench.gateway.exchange("GET", &format!("/?s={id}"));
    exchange.run(&bench.middleware, 200).unwrap();

    assert_eq!(
        exchange.session().unwrap().get("user_id"),
        Some(json!("anna"))
    );
    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
}

#[test]
fn login_with_an_id_from_a_query_is_told_where_a_response_can_carry_it() {
    let bench =
        Bench::new(json!({ "keyLookup": ["cookie:session_id", "header:X-Session", "query:s"] }));
    let planted =
        cookie_of(&bench.visit("", |exchange| set(exchange, "basket", "apples"))).unwrap();
    let id = planted.strip_prefix("session_id=").unwrap();

    let mut login = bench.gateway.exchange("GET", &format!("/?s={id}"));
    login
        .run_with(&bench.middleware, |exchange| {
            set(exchange, "user_id", "anna")
        })
        .unwrap();

    let cookie = cookie_of(&login).unwrap();
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
    assert_eq!(
        cookie,
        format!("session_id={}", login.response_headers("x-session")[0])
    );
    assert_eq!(
        bench.read(&planted, "basket"),
        None,
        "what was planted is dead"
    );
}

#[test]
fn login_that_no_response_could_tell_of_is_refused_and_changes_nothing() {
    let bench = Bench::new(json!({}));
    let cookie = cookie_of(&bench.visit("", |exchange| set(exchange, "basket", "apples"))).unwrap();
    let id = cookie.strip_prefix("session_id=").unwrap();
    let query = json!({ "keyLookup": "query:s" });
    let beside = Bench::assemble(query, bench.rows.clone(), bench.clock.clone());

    let mut login = beside.gateway.exchange("GET", &format!("/?s={id}"));
    let failure = login
        .run_with(&beside.middleware, |exchange| {
            set(exchange, "user_id", "anna")
        })
        .unwrap_err();

    assert_eq!(failure.kind(), Kind::INTERNAL);
    assert_eq!(bench.read(&cookie, "basket"), Some(json!("apples")));
    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn session_cannot_begin_where_no_response_could_tell_of_it() {
    let bench = Bench::new(json!({ "keyLookup": "query:s" }));
    let mut exchange = bench.gateway.exchange("GET", "/");

    let failure = exchange
        .run_with(&bench.middleware, |exchange| set(exchange, "a", "b"))
        .unwrap_err();

    assert_eq!(failure.kind(), Kind::INTERNAL);
    assert_eq!(bench.stored(), 0);
}

fn renew_and_use(bench: &Bench, cookie: &str) -> String {
    let renewed = bench.visit(cookie, |exchange| {
        assert!(exchange.session().unwrap().renew());
    });
    let new = cookie_of(&renewed).unwrap();
    bench.visit(&new, |_| {});
    new
}
