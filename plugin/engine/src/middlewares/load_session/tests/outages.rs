//! What the operator wants to become of requests in an outage.

use std::sync::atomic::{AtomicBool, Ordering};

use abi::Maybe;
use abi::handle::ActionHandle;

use super::*;
use crate::actions::{InfoAction, InfoConfig, SessionsAction, SessionsConfig};

#[test]
fn under_refuse_a_copy_helps_nobody() {
    let bench = Fragile::new(json!({}));
    let cookie = bench.log_in("anna");

    bench.fail();

    bench.is_refused("/", &cookie, |_| {});
    assert_eq!(bench.loads("unavailable"), 1);
}

#[test]
fn under_stale_a_session_is_served_from_a_copy_and_no_cookie_is_set() {
    let bench = Fragile::new(json!({ "onStorageFailure": "stale" }));
    let cookie = bench.log_in("anna");

    bench.fail();
    let exchange = bench.visit(&cookie, |exchange| {
        assert_eq!(user(exchange), Some(json!("anna")));
        assert!(!exchange.session().unwrap().fresh());
    });

    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    assert_eq!((bench.loads("stale"), bench.loads("unavailable")), (1, 0));
}

#[test]
fn under_stale_a_touch_and_a_renewal_that_are_due_wait_for_the_storage() {
    let bench = Fragile::new(json!({ "onStorageFailure": "stale", "autoRenewAfter": "1m" }));
    let cookie = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(90));

    bench.fail();
    let during = bench.visit(&cookie, |_| {});
    bench.recover();
    let after = bench.visit(&cookie, |_| {});

    assert_eq!(during.response_headers("set-cookie"), [""; 0]);
    assert_ne!(cookie_of(&after).unwrap(), cookie, "renewed");
}

#[test]
fn under_stale_a_session_without_a_copy_is_refused() {
    let bench = Fragile::new(json!({ "onStorageFailure": "stale" }));
    let cookie = bench.log_in("anna");

    bench.fail();
    bench.rows.forget();

    bench.is_refused("/", &cookie, |_| {});
}

#[test]
fn under_stale_what_was_ended_or_is_over_is_not_served() {
    let bench = Fragile::new(json!({ "onStorageFailure": "stale", "inactivity": "5m" }));
    let [ended, idle] = ["anna", "zoe"].map(|user| bench.log_in(user));
    bench.visit(&ended, |exchange| exchange.session().unwrap().destroy());

    bench.fail();
    bench.is_refused("/", &ended, |_| {});
    bench.clock.advance(Duration::from_secs(300));
    bench.is_refused("/", &idle, |_| {});
}

#[test]
fn under_stale_an_old_id_leads_on_while_its_grace_lasts() {
    let bench = Fragile::new(json!({ "onStorageFailure": "stale", "autoRenewAfter": "1m" }));
    let old = bench.log_in("anna");
    bench.clock.advance(Duration::from_secs(90));
    bench.visit(&old, |_| {});

    bench.fail();
    bench.visit(&old, |exchange| {
        assert_eq!(user(exchange), Some(json!("anna")))
    });
    bench.clock.advance(Duration::from_secs(10));

    bench.is_refused("/", &old, |_| {});
}

#[test]
fn under_stale_whatever_writes_is_refused_and_works_again_afterwards() {
    let bench = Fragile::new(json!({ "onStorageFailure": "stale" }));
    let cookie = bench.log_in("anna");

    bench.fail();
    bench.is_refused("/", &cookie, |exchange| set(exchange, "basket", "apples"));
    bench.is_refused("/", &cookie, |exchange| {
        exchange.session().unwrap().destroy()
    });
    bench.is_refused("/", "", |exchange| set(exchange, "user_id", "zoe"));
    bench.recover();

    let exchange = bench.visit(&cookie, |exchange| {
        assert_eq!(user(exchange), Some(json!("anna")));
        set(exchange, "basket", "pears");
    });
    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
}

#[test]
fn under_anonymous_a_request_goes_on_as_that_of_a_stranger() {
    let bench = Fragile::new(json!({ "onStorageFailure": "anonymous" }));
    let cookie = bench.log_in("anna");

    bench.fail();
    let during = bench.visit(&cookie, |exchange| {
        assert_eq!(user(exchange), None);
        let session = exchange.session().unwrap();
        assert!(session.fresh() && session.id().is_none() && session.keys().is_empty());
    });
    bench.recover();

    assert_eq!(during.response_headers("set-cookie"), [""; 0]);
    assert_eq!(during.response_headers("cache-control"), ["no-store"]);
    assert_eq!(bench.loads("overlooked"), 1);
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
}

#[test]
fn under_anonymous_nobody_is_told_that_they_are_not_logged_in() {
    let bench = Fragile::new(json!({ "onStorageFailure": "anonymous" }));
    let cookie = bench.log_in("anna");
    let services = bench.gateway.services();
    let info = InfoAction::new(InfoConfig::default(), bench.clock.clone(), &services).unwrap();
    let sessions = SessionsAction::new(&SessionsConfig::default(), &services).unwrap();

    for action in [ActionHandle::new(info), ActionHandle::new(sessions)] {
        bench.fail();
        bench.visit(&cookie, |exchange| {
            let failure = exchange.call(&action).unwrap_err();
            assert_eq!(failure.kind(), Kind::UNAVAILABLE);
        });
        let stranger = bench.visit("", |exchange| exchange.call(&action).unwrap());
        assert_eq!(stranger.status(), Some(401), "who has no key is nobody");
        bench.recover();
        let user = bench.visit(&cookie, |exchange| exchange.call(&action).unwrap());
        assert_eq!(user.status(), Some(200));
    }
}

#[test]
fn under_anonymous_whatever_writes_is_refused() {
    let config = json!({ "onStorageFailure": "anonymous", "responseHeader": "X-Session-Set" });
    let bench = Fragile::new(config);
    let cookie = bench.log_in("anna");

    bench.fail();
    bench.is_refused("/", &cookie, |exchange| set(exchange, "user_id", "anna"));
    bench.is_refused("/", &cookie, |exchange| {
        exchange.session().unwrap().destroy()
    });
    bench.is_refused("/", &cookie, |exchange| {
        exchange.session().unwrap().regenerate()
    });
    let header = [("X-Session-Set", r#"{"basket": "apples"}"#)];
    bench.is_refused("/", &cookie, |exchange| exchange.answer(200, &header));
}

#[test]
fn under_anonymous_a_write_is_refused_even_when_the_storage_is_back_already() {
    let bench = Fragile::new(json!({ "onStorageFailure": "anonymous" }));
    let cookie = bench.log_in("anna");

    bench.fail();
    bench.is_refused("/", &cookie, |exchange| {
        bench.recover();
        set(exchange, "user_id", "zoe");
    });

    assert_eq!(bench.user(&cookie), Some(json!("anna")));
}

#[test]
fn a_sensitive_path_is_answered_by_the_storage_or_not_at_all() {
    for policy in ["anonymous", "stale"] {
        let config = json!({ "onStorageFailure": policy, "sensitivePaths": ["/admin/*"] });
        let bench = Fragile::new(config);
        let cookie = bench.log_in("anna");

        bench.fail();

        bench.is_refused("/%61dmin/users", &cookie, |_| {});
        bench.visit(&cookie, |_| {});
    }
}

#[test]
fn a_sensitive_path_is_not_answered_from_a_copy() {
    let bench = Fragile::new(json!({ "sensitivePaths": ["/admin/*"] }));
    let cookie = bench.log_in("anna");
    let asked = || bench.rows.rereads.swap(false, Ordering::Relaxed);
    asked();

    bench.visit(&cookie, |_| {});
    assert!(!asked());

    let mut exchange = bench
        .gateway
        .exchange("GET", "/admin")
        .with_header("Cookie", &cookie);
    exchange.run(&bench.middleware, 200).unwrap();
    assert!(asked());
}

#[test]
fn a_snapshot_comes_before_what_the_operator_wants() {
    for policy in ["refuse", "anonymous", "stale"] {
        let bench = Fragile::new(json!({
            "onStorageFailure": policy,
            "strategy": "cookieCache",
            "secrets": ["a secret of the tests, long enough to be allowed"],
        }));
        let login = bench.visit("", |exchange| set(exchange, "user_id", "anna"));
        let both = login.response_headers("set-cookie").into_iter();
        let both: Vec<_> = both.filter_map(|line| line.split(';').next()).collect();
        bench.clock.advance(Duration::from_secs(61));

        bench.fail();
        bench.rows.forget();
        let exchange = bench.visit(&both.join("; "), |exchange| {
            assert_eq!(user(exchange), Some(json!("anna")));
        });

        assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    }
}

#[test]
fn in_an_outage_no_snapshot_is_made_or_taken_away() {
    for policy in ["anonymous", "stale"] {
        let bench = Fragile::new(json!({
            "onStorageFailure": policy,
            "strategy": "cookieCache",
            "secrets": ["a secret of the tests, long enough to be allowed"],
        }));
        let cookie = bench.log_in("anna");

        bench.fail();
        let exchange = bench.visit(&format!("{cookie}; session_id_cache=nonsense"), |_| {});

        assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    }
}

#[test]
fn stale_needs_a_storage_with_copies() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let faults = Bench::make(json!({ "onStorageFailure": "stale" }), memory(&clock)).unwrap_err();

    assert_eq!(
        faults.to_string(),
        "onStorageFailure: `stale` needs a storage with a localCache: RedisStorage or ValkeyStorage has one"
    );
}

/// The middleware over rows that can go away.
#[test]
fn renewal_that_somebody_waits_for_does_not_succeed_in_an_outage() {
    let bench = Fragile::new(json!({}));
    let cookie = bench.log_in("anna");

    bench.visit(&cookie, |exchange| {
        let session = exchange.session().unwrap();
        session.renew();
        bench.fail();
        let failure = wait(session.save()).unwrap_err();
        bench.recover();
        assert_eq!(failure.kind(), Kind::UNAVAILABLE);
    });

    assert_eq!(bench.user(&cookie), Some(json!("anna")));
}

struct Fragile {
    bench: Bench,
    rows: Arc<FragileRows>,
}

impl Fragile {
    fn new(config: Value) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(3_600_000)));
        let rows = Arc::new(FragileRows {
            rows: memory(&clock),
            is_down: AtomicBool::new(false),
            has_copies: AtomicBool::new(true),
            rereads: AtomicBool::new(false),
        });
        Self {
            bench: Bench::assemble(config, rows.clone(), clock),
            rows,
        }
    }

    fn fail(&self) {
        self.rows.is_down.store(true, Ordering::Relaxed);
    }

    fn recover(&self) {
        self.rows.is_down.store(false, Ordering::Relaxed);
    }

    #[track_caller]
    fn is_refused(&self, path: &str, cookie: &str, upstream: impl FnOnce(&mut TestExchange)) {
        let mut exchange = self
            .gateway
            .exchange("GET", path)
            .with_header("Cookie", cookie);
        let ran = exchange.run_with(&self.middleware, |exchange| {
            upstream(exchange);
            if exchange.status().is_none() {
                exchange.answer(200, &[]);
            }
        });
        assert_eq!(ran.unwrap_err().kind(), Kind::UNAVAILABLE);
        assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    }
}

impl std::ops::Deref for Fragile {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.bench
    }
}

/// Rows with a copy of each, for as long as copies count.
struct FragileRows {
    rows: Arc<dyn Rows>,
    is_down: AtomicBool,
    has_copies: AtomicBool,
    rereads: AtomicBool,
}

impl FragileRows {
    fn forget(&self) {
        self.has_copies.store(false, Ordering::Relaxed);
    }

    fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }
}

impl Rows for FragileRows {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        match self.is_down() {
            true => Loaded::Unavailable(Unavailable::new("down")).into(),
            false => self.rows.load(address),
        }
    }

    fn reread(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.rereads.store(true, Ordering::Relaxed);
        self.load(address)
    }

    fn recall(&self, address: Address) -> Option<Versioned> {
        match self.rows.load(address) {
            Maybe::Ready(Loaded::Found(row)) if self.has_copies.load(Ordering::Relaxed) => {
                Some(row)
            }
            _ => None,
        }
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        match self.is_down() {
            true => Written::Unavailable(Unavailable::new("down")).into(),
            false => self.rows.write(address, expected, row, keep),
        }
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows.reset()
    }
}

fn user(exchange: &TestExchange) -> Option<Value> {
    exchange.session().unwrap().get("user_id")
}
