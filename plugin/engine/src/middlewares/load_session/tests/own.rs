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

#[test]
fn list_says_where_a_login_came_from_and_goes_on_saying_it() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m", "touchInterval": "1m" }));
    let cookie = log_in_from(&bench, "", "Firefox/140.0");
    let expected = (
        Some("192.0.2.1".to_owned()),
        Some("Firefox/140.0".to_owned()),
    );

    assert_eq!(device(&bench), expected);
    bench.clock.advance(Duration::from_secs(70));
    bench.visit(&cookie, |_| ());
    assert_eq!(device(&bench), expected, "after a touch");
    bench.clock.advance(Duration::from_secs(30 * 60));
    let renewed = cookie_of(&bench.visit(&cookie, |_| ())).unwrap();
    assert_eq!(device(&bench), expected, "after a renewal");
    bench.visit(&renewed, |exchange| {
        exchange.session().unwrap().regenerate()
    });
    assert_eq!(device(&bench), expected, "after a change of rights");
}

#[test]
fn login_of_a_visitor_with_a_basket_says_where_it_came_from() {
    let bench = Bench::new(json!({}));
    let basket = cookie_of(&bench.visit("", |exchange| set(exchange, "basket", "apples"))).unwrap();

    log_in_from(&bench, &basket, "Firefox/140.0");

    assert_eq!(device(&bench).1.as_deref(), Some("Firefox/140.0"));
}

#[test]
fn login_over_the_session_of_somebody_else_says_where_it_came_from() {
    let bench = Bench::new(json!({}));
    let ben = bench.log_in("ben");

    log_in_from(&bench, &ben, "Firefox/140.0");

    assert_eq!(device(&bench).1.as_deref(), Some("Firefox/140.0"));
}

#[test]
fn device_moves_with_its_session_to_another_secret() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(3_600_000)));
    let rows = memory(&clock);
    let secret = |letter: &str| letter.repeat(32);
    let bench = |secrets: Value| {
        let config = json!({ "secrets": secrets });
        Bench::assemble(config, rows.clone(), clock.clone())
    };
    let cookie = log_in_from(&bench(json!([secret("o")])), "", "Firefox/140.0");
    let both = bench(json!([secret("n"), secret("o")]));
    clock.advance(Duration::from_secs(60));

    let moved = both.visit(&cookie, |_| ());

    assert!(cookie_of(&moved).is_some());
    let newest = bench(json!([secret("n")]));
    assert_eq!(device(&newest).1.as_deref(), Some("Firefox/140.0"));
}

fn log_in_from(bench: &Bench, cookie: &str, agent: &str) -> String {
    let exchange = bench.gateway.exchange("POST", "/login");
    let mut exchange = exchange
        .with_header("Cookie", cookie)
        .with_header("User-Agent", agent);
    exchange
        .run_with(&bench.middleware, |exchange| {
            set(exchange, "user_id", "anna");
            exchange.answer(200, &[]);
        })
        .unwrap();
    cookie_of(&exchange).unwrap()
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

/// What the list of anna's only session says of its device.
fn device(bench: &Bench) -> (Option<String>, Option<String>) {
    let store = bench
        .gateway
        .services()
        .session_store("LoadSessionMiddleware");
    let listed = wait(store.unwrap().sessions("anna")).unwrap();
    let [only] = &*listed else {
        panic!("{} sessions", listed.len())
    };
    (only.ip.map(|ip| ip.to_string()), only.user_agent.clone())
}
