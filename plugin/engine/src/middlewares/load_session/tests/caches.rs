//! What caches are told of responses that were made of sessions.

use super::*;

type Headers<'a> = &'a [(&'a str, &'a str)];

#[test]
fn response_made_of_a_session_is_parted_by_its_key_unless_it_is_for_everybody() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");
    let cases: [(Headers<'_>, &[&str]); 14] = [
        (&[], &["Cookie"]),
        (&[("cache-control", "private, max-age=60")], &["Cookie"]),
        (
            &[("cache-control", "max-age=31536000, immutable")],
            &["Cookie"],
        ),
        (
            &[("vary", "Accept-Encoding")],
            &["Accept-Encoding", "Cookie"],
        ),
        (&[("vary", "Accept, cookie")], &["Accept, cookie"]),
        (&[("vary", "*")], &["*"]),
        (&[("vary", "X-Cookie")], &["X-Cookie", "Cookie"]),
        // Nothing to part: it is kept nowhere, or is the same for all.
        (&[("cache-control", "no-store")], &[]),
        (&[("cache-control", "public, max-age=60")], &[]),
        (
            &[("cache-control", "max-age=60"), ("cache-control", "Public")],
            &[],
        ),
        (&[("cache-control", "s-maxage=60")], &[]),
        (
            &[
                ("cache-control", "public"),
                ("vary", "Accept-Encoding, Origin"),
            ],
            &["Accept-Encoding, Origin"],
        ),
        // To be kept, but not one for all: the upstream sees a user where the client sent a cookie.
        (
            &[("cache-control", "public"), ("vary", "X-User-Id")],
            &["X-User-Id", "Cookie"],
        ),
        (&[("cache-control", "public-ish, max-age=60")], &["Cookie"]),
    ];
    for (headers, expected) in cases {
        let exchange = bench.visit(&cookie, |exchange| {
            exchange.session().unwrap().get("user_id");
            exchange.answer(200, headers);
        });

        assert_eq!(exchange.response_headers("vary"), expected, "{headers:?}");
    }
}

#[test]
fn response_is_left_alone_when_no_session_was_in_it() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    let unread = bench.visit(&cookie, |_| {});
    let anonymous = bench.visit("a=b", |exchange| {
        assert!(exchange.session().unwrap().get("user_id").is_none())
    });

    for exchange in [unread, anonymous] {
        assert!(exchange.response_headers("vary").is_empty());
        assert!(exchange.response_headers("cache-control").is_empty());
    }
}

#[test]
fn whoever_looks_at_a_session_makes_its_response_personal() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");
    let looks: [fn(&Session); 4] = [
        |session| drop(session.keys()),
        |session| drop(session.id()),
        |session| drop(session.handle()),
        |session| assert!(!session.fresh()),
    ];
    for look in looks {
        let exchange = bench.visit(&cookie, |exchange| look(exchange.session().unwrap()));

        assert_eq!(exchange.response_headers("vary"), ["Cookie"]);
    }
}

#[test]
fn response_with_a_key_in_it_is_kept_nowhere() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    let told = bench.visit("", |exchange| {
        set(exchange, "user_id", "anna");
        exchange.answer(200, &[("cache-control", "public, max-age=60")]);
    });
    let cleared = bench.visit(&cookie, |exchange| exchange.session().unwrap().destroy());

    for exchange in [told, cleared] {
        assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
        assert_eq!(exchange.response_headers("vary"), ["Cookie"]);
    }
}

#[test]
fn caches_are_told_of_every_header_that_a_key_may_come_in() {
    let bench =
        Bench::new(json!({ "keyLookup": ["cookie:a", "header:X-Session", "cookie:b", "query:s"] }));

    let exchange = bench.visit("", |exchange| set(exchange, "user_id", "anna"));

    assert_eq!(exchange.response_headers("vary"), ["Cookie", "x-session"]);
}

#[test]
fn key_in_the_address_parts_caches_by_itself() {
    let bench = Bench::new(json!({ "keyLookup": ["cookie:sid", "query:s"] }));
    let key = bench.log_in("anna").replace("sid=", "");
    let bench = Bench::over(json!({ "keyLookup": "query:s" }), bench.rows);
    let mut exchange = bench.gateway.exchange("GET", &format!("/?s={key}"));

    let read = exchange.run_with(&bench.middleware, |exchange| {
        assert!(exchange.session().unwrap().get("user_id").is_some());
        exchange.answer(200, &[]);
    });

    read.unwrap();
    assert!(exchange.response_headers("vary").is_empty());
}
