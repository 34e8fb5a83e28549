//! What is written into a session, by whom, and what comes of it.

use super::*;

#[test]
fn visitor_who_leaves_nothing_gets_nothing() {
    let bench = Bench::new(json!({}));

    let exchange = bench.visit("", |_| {});

    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    assert_eq!(bench.stored(), 0);
}

#[test]
fn session_begins_when_something_is_set_and_is_found_again() {
    let bench = Bench::new(json!({}));

    let cookie = bench.log_in("anna");
    let mut seen = None;
    let exchange = bench.visit(&cookie, |exchange| {
        seen = exchange.session().unwrap().get("user_id")
    });

    assert_eq!(seen, Some(json!("anna")));
    assert_eq!(
        exchange.response_headers("set-cookie"),
        [""; 0],
        "nothing changed, nothing is told"
    );
}

#[test]
fn change_of_user_gives_a_new_id_and_the_old_one_is_dead_at_once() {
    let bench = Bench::new(json!({}));
    let planted = bench.visit("", |exchange| set(exchange, "basket", "apples"));
    let planted = cookie_of(&planted).unwrap();

    let login = bench.visit(&planted, |exchange| set(exchange, "user_id", "anna"));

    let cookie = cookie_of(&login).unwrap();
    assert_ne!(cookie, planted);
    assert_eq!(bench.user(&planted), None);
    assert_eq!(bench.read(&cookie, "basket"), Some(json!("apples")));
}

#[test]
fn another_user_gets_nothing_of_what_the_upstream_wrote_for_the_one_before() {
    let bench = Bench::new(json!({ "responseHeader": "X-Session-Set" }));
    let write = |cookie: &str, value: &'static str| {
        let written = bench.visit(cookie, |exchange| {
            exchange.answer(200, &[("X-Session-Set", value)]);
        });
        cookie_of(&written)
    };
    let visitor = write("", r#"{"basket":"apples"}"#).unwrap();

    let anna = write(&visitor, r#"{"user_id":"anna","token":"anna's"}"#).unwrap();
    assert_eq!(bench.read(&anna, "basket"), Some(json!("apples")));
    let again = write(&anna, r#"{"user_id":"anna"}"#);
    assert_eq!(again, None, "the same user is no change");
    let ben = write(&anna, r#"{"user_id":"ben"}"#).unwrap();

    assert_eq!(bench.user(&ben), Some(json!("ben")));
    let left = ["token", "basket"].map(|name| bench.read(&ben, name));
    assert_eq!(left, [None, None]);
}

#[test]
fn nothing_of_a_user_stays_for_the_next_when_the_user_goes_first() {
    let bench = Bench::new(json!({ "responseHeader": "X-Session-Set" }));
    let write = |cookie: &str, value: &'static str| {
        let written = bench.visit(cookie, |exchange| {
            exchange.answer(200, &[("X-Session-Set", value)]);
        });
        cookie_of(&written)
    };

    let anna = write("", r#"{"user_id":"anna","token":"anna's"}"#).unwrap();
    let nobody = write(&anna, r#"{"user_id":null,"notice":"bye"}"#).unwrap();
    assert_eq!(bench.read(&nobody, "token"), None);
    assert_eq!(bench.read(&nobody, "notice"), Some(json!("bye")));
    let ben = write(&nobody, r#"{"user_id":"ben"}"#).unwrap();

    assert_eq!(bench.user(&ben), Some(json!("ben")));
    assert_eq!(bench.read(&ben, "token"), None);
    assert_eq!(bench.user(&anna), None);
}

#[test]
fn session_whose_user_goes_and_leaves_nothing_is_over() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    let exchange = bench.visit(&cookie, |exchange| {
        let session = exchange.session().unwrap();
        assert!(session.delete("user_id"));
        assert_eq!(session.keys(), [""; 0]);
    });

    let cleared = exchange.response_headers("set-cookie");
    assert!(cleared.iter().all(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(cleared.len(), 1);
    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn who_reads_in_the_same_request_sees_nothing_of_the_user_before() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");
    bench.visit(&cookie, |exchange| set(exchange, "token", "anna's"));

    bench.visit(&cookie, |exchange| {
        set(exchange, "user_id", "ben");
        let session = exchange.session().unwrap();
        assert_eq!(session.get("token"), None);
        assert_eq!(wait(session.reload()), Ok(true));
        assert_eq!(
            session.get("token"),
            None,
            "nor after a look at the storage"
        );
        assert_eq!(session.get("user_id"), Some(json!("ben")));
    });
}

#[test]
fn what_no_reader_of_json_would_follow_is_refused() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");
    let deep = (0..127).fold(json!(1), |inner, _| json!([inner]));

    bench.visit(&cookie, |exchange| {
        let session = exchange.session().unwrap();
        assert!(session.set("deep", deep).is_err());
    });

    assert_eq!(bench.read(&cookie, "deep"), None);
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
}

#[test]
fn upstream_writes_changes_and_ends_the_session() {
    let bench = Bench::new(json!({ "responseHeader": "X-Session-Set" }));
    let answer = |value: &'static str| {
        move |exchange: &mut TestExchange| exchange.answer(200, &[("X-Session-Set", value)])
    };
    let login = bench.visit("", answer(r#"{"user_id":"anna","role":"admin"}"#));
    let cookie = cookie_of(&login).unwrap();

    bench.visit(&cookie, answer(r#"{"role":null,"city":{"name":"Bern"}}"#));
    let role = bench.read(&cookie, "role");
    let city = bench.read(&cookie, "city.name");
    let logout = bench.visit(&cookie, answer("destroy"));

    assert_eq!((role, city), (None, Some(json!("Bern"))));
    assert_eq!(
        logout.response_headers("set-cookie"),
        ["session_id=; SameSite=Lax; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
    );
    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn interface_of_the_session_works_from_another_component() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    bench.visit(&cookie, |exchange| {
        let session = exchange.session().unwrap();
        assert!(!session.fresh());
        assert_eq!(
            session.id().unwrap(),
            cookie.strip_prefix("session_id=").unwrap()
        );
        assert_eq!(session.keys(), ["user_id"]);
        session
            .set("profile", json!({"city": {"name": "Bern"}}))
            .unwrap();
        session
            .set("profile.city", "exact names come first")
            .unwrap();
        assert_eq!(session.get("profile.city.name"), Some(json!("Bern")));
        assert_eq!(
            session.get("profile.city"),
            Some(json!("exact names come first"))
        );
        assert!(session.delete("user_id"));
        assert!(!session.delete("user_id"));
        assert_eq!(session.get("user_id"), None);
        assert!(session.set("", 1).is_err());
    });
}

#[test]
fn regenerated_session_has_another_id_and_the_same_data() {
    let bench = Bench::new(json!({}));
    let old = bench.log_in("anna");

    let exchange = bench.visit(&old, |exchange| exchange.session().unwrap().regenerate());

    let new = cookie_of(&exchange).unwrap();
    assert_eq!(
        (bench.user(&old), bench.user(&new)),
        (None, Some(json!("anna")))
    );
}

#[test]
fn session_that_begins_needs_no_other_id_than_its_first() {
    let bench = Bench::new(json!({}));

    let login = bench.visit("", |exchange| {
        exchange.session().unwrap().regenerate();
        set(exchange, "user_id", "anna");
    });

    let count = |event| bench.gateway.counter("session_events_total", event);
    assert_eq!(count("event=created\nreason=first-write"), 1);
    assert_eq!(count("event=rotated\nreason=rights"), 0);
    assert_eq!(bench.user(&cookie_of(&login).unwrap()), Some(json!("anna")));
}

#[test]
fn save_stores_at_once_and_the_cookie_follows() {
    let bench = Bench::new(json!({}));

    let exchange = bench.visit("", |exchange| {
        let session = exchange.session().unwrap().clone();
        session.set("a", 1).unwrap();
        wait(session.save()).unwrap();
        assert!(session.id().is_some());
    });

    assert_eq!(bench.stored(), 1);
    assert!(cookie_of(&exchange).is_some());
}

#[test]
fn nothing_set_after_the_end_is_stored() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    bench.visit(&cookie, |exchange| {
        let session = exchange.session().unwrap();
        session.destroy();
        session.set("user_id", "mallory").unwrap();
        assert_eq!(session.get("user_id"), None);
    });

    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn store_of_the_middleware_serves_routes_without_it() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");
    let store = bench
        .gateway
        .services()
        .session_store("LoadSessionMiddleware")
        .unwrap();
    let mut exchange = bench
        .gateway
        .exchange("GET", "/")
        .with_header("Cookie", &cookie);

    let session = wait(store.load(exchange.lend())).unwrap();
    session.destroy();
    wait(session.commit(exchange.lend())).unwrap();

    assert_eq!(cookie_of(&exchange).as_deref(), Some("session_id="));
    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn reset_ends_every_session() {
    let bench = Bench::new(json!({}));
    let cookies = ["anna", "ben", "cleo"].map(|user| bench.log_in(user));
    let store = bench
        .gateway
        .services()
        .session_store("LoadSessionMiddleware")
        .unwrap();

    let ended = wait(store.reset());

    assert_eq!(
        ended,
        Ok(6),
        "a row each, and a roster for each of the three"
    );
    assert!(cookies.iter().all(|cookie| bench.user(cookie).is_none()));
}
