//! What the cookie with the snapshot looks like, when it is set and when it is cleared.

use super::*;

#[test]
fn snapshot_has_the_attributes_of_the_session_cookie_and_is_never_cached() {
    let cached = Cached::new(json!({
        "cookieHTTPOnly": true, "cookieSecure": true, "cookieSameSite": "Strict", "cookiePath": "/shop",
        "cookieDomain": "example.org",
    }));
    let mut jar = Jar::default();

    let exchange = cached.visit(&mut jar, |exchange| set(exchange, "user_id", "anna"));

    let attributes = |cookie: &str| {
        let (_, attributes) = cookie.split_once("; ").unwrap();
        let (kept, _) = attributes.split_once("Max-Age").unwrap();
        kept.to_owned()
    };
    let [_twin, id, snapshot] = exchange.response_headers("set-cookie")[..] else {
        panic!("three cookies")
    };
    assert_eq!(attributes(id), attributes(snapshot));
    assert!(id.contains("Max-Age=7200;") && snapshot.contains("Max-Age=300;"));
    assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
}

#[test]
fn compact_snapshot_shows_nothing_and_a_token_shows_the_session() {
    let value = |encoding| {
        let cached = Cached::new(json!({ "cookieCache": { "encoding": encoding } }));
        cached.log_in("anna-of-the-tests").snapshot().unwrap()
    };

    assert_eq!(value("compact").split('.').count(), 1);
    assert_eq!(value("jwt").split('.').count(), 3);
}

#[test]
fn response_that_gives_a_snapshot_is_never_cached() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna").without_snapshot();

    let exchange = cached.visit(&mut jar, |exchange| {
        exchange.answer(200, &[("Cache-Control", "max-age=600")]);
    });
    let served = cached.visit(&mut jar, |exchange| {
        exchange.answer(200, &[("Cache-Control", "max-age=600")]);
    });

    assert_eq!(names(&exchange), [SNAPSHOT]);
    assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
    assert_eq!(served.response_headers("cache-control"), ["max-age=600"]);
}

#[test]
fn visitor_without_a_session_gets_no_snapshot() {
    let cached = Cached::new(json!({}));

    let exchange = cached.visit(&mut Jar::default(), |_| {});

    assert_eq!(names(&exchange), [""; 0]);
}

#[test]
fn id_from_a_header_or_a_query_gets_no_snapshot() {
    let cached =
        Cached::new(json!({ "keyLookup": ["cookie:session_id", "header:X-Session", "query:s"] }));
    let jar = cached.log_in("anna");
    let gateway = &cached.bench.gateway;
    let header = gateway
        .exchange("GET", "/")
        .with_header("X-Session", jar.id());
    let query = gateway.exchange("GET", &format!("/?s={}", jar.id()));
    for mut exchange in [header, query] {
        exchange.run(&cached.bench.middleware, 200).unwrap();

        assert_eq!(names(&exchange), [""; 0]);
        assert!(!exchange.session().unwrap().fresh());
    }
}

#[test]
fn snapshot_never_reaches_the_upstream() {
    for config in [json!({}), json!({ "forwardSessionKey": true })] {
        let cached = Cached::new(config);
        let jar = cached.log_in("anna");
        let gateway = &cached.bench.gateway;
        let mut exchange = gateway
            .exchange("GET", "/")
            .with_header("Cookie", format!("a=1; {}; b=2", jar.header()))
            .with_header("Cookie", format!("{SNAPSHOT}=x"));

        exchange.run(&cached.bench.middleware, 200).unwrap();

        let cookie = exchange.request_header("cookie").unwrap();
        assert!(!cookie.contains(SNAPSHOT), "{cookie}");
        assert!(cookie.contains("a=1") && cookie.contains("b=2"), "{cookie}");
    }
}

#[test]
fn snapshot_without_an_id_is_nobody_and_does_not_reach_the_upstream() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    jar.0.remove(ID);

    let asked = cached.asked(|| {
        let exchange = cached.visit(&mut jar, |exchange| {
            assert!(exchange.session().unwrap().fresh());
        });
        assert_eq!(exchange.request_header("cookie"), None);
    });

    assert_eq!((asked, cached.bench.loads("anonymous")), (0, 2));
}

#[test]
fn session_that_is_too_large_is_read_from_the_storage() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    assert!(jar.snapshot().is_some());
    let large = "x".repeat(4096);

    let grown = cached.visit(&mut jar, |exchange| set(exchange, "notes", &large));
    let mut notes = None;
    let asked = cached.asked(|| {
        let exchange = cached.visit(&mut jar, |exchange| {
            notes = exchange.session().unwrap().get("notes");
        });
        assert_eq!(names(&exchange), [""; 0], "nothing is left to be cleared");
    });

    assert_eq!(
        (names(&grown), jar.snapshot()),
        (vec![SNAPSHOT.into()], None)
    );
    assert!(asked > 0);
    assert_eq!(notes, Some(json!(large)));
}

#[test]
fn session_that_grows_too_large_in_one_request_leaves_no_snapshot_of_before() {
    let cached = Cached::new(json!({}));
    let mut jar = Jar::default();

    cached.visit(&mut jar, |exchange| {
        let session = exchange.session().unwrap().clone();
        session.set("user_id", "anna").unwrap();
        wait(session.commit(exchange.lend())).unwrap();
        session.set("notes", "x".repeat(4096)).unwrap();
    });

    assert_eq!(jar.snapshot(), None);
}

#[test]
fn session_cookie_that_leads_nowhere_loses_its_snapshot_and_stays() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let id = jar.id();
    cached.bench.stored();
    cached.advance(300);

    let exchange = cached.visit(&mut jar, |_| {});

    assert_eq!(names(&exchange), [SNAPSHOT]);
    assert_eq!((jar.id(), jar.snapshot()), (id, None));
    let again = cached.visit(&mut jar, |_| {});
    assert_eq!(names(&again), [""; 0]);
}

#[test]
fn debug_output_of_a_visit_from_a_snapshot_holds_no_secret() {
    let cached = Cached::new(json!({}));
    let jar = cached.log_in("anna-the-secret");
    let gateway = &cached.bench.gateway;
    let mut exchange = gateway
        .exchange("GET", "/")
        .with_header("Cookie", jar.header());
    let visit = wait(cached.bench.inner.store.open(&mut exchange.lend())).unwrap();

    let shown = format!("{visit:?}");

    for secret in [jar.id(), jar.snapshot().unwrap(), "anna-the-secret".into()] {
        assert!(!shown.contains(&secret), "{shown}");
    }
}
