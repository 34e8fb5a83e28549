//! The keys about time, by what they change.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn expiration_ends_a_session_however_much_it_is_used() {
    let bench = Bench::new(json!({ "expiration": "3h" }));
    let mut browser = bench.log_in("anna");

    for _ in 0..8 {
        bench.clock.advance(20 * MINUTE);
        browser = cookie_of(&bench.visit(&browser, |_| {})).unwrap_or(browser);
    }
    assert_eq!(bench.user(&browser), Some(json!("anna")));
    bench.clock.advance(20 * MINUTE);

    assert_eq!(bench.user(&browser), None);
}

#[test]
fn inactivity_ends_a_session_that_is_not_used() {
    let bench = Bench::new(json!({ "inactivity": "15m", "disableAutoRenew": true }));
    let cookie = bench.log_in("anna");

    bench.clock.advance(14 * MINUTE);
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
    bench.clock.advance(14 * MINUTE);
    assert_eq!(bench.user(&cookie), Some(json!("anna")));
    bench.clock.advance(15 * MINUTE);

    assert_eq!(bench.user(&cookie), None);
}

#[test]
fn browser_keeps_its_cookie_for_as_long_as_use_keeps_the_session() {
    let bench = Bench::new(json!({ "inactivity": "15m", "expiration": "1h" }));
    let login = bench.visit("", |exchange| set(exchange, "user_id", "anna"));
    let mut cookie = cookie_of(&login).unwrap();

    bench.clock.advance(14 * MINUTE);
    let touched = bench.visit(&cookie, |_| {});
    bench.clock.advance(14 * MINUTE);
    bench.visit(&cookie, |_| {});
    bench.clock.advance(2 * MINUTE);
    let renewed = bench.visit(&cookie, |_| {});
    cookie = cookie_of(&renewed).unwrap();
    let shortened = bench.visit(&cookie, |exchange| {
        exchange.session().unwrap().set_expiry(20 * MINUTE);
    });

    assert!(login.response_headers("set-cookie")[0].contains("Max-Age=3600;"));
    assert_eq!(touched.response_headers("set-cookie"), [""; 0]);
    assert!(renewed.response_headers("set-cookie")[0].contains("Max-Age=1800;"));
    assert!(shortened.response_headers("set-cookie")[0].contains("Max-Age=1200;"));
}

#[test]
fn remember_me_gives_the_session_and_its_cookie_a_life_of_their_own() {
    let bench = Bench::new(json!({ "rememberMe": "30d", "expiration": "1d", "inactivity": "15m" }));

    let login = bench.visit("", |exchange| {
        set(exchange, "user_id", "anna");
        exchange
            .session()
            .unwrap()
            .set("remember_me", true)
            .unwrap();
    });
    let cookie = cookie_of(&login).unwrap();
    bench.clock.advance(29 * DAY);
    let later = bench.user(&cookie);

    assert!(login.response_headers("set-cookie")[0].contains("Max-Age=2592000;"));
    assert_eq!(later, Some(json!("anna")));
}

#[test]
fn remember_me_is_not_offered_unless_it_is_configured() {
    let bench = Bench::new(json!({}));

    let login = bench.visit("", |exchange| {
        exchange
            .session()
            .unwrap()
            .set("remember_me", true)
            .unwrap();
    });

    assert!(login.response_headers("set-cookie")[0].contains("Max-Age=7200;"));
}

#[test]
fn session_that_does_not_slide_keeps_its_end_under_its_new_id() {
    let bench = Bench::new(json!({ "slidingExpiration": false }));
    let old = bench.log_in("anna");

    bench.clock.advance(60 * MINUTE);
    let renewed = bench.visit(&old, |_| {});
    let new = cookie_of(&renewed).unwrap();
    bench.clock.advance(60 * MINUTE);

    assert!(renewed.response_headers("set-cookie")[0].contains("Max-Age=3600;"));
    assert_eq!(bench.user(&new), None);
}

#[test]
fn old_id_works_for_the_configured_grace() {
    let after = |grace: &str, seconds: u64| {
        let bench = Bench::new(json!({ "rotationGrace": grace, "autoRenewAfter": "30m" }));
        let old = bench.log_in("anna");
        bench.clock.advance(30 * MINUTE);
        let new = cookie_of(&bench.visit(&old, |_| {})).unwrap();
        bench.user(&new).unwrap();
        bench.clock.advance(Duration::from_secs(seconds));
        bench.user(&old)
    };

    assert_eq!(after("1m", 59), Some(json!("anna")));
    assert_eq!(after("1m", 61), None);
    assert_eq!(after("0", 1), None);
}

#[test]
fn reuse_is_put_up_with_when_that_is_asked_for() {
    let survives = |config: Value| {
        let bench = Bench::new(config);
        let old = bench.log_in("anna");
        bench.clock.advance(30 * MINUTE);
        let new = cookie_of(&bench.visit(&old, |_| {})).unwrap();
        bench.user(&new).unwrap();
        bench.clock.advance(MINUTE);
        assert_eq!(bench.user(&old), None);
        bench.user(&new).is_some()
    };

    assert!(!survives(json!({})));
    assert!(survives(json!({ "revokeOnReuse": false })));
}

#[test]
fn last_use_is_written_once_in_a_touch_interval() {
    let writes = |interval: Value| {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(3_600_000)));
        let rows = Arc::new(Counting::over(memory(&clock)));
        let config =
            json!({ "touchInterval": interval, "principal": "", "disableAutoRenew": true });
        let bench = Bench::assemble(config, rows.clone(), clock);
        let cookie = bench.log_in("anna");
        bench.visit(&cookie, |_| {});
        let before = rows.writes();
        for _ in 0..10 {
            bench.clock.advance(Duration::from_secs(30));
            bench.visit(&cookie, |_| {});
        }
        rows.writes() - before
    };

    assert_eq!(writes(json!("60s")), 5);
    assert_eq!(writes(json!("5m")), 1);
    assert_eq!(writes(json!(0)), 10);
}

/// Counts what is written.
struct Counting {
    rows: Arc<dyn Rows>,
    writes: AtomicUsize,
}

impl Counting {
    fn over(rows: Arc<dyn Rows>) -> Self {
        Self {
            rows,
            writes: AtomicUsize::new(0),
        }
    }

    fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }
}

impl Rows for Counting {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.rows.load(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.rows.write(address, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows.reset()
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
