//! The middleware around an upstream, with a clock that the test moves.

mod caches;
mod clocks;
mod failing;
mod keys;
mod life;
mod outages;
mod own;
mod principals;
mod renewing;
mod secrets;
mod slow;
mod snapshots;
mod writing;

use std::time::Duration;

use abi::failure::Kind;
use abi::handle::MiddlewareHandle;
use abi::storage::{Expected, Loaded, Unavailable, Written};
use abi::testing::{TestExchange, TestGateway, wait};
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::session::{Address, Timestamp};
use crate::storage::{MemoryConfig, MemoryStorage, Rows, Versioned};

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
                |_| {
                    Ok(Backing {
                        has_copies: true,
                        ..rows.clone().into()
                    })
                },
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
        LoadSessionMiddleware::new(
            entry,
            &config,
            |_| Ok(rows.into()),
            clock,
            &gateway.services(),
        )
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
    fn load(&self, _: Address) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::Ready(Loaded::Unavailable(Unavailable::new("down")))
    }

    fn write(&self, _: Address, _: Expected, _: Versioned, _: Duration) -> Maybe<'_, Written> {
        Maybe::Ready(Written::Unavailable(Unavailable::new("down")))
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Maybe::Ready(Err(Unavailable::new("down")))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Maybe::Ready(Err(Unavailable::new("down")))
    }
}
