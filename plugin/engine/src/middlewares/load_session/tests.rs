use std::time::Duration;

use abi::failure::Kind;
use abi::handle::MiddlewareHandle;
use abi::storage::{Expected, Key, Loaded, Unavailable, Written};
use abi::testing::{TestExchange, TestGateway, wait};
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::session::Timestamp;
use crate::storage::{MemoryConfig, MemoryStorage, Versioned};

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
fn session_ends_when_its_cookie_does() {
    let bench = Bench::new(json!({ "cookieExpiration": "2h", "disableAutoRenew": true }));
    let cookie = bench.log_in("anna");

    bench.clock.advance(Duration::from_secs(2 * 3600 - 1));
    let before = bench.user(&cookie);
    bench.clock.advance(Duration::from_secs(1));
    let after = bench.user(&cookie);

    assert_eq!((before, after), (Some(json!("anna")), None));
}

#[test]
fn session_that_is_due_gets_a_new_id_a_fresh_life_and_keeps_its_data() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let old = bench.log_in("anna");

    bench.clock.advance(Duration::from_secs(30 * 60));
    let renewed = bench.visit(&old, |_| {});

    let new = cookie_of(&renewed).unwrap();
    assert_ne!(new, old);
    bench.clock.advance(Duration::from_secs(2 * 3600 - 1));
    assert_eq!(bench.user(&new), Some(json!("anna")));
}

#[test]
fn request_in_flight_with_the_old_id_is_told_the_same_new_one() {
    let bench = Bench::new(json!({ "autoRenewAfter": "30m" }));
    let old = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(30 * 60));
    let first = bench.visit(&old, |_| {});

    bench.clock.advance(Duration::from_secs(9));
    let second = bench.visit(&old, |_| {});
    bench.clock.advance(Duration::from_secs(2));
    let late = bench.user(&old);

    assert_eq!(cookie_of(&first), cookie_of(&second));
    assert_eq!(late, None, "after the grace the old id is worth nothing");
}

#[test]
fn nothing_is_renewed_when_renewal_is_off() {
    let bench = Bench::new(json!({ "disableAutoRenew": true }));
    let cookie = bench.log_in("anna");

    bench.clock.advance(Duration::from_secs(3600));

    assert_eq!(cookie_of(&bench.visit(&cookie, |_| {})), None);
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
fn session_cannot_begin_where_no_response_could_tell_of_it() {
    let bench = Bench::new(json!({ "keyLookup": "query:s" }));
    let mut exchange = bench.gateway.exchange("GET", "/");

    let failure = exchange
        .run_with(&bench.middleware, |exchange| set(exchange, "a", "b"))
        .unwrap_err();

    assert_eq!(failure.kind(), Kind::INTERNAL);
    assert_eq!(bench.stored(), 0);
}

#[test]
fn hidden_session_is_renewed_but_not_seen() {
    let bench =
        Bench::new(json!({ "disableSessionForward": true, "responseHeader": "X-Session-Set" }));
    let login = bench.visit("", |exchange| {
        exchange.answer(200, &[("X-Session-Set", r#"{"user_id":"anna"}"#)])
    });
    let cookie = cookie_of(&login).unwrap();

    bench.clock.advance(Duration::from_secs(30 * 60));
    let exchange = bench.visit(&cookie, |exchange| assert!(exchange.session().is_none()));

    assert!(cookie_of(&exchange).is_some());
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
fn own_expiry_of_a_session_counts_and_is_told() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    let exchange = bench.visit(&cookie, |exchange| {
        exchange
            .session()
            .unwrap()
            .set_expiry(Duration::from_secs(60))
    });
    bench.clock.advance(Duration::from_secs(61));

    assert!(exchange.response_headers("set-cookie")[0].contains("Max-Age=60;"));
    assert_eq!(bench.user(&cookie), None);
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
fn session_that_ended_meanwhile_stays_ended_and_the_cookie_is_cleared() {
    let bench = Bench::new(json!({}));
    let cookie = bench.log_in("anna");

    let late = bench.visit(&cookie, |exchange| {
        set(exchange, "basket", "apples");
        bench.visit(&cookie, |other| other.session().unwrap().destroy());
    });

    assert_eq!(cookie_of(&late).as_deref(), Some("session_id="));
    assert_eq!(bench.user(&cookie), None);
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

    assert_eq!(ended, Ok(3));
    assert!(cookies.iter().all(|cookie| bench.user(cookie).is_none()));
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

struct Bench {
    gateway: TestGateway,
    clock: Arc<ManualClock>,
    middleware: MiddlewareHandle,
    inner: LoadSessionMiddleware,
    rows: Arc<dyn Rows>,
}

impl Bench {
    fn new(config: Value) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(3_600_000)));
        let rows = memory(&clock);
        Self::assemble(config, rows, clock)
    }

    fn over(config: Value, rows: Arc<dyn Rows>) -> Self {
        Self::assemble(
            config,
            rows,
            Arc::new(ManualClock::new(Timestamp::from_millis(0))),
        )
    }

    fn assemble(config: Value, rows: Arc<dyn Rows>, clock: Arc<ManualClock>) -> Self {
        let gateway = TestGateway::new();
        let make = |name| {
            let config = serde_json::from_value(config.clone()).unwrap();
            let entry = Entry { name };
            LoadSessionMiddleware::new(
                entry,
                &config,
                rows.clone(),
                clock.clone(),
                &gateway.services(),
            )
            .unwrap()
        };
        let middleware = MiddlewareHandle::new(make("LoadSessionMiddleware"));
        let inner = make("the same once more, to look inside");
        Self {
            gateway,
            clock,
            middleware,
            inner,
            rows,
        }
    }

    fn make(config: Value, rows: Arc<dyn Rows>) -> Result<LoadSessionMiddleware, Faults> {
        let gateway = TestGateway::new();
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let config = serde_json::from_value(config).unwrap();
        let entry = Entry {
            name: "LoadSessionMiddleware",
        };
        LoadSessionMiddleware::new(entry, &config, rows, clock, &gateway.services())
    }

    fn visit(&self, cookie: &str, upstream: impl FnOnce(&mut TestExchange)) -> TestExchange {
        let mut exchange = self
            .gateway
            .exchange("GET", "/")
            .with_header("Cookie", cookie);
        exchange
            .run_with(&self.middleware, |exchange| {
                upstream(exchange);
                if exchange.status().is_none() {
                    exchange.answer(200, &[]);
                }
            })
            .unwrap();
        exchange
    }

    fn log_in(&self, user: &str) -> String {
        cookie_of(&self.visit("", |exchange| set(exchange, "user_id", user))).unwrap()
    }

    fn read(&self, cookie: &str, name: &str) -> Option<Value> {
        let mut value = None;
        self.visit(cookie, |exchange| {
            value = exchange.session().unwrap().get(name)
        });
        value
    }

    fn user(&self, cookie: &str) -> Option<Value> {
        self.read(cookie, "user_id")
    }

    fn loads(&self, outcome: &str) -> u64 {
        self.gateway
            .counter("session_loads_total", &format!("outcome={outcome}"))
    }

    /// How many rows there were. Ends them.
    fn stored(&self) -> u64 {
        wait(self.rows.reset()).unwrap()
    }
}

fn memory(clock: &Arc<ManualClock>) -> Arc<dyn Rows> {
    Arc::new(MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap())
}

fn set(exchange: &TestExchange, name: &str, value: &str) {
    exchange.session().unwrap().set(name, value).unwrap();
}

fn cookie_of(exchange: &TestExchange) -> Option<String> {
    let headers = exchange.response_headers("set-cookie");
    let (pair, _) = headers.first()?.split_once(';')?;
    Some(pair.to_owned())
}

/// A storage that does not answer.
#[derive(Debug)]
struct Down;

impl Rows for Down {
    fn load(&self, _: Key) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::Ready(Loaded::Unavailable(Unavailable::new("down")))
    }

    fn write(&self, _: Key, _: Expected, _: Versioned, _: Duration) -> Maybe<'_, Written> {
        Maybe::Ready(Written::Unavailable(Unavailable::new("down")))
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Maybe::Ready(Err(Unavailable::new("down")))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Maybe::Ready(Err(Unavailable::new("down")))
    }
}
