//! Requests of nobody leave nothing behind: no row, no cookie, no memory.
//!
//! A program of its own, because what it measures is the memory of the process.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "benches/growth/resident.rs"]
mod resident;

use std::sync::Arc;

use abi::Entry;
use abi::handle::MiddlewareHandle;
use abi::testing::{TestExchange, TestGateway};
use engine::clock::SystemClock;
use engine::middlewares::LoadSessionMiddleware;
use engine::session::SessionId;
use engine::storage::{MemoryConfig, MemoryStorage};

use self::resident::resident;

#[test]
fn requests_of_nobody_leave_nothing_behind() {
    let bench = Bench::new();
    // What is made once and kept.
    bench.visits(1000);
    let before = resident();

    bench.visits(MILLION);

    let grown = resident().saturating_sub(before);
    assert!(grown < 5 << 20, "{grown} bytes");
    assert_eq!(bench.rows.bytes(), 0);
}

struct Bench {
    gateway: TestGateway,
    load: MiddlewareHandle,
    rows: Arc<MemoryStorage>,
}

impl Bench {
    fn new() -> Self {
        let gateway = TestGateway::new();
        let (clock, entry) = (Arc::new(SystemClock::new()), Entry { name: "Load" });
        let rows = MemoryStorage::open(&MemoryConfig::default(), clock.clone());
        let rows = Arc::new(rows.unwrap());
        let (config, shared) = (serde_json::from_str("{}").unwrap(), rows.clone());
        let services = gateway.services();
        let load =
            LoadSessionMiddleware::new(entry, &config, |_| Ok(shared.into()), clock, &services);
        Self {
            gateway,
            load: MiddlewareHandle::new(load.unwrap()),
            rows,
        }
    }

    /// Without a cookie, with an id that nobody was given, and with something that is none: each so many times.
    fn visits(&self, count: usize) {
        for number in 0..count {
            self.visit(self.gateway.exchange("GET", "/"));
            self.visit_with(&SessionId::generate().unwrap().encode());
            self.visit_with(&number.to_string());
        }
    }

    fn visit_with(&self, key: &str) {
        let exchange = self.gateway.exchange("GET", "/");
        self.visit(exchange.with_header("cookie", format!("session_id={key}")));
    }

    fn visit(&self, mut exchange: TestExchange) {
        exchange.run(&self.load, 200).unwrap();
        assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
    }
}

const MILLION: usize = 1_000_000;
