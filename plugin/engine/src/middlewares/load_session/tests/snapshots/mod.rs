//! Sessions that are read from a second cookie: `strategy: cookieCache`.

mod actions;
mod bounds;
mod cookies;
mod reading;
mod writing;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

/// A middleware with snapshots over a storage that counts how often it is asked, and browsers with a jar.
struct Cached {
    bench: Bench,
    rows: Arc<Counting>,
}

impl Cached {
    /// Snapshots are trusted for 5 minutes, and nothing else makes the storage be asked for an hour.
    fn new(config: Value) -> Self {
        let mut merged = json!({
            "strategy": "cookieCache",
            "secrets": [SECRET],
            "autoRenewAfter": "1h",
            "touchInterval": "1h",
        });
        merge(&mut merged, config);
        let clock = Arc::new(ManualClock::new(START));
        let rows = Arc::new(Counting::over(memory(&clock)));
        Self {
            bench: Bench::assemble(merged, rows.clone(), clock),
            rows,
        }
    }

    /// Another gateway with other settings, on the same storage and with the same clock.
    fn beside(&self, config: Value) -> Self {
        let mut other = Self::new(config.clone());
        let mut merged = json!({ "strategy": "cookieCache", "secrets": [SECRET] });
        merge(&mut merged, config);
        let (rows, clock) = (self.rows.clone(), self.bench.clock.clone());
        other.bench = Bench::assemble(merged, rows.clone(), clock);
        other.rows = rows;
        other
    }

    fn visit(&self, jar: &mut Jar, upstream: impl FnOnce(&mut TestExchange)) -> TestExchange {
        self.visit_at("/", jar, upstream)
    }

    fn visit_at(
        &self,
        target: &str,
        jar: &mut Jar,
        upstream: impl FnOnce(&mut TestExchange),
    ) -> TestExchange {
        let (exchange, outcome) = self.attempt(target, jar, upstream);
        outcome.unwrap();
        exchange
    }

    /// As [`visit_at`](Self::visit_at), of a request that may fail.
    fn attempt(
        &self,
        target: &str,
        jar: &mut Jar,
        upstream: impl FnOnce(&mut TestExchange),
    ) -> (TestExchange, Result<(), Failure>) {
        let gateway = &self.bench.gateway;
        let mut exchange = gateway
            .exchange("GET", target)
            .with_header("Cookie", jar.header());
        let outcome = exchange.run_with(&self.bench.middleware, |exchange| {
            upstream(exchange);
            if exchange.status().is_none() {
                exchange.answer(200, &[]);
            }
        });
        jar.keep(&exchange);
        (exchange, outcome)
    }

    /// A browser whose user has just logged in, and which has a snapshot.
    fn log_in(&self, user: &str) -> Jar {
        let mut jar = Jar::default();
        self.visit(&mut jar, |exchange| set(exchange, "user_id", user));
        jar
    }

    fn user(&self, jar: &mut Jar) -> Option<Value> {
        self.user_at("/", jar)
    }

    fn user_at(&self, target: &str, jar: &mut Jar) -> Option<Value> {
        let mut user = None;
        self.visit_at(target, jar, |exchange| {
            user = exchange.session().unwrap().get("user_id");
        });
        user
    }

    /// The first use of a new id, which is written down.
    fn confirm(&self, jar: &mut Jar) {
        assert!(self.asked(|| drop(self.user(jar))) > 0);
    }

    /// How often `work` asks the storage for something.
    fn asked(&self, work: impl FnOnce()) -> u64 {
        let before = self.rows.asked.load(Ordering::Relaxed);
        work();
        self.rows.asked.load(Ordering::Relaxed) - before
    }

    fn advance(&self, seconds: u64) {
        self.bench.clock.advance(Duration::from_secs(seconds));
    }
}

/// The cookies of a browser.
#[derive(Clone, Debug, Default)]
struct Jar(BTreeMap<String, String>);

impl Jar {
    fn id(&self) -> String {
        self.0[ID].clone()
    }

    fn snapshot(&self) -> Option<String> {
        self.0.get(SNAPSHOT).cloned()
    }

    fn without_snapshot(mut self) -> Self {
        self.0.remove(SNAPSHOT);
        self
    }

    fn with_snapshot(mut self, value: impl Into<String>) -> Self {
        self.0.insert(SNAPSHOT.to_owned(), value.into());
        self
    }

    fn header(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, exchange: &TestExchange) {
        for cookie in exchange.response_headers("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match attributes.contains("Max-Age=0;") {
                true => self.0.remove(name),
                false => self.0.insert(name.to_owned(), value.to_owned()),
            };
        }
    }
}

/// The names of the cookies that a response sets or clears.
fn names(exchange: &TestExchange) -> Vec<String> {
    let cookies = exchange.response_headers("set-cookie");
    let names = cookies.iter().filter_map(|cookie| cookie.split_once('='));
    names.map(|(name, _)| name.to_owned()).collect()
}

fn merge(under: &mut Value, over: Value) {
    let (Value::Object(under), Value::Object(over)) = (under, over) else {
        panic!("configurations are objects")
    };
    under.extend(over);
}

/// Counts what a storage is asked, and does not answer when it is down.
struct Counting {
    rows: Arc<dyn Rows>,
    asked: AtomicU64,
    is_down: AtomicBool,
}

impl Counting {
    fn over(rows: Arc<dyn Rows>) -> Self {
        Self {
            rows,
            asked: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
        }
    }

    fn take_down(&self) {
        self.is_down.store(true, Ordering::Relaxed);
    }

    fn rows(&self) -> &dyn Rows {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.is_down.load(Ordering::Relaxed) {
            true => &Down,
            false => &*self.rows,
        }
    }
}

impl Rows for Counting {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.rows().load(address)
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        self.rows().write(address, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows().probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows().reset()
    }
}

const ID: &str = "session_id";
const SNAPSHOT: &str = "session_id_cache";
const SECRET: &str = "a secret of the tests, long enough to be allowed";
const START: Timestamp = Timestamp::from_millis(3_600_000);
