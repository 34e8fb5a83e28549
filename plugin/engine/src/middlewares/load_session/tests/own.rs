//! What a session knows of itself, and what can be asked of it by whoever finds it in the exchange.

use abi::Session;
use abi::session::SessionEntry;

use super::*;

#[test]
fn session_knows_its_user_and_its_store() {
    let bench = Bench::new(json!({ "principal": "sub" }));
    let cookie = cookie_of(&bench.visit("", |exchange| set(exchange, "sub", "7"))).unwrap();

    let listed = with_session(&bench, &cookie, |session| {
        let principal = session.principal().unwrap();
        wait(session.store().unwrap().sessions(&principal)).unwrap()
    });

    let handle = with_session(&bench, &cookie, |session| session.handle().unwrap());
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].handle, handle);
}

#[test]
fn login_that_is_not_stored_yet_has_no_user() {
    let bench = Bench::new(json!({}));

    bench.visit("", |exchange| {
        set(exchange, "user_id", "anna");
        assert_eq!(exchange.session().unwrap().principal(), None);
        assert_eq!(exchange.session().unwrap().entry(), None);
    });
}

#[test]
fn entry_of_a_session_says_when_it_ends_by_whichever_clock() {
    let bench = Bench::new(json!({ "inactivity": "10m" }));
    let cookie = bench.log_in("anna");

    let entry = with_session(&bench, &cookie, entry);

    let life = entry.expires_at.duration_since(entry.created_at).unwrap();
    assert_eq!(life, Duration::from_secs(600));
}

#[test]
fn look_at_a_session_is_no_use_of_it() {
    let bench = Bench::new(json!({ "inactivity": "10m", "autoRenewAfter": "5m" }));
    let cookie = bench.log_in("anna");
    bench.visit(&cookie, |_| ());
    bench.clock.advance(Duration::from_secs(6 * 60));

    let looked = bench.visit(&cookie, |exchange| exchange.session().unwrap().peek());
    bench.clock.advance(Duration::from_secs(5 * 60));

    assert_eq!(cookie_of(&looked), None);
    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn session_is_renewed_before_its_time_and_the_old_id_has_its_grace() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(60));

    let before = with_session(&bench, &cookie, entry);
    let renewed = bench.visit(&cookie, |exchange| {
        let session = exchange.session().unwrap();
        assert!(session.renew());
        wait(session.save()).unwrap();
        let gained = entry(session)
            .expires_at
            .duration_since(before.expires_at)
            .unwrap();
        assert_eq!(gained, Duration::from_secs(60));
    });

    let new = cookie_of(&renewed).unwrap();
    assert_ne!(new, cookie);
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
    bench.clock.advance(Duration::from_secs(11));
    assert_eq!(bench.user(&new), Some(json!("anna")));
}

#[test]
fn renewal_that_was_asked_for_moves_no_absolute_end() {
    let bench = Bench::new(json!({ "expiration": "2h30m" }));
    let cookie = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(60 * 60));

    let renewed = bench.visit(&cookie, |exchange| {
        exchange.session().unwrap().renew();
    });

    let entry = with_session(&bench, &cookie_of(&renewed).unwrap(), entry);
    let life = entry.expires_at.duration_since(entry.created_at).unwrap();
    assert_eq!(life, Duration::from_secs(150 * 60));
}

#[test]
fn session_that_is_not_stored_or_whose_key_is_in_the_url_is_not_renewed() {
    let bench = Bench::new(json!({ "keyLookup": ["cookie:session_id", "query:key"] }));
    let cookie = bench.log_in("anna");
    let (_, id) = cookie.split_once('=').unwrap();

    let stranger = with_session(&bench, "", Session::renew);
    let mut by_url = bench.gateway.exchange("GET", &format!("/?key={id}"));
    by_url
        .run_with(&bench.middleware, |exchange| {
            assert!(!exchange.session().unwrap().renew());
            exchange.answer(200, &[]);
        })
        .unwrap();

    assert!(!stranger);
}

fn entry(session: &Session) -> SessionEntry {
    session.entry().unwrap()
}

fn with_session<T>(bench: &Bench, cookie: &str, ask: impl FnOnce(&Session) -> T) -> T {
    let mut answer = None;
    bench.visit(cookie, |exchange| {
        answer = Some(ask(exchange.session().unwrap()));
    });
    answer.unwrap()
}
