//! Requests that write although they were answered from a snapshot.

use super::*;

#[test]
fn change_is_made_to_what_the_storage_has() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let mut twin = jar.clone();

    cached.visit(&mut twin, |exchange| {
        set(exchange, "basket", "apples");
        set(exchange, "color", "red");
    });
    cached.visit(&mut jar, |exchange| set(exchange, "color", "blue"));

    let read = |name| cached.bench.read(&format!("{ID}={}", jar.id()), name);
    assert_eq!(read("basket"), Some(json!("apples")));
    assert_eq!(read("color"), Some(json!("blue")));
}

#[test]
fn next_request_sees_the_change_without_the_storage() {
    let cached = Cached::new(json!({ "responseHeader": "X-Session-Set" }));
    let mut jar = cached.log_in("anna");

    cached.visit(&mut jar, |exchange| {
        exchange.answer(200, &[("X-Session-Set", r#"{"basket":"apples"}"#)]);
    });
    let mut basket = None;
    let asked = cached.asked(|| {
        cached.visit(&mut jar, |exchange| {
            basket = exchange.session().unwrap().get("basket");
        });
    });

    assert_eq!((asked, basket), (0, Some(json!("apples"))));
}

#[test]
fn reader_of_the_same_request_sees_what_the_storage_has_once_it_was_asked() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let mut twin = jar.clone();
    cached.visit(&mut twin, |exchange| set(exchange, "basket", "apples"));

    cached.visit(&mut jar, |exchange| {
        let session = exchange.session().unwrap().clone();
        assert_eq!(session.get("basket"), None);
        session.set("color", "blue").unwrap();
        wait(session.save()).unwrap();
        assert_eq!(session.get("basket"), Some(json!("apples")));
        assert_eq!(session.get("color"), Some(json!("blue")));
    });
}

#[test]
fn slow_request_writes_to_the_session_that_got_another_id_meanwhile() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let mut twin = jar.clone();

    cached.visit(&mut jar, |exchange| {
        renew_and_use(&cached, &mut twin);
        cached.advance(60);
        set(exchange, "basket", "apples");
    });

    assert_eq!(jar.id(), twin.id());
    let basket = cached.bench.read(&format!("{ID}={}", twin.id()), "basket");
    assert_eq!(basket, Some(json!("apples")));
}

#[test]
fn snapshot_of_a_retired_id_writes_nothing_after_the_grace_and_is_theft() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let mut thief = jar.clone();
    renew_and_use(&cached, &mut jar);
    cached.advance(60);

    assert_eq!(cached.user(&mut thief), Some(json!("anna")));
    cached.visit(&mut thief, |exchange| set(exchange, "basket", "apples"));

    let reuse = "event=reuse-detected\nreason=retired-id";
    let gateway = &cached.bench.gateway;
    assert_eq!(gateway.counter("session_events_total", reuse), 1);
    assert_eq!(cached.bench.user(&format!("{ID}={}", jar.id())), None);
}

#[test]
fn snapshot_of_a_retired_id_writes_after_the_grace_while_the_browser_has_the_newer_id_too() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let older = jar.clone();
    renew_and_use(&cached, &mut jar);
    cached.advance(60);

    let gateway = &cached.bench.gateway;
    let both = format!("{}; {}", older.header(), jar.header());
    let mut exchange = gateway.exchange("GET", "/").with_header("Cookie", both);
    let outcome = exchange.run_with(&cached.bench.middleware, |exchange| {
        set(exchange, "basket", "apples");
        exchange.answer(200, &[]);
    });

    outcome.unwrap();
    let basket = cached.bench.read(&format!("{ID}={}", jar.id()), "basket");
    assert_eq!(basket, Some(json!("apples")));
}

#[test]
fn session_that_ended_elsewhere_is_lost_with_its_snapshot_and_who_logs_out_forgets_its_id() {
    type Write = fn(&mut TestExchange);
    let writes: [(Write, &[&str]); 5] = [
        (|exchange| set(exchange, "basket", "apples"), &[SNAPSHOT]),
        (
            |exchange| assert!(exchange.session().unwrap().delete("user_id")),
            &[SNAPSHOT],
        ),
        (
            |exchange| exchange.session().unwrap().regenerate(),
            &[SNAPSHOT],
        ),
        (
            |exchange| exchange.session().unwrap().destroy(),
            &[ID, SNAPSHOT],
        ),
        (
            |exchange| {
                let life = Duration::from_secs(60);
                exchange.session().unwrap().set_expiry(life);
            },
            &[SNAPSHOT],
        ),
    ];
    for (write, forgotten) in writes {
        let cached = Cached::new(json!({}));
        let mut jar = cached.log_in("anna");
        end_all(&cached, "anna");

        let exchange = cached.visit(&mut jar, write);

        assert_eq!(names(&exchange), forgotten);
        assert_eq!(jar.0.len(), 2 - forgotten.len());
        assert_eq!(cached.bench.loads("absent"), 0);
        let entries = cached.bench.inner.store.engine.sessions_of("anna");
        assert_eq!(wait(Maybe::task(entries)).unwrap(), []);
    }
}

#[test]
fn upstream_that_repeats_who_the_user_is_brings_no_session_back() {
    let cached = Cached::new(json!({ "responseHeader": "X-Session-Set" }));
    let mut jar = cached.log_in("anna");
    end_all(&cached, "anna");

    let exchange = cached.visit(&mut jar, |exchange| {
        exchange.answer(200, &[("X-Session-Set", r#"{"user_id":"anna"}"#)]);
    });

    assert_eq!(names(&exchange), [SNAPSHOT]);
    assert_eq!(cached.user(&mut jar), None);
}

#[test]
fn login_of_somebody_else_goes_on_without_the_session_that_ended() {
    let cached = Cached::new(json!({}));
    let mut jar = Jar::default();
    cached.visit(&mut jar, |exchange| {
        set(exchange, "user_id", "anna");
        set(exchange, "basket", "apples");
    });
    end_all(&cached, "anna");

    cached.visit(&mut jar, |exchange| set(exchange, "user_id", "ben"));

    assert_eq!(cached.user(&mut jar), Some(json!("ben")));
    let basket = cached.bench.read(&format!("{ID}={}", jar.id()), "basket");
    assert_eq!(basket, None);
}

#[test]
fn login_of_somebody_else_gives_a_new_id_and_a_snapshot_beside_it() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let old = jar.id();

    let exchange = cached.visit(&mut jar, |exchange| set(exchange, "user_id", "ben"));

    assert_eq!(names(&exchange), [ID, SNAPSHOT]);
    assert_ne!(jar.id(), old);
    let asked = cached.asked(|| assert_eq!(cached.user(&mut jar), Some(json!("ben"))));
    assert_eq!(asked, 0);
    assert_eq!(cached.bench.user(&format!("{ID}={old}")), None);
}

#[test]
fn regenerated_session_has_another_id_and_a_snapshot_beside_it() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let old = jar.id();

    cached.visit(&mut jar, |exchange| {
        exchange.session().unwrap().regenerate()
    });

    assert_ne!(jar.id(), old);
    cached.confirm(&mut jar);
    let asked = cached.asked(|| assert_eq!(cached.user(&mut jar), Some(json!("anna"))));
    assert_eq!(asked, 0);
}

#[test]
fn commit_on_a_route_without_the_middleware_tells_of_both_cookies() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");
    let services = cached.bench.gateway.services();
    let store = services.session_store("LoadSessionMiddleware").unwrap();
    let gateway = &cached.bench.gateway;
    let mut exchange = gateway
        .exchange("GET", "/")
        .with_header("Cookie", jar.header());

    let session = wait(store.load(exchange.lend())).unwrap();
    session.regenerate();
    wait(session.commit(exchange.lend())).unwrap();
    jar.keep(&exchange);

    assert_eq!(names(&exchange), [ID, SNAPSHOT]);
    cached.confirm(&mut jar);
    assert_eq!(cached.asked(|| drop(cached.user(&mut jar))), 0);
}

#[test]
fn outage_stops_writes_and_no_reads() {
    let cached = Cached::new(json!({ "sensitivePaths": ["/admin/*"] }));
    let mut jar = cached.log_in("anna");
    cached.rows.take_down();

    let read = cached.user(&mut jar);
    let (written, write) =
        cached.attempt("/", &mut jar, |exchange| set(exchange, "basket", "apples"));
    let (_, sensitive) = cached.attempt("/admin", &mut jar, |_| {});

    assert_eq!(read, Some(json!("anna")));
    assert_eq!(names(&written), [""; 0]);
    for failure in [write, sensitive] {
        let failure = failure.unwrap_err();
        assert_eq!(
            (failure.kind(), failure.reason()),
            (Kind::UNAVAILABLE, "storage-unavailable")
        );
    }
}

#[test]
fn outage_stops_no_read_because_something_was_to_be_written_down() {
    let cached = Cached::new(json!({ "touchInterval": "1m", "autoRenewAfter": "2m" }));
    let mut jar = cached.log_in("anna");
    cached.rows.take_down();

    cached.advance(60);
    let touching = cached.user(&mut jar);
    cached.advance(60);
    let renewing = cached.user(&mut jar);
    cached.advance(180);
    let (_, outdated) = cached.attempt("/", &mut jar, |_| {});

    assert_eq!(touching, Some(json!("anna")));
    assert_eq!(renewing, Some(json!("anna")));
    assert_eq!(outdated.unwrap_err().kind(), Kind::UNAVAILABLE);
}

#[test]
fn others_are_ended_from_a_request_that_was_answered_from_a_snapshot() {
    let cached = Cached::new(json!({}));
    let (mut here, mut there) = (cached.log_in("anna"), cached.log_in("anna"));
    let services = cached.bench.gateway.services();
    let store = services.session_store("LoadSessionMiddleware").unwrap();

    cached.visit(&mut here, |exchange| {
        let session = exchange.session().unwrap().clone();
        assert_eq!(wait(store.revoke_others(&session)), Ok(1));
    });
    cached.advance(300);

    assert_eq!(cached.user(&mut here), Some(json!("anna")));
    assert_eq!(cached.user(&mut there), None);
}

fn renew_and_use(cached: &Cached, jar: &mut Jar) {
    cached.visit(jar, |exchange| {
        assert!(exchange.session().unwrap().renew());
    });
    cached.confirm(jar);
}

/// As an administrator would on another gateway.
fn end_all(cached: &Cached, user: &str) {
    let services = cached.bench.gateway.services();
    let store = services.session_store("LoadSessionMiddleware").unwrap();
    assert_eq!(wait(store.revoke_all(user)), Ok(1));
}
