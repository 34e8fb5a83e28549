//! A visit through both middlewares, line by line: a stranger's cookies, query and header, and what the upstream then
//! writes about the session.
#![no_main]
#![forbid(unsafe_code)]

use std::sync::{Arc, LazyLock};

use abi::handle::MiddlewareHandle;
use abi::testing::{TestExchange, TestGateway, wait};
use abi::{Entry, Failure};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use engine::clock::SystemClock;
use engine::cookie::{Candidates, CookieName};
use engine::middlewares::{LoadSessionMiddleware, MapSessionToHeaderMiddleware};
use engine::storage::{MemoryConfig, MemoryStorage, Rows};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let [cookies, query, header, written] = [(); 4].map(|()| lines.next().unwrap_or_default());

    let stranger = BENCH.gateway.exchange("GET", &format!("/?{query}"));
    let mut stranger = stranger
        .with_header("cookie", cookies)
        .with_header("x-session", header);
    let outcome = stranger.run_with(&BENCH.load, |upstream| {
        check_forwarded(upstream);
        upstream.answer(200, &[("x-session-set", written)]);
    });

    match (outcome, attributes(written.trim_ascii())) {
        (Ok(()), Some(attributes)) => come_back(&cookie(&stranger), &attributes),
        _ => {
            assert_eq!(stranger.response_headers("set-cookie"), [""; 0]);
            assert_eq!(BENCH.forget(), 0, "nothing is stored for nobody");
        }
    }
    BENCH.forget();
});

/// The key is taken out, whether it leads anywhere or not.
fn check_forwarded(upstream: &TestExchange) {
    let sid = CookieName::parse("sid").expect("a token");
    let cookies = upstream.request_header("cookie").map(str::as_bytes);
    assert_eq!(Candidates::of(cookies, &sid).count(), 0);
    assert_eq!(upstream.request_header("x-session"), None);
    let mut pairs = upstream.query().unwrap_or_default().split('&');
    assert!(pairs.all(|pair| pair != "s" && !pair.starts_with("s=")));
    assert!(upstream.session().expect("there always is one").fresh());
}

/// The browser has a session now, uses it and logs out.
fn come_back(cookie: &str, attributes: &Map<String, Value>) {
    visit(cookie, |upstream| {
        let mut names = upstream.session().expect("it is stored").keys();
        names.sort_unstable();
        assert!(names.iter().eq(attributes.keys()), "{names:?}");
        let mapped = upstream.run(&BENCH.map, 200);
        check_user(
            mapped,
            upstream.request_header("x-user"),
            attributes.get("user_id"),
        );
        upstream.answer(200, &[("x-session-set", "destroy")]);
    });
    visit(cookie, |upstream| {
        assert!(upstream.session().expect("a new one").fresh())
    });
}

fn check_user(mapped: Result<(), Failure>, header: Option<&str>, user: Option<&Value>) {
    let is_fit = |text: &str| !text.contains(|char: char| char != '\t' && char.is_ascii_control());
    match user {
        Some(Value::String(text)) if is_fit(text) => {
            assert!(mapped.is_ok());
            assert_eq!(header.unwrap_or_default(), text);
        }
        Some(Value::String(_)) => assert!(mapped.is_err() && header.is_none()),
        _ => assert!(header.is_none_or(is_fit)),
    }
}

fn visit(cookie: &str, upstream: impl FnOnce(&mut TestExchange)) {
    let exchange = BENCH.gateway.exchange("GET", "/");
    let mut exchange = exchange.with_header("cookie", cookie);
    let passed = exchange.run_with(&BENCH.load, upstream);
    passed.expect("memory always answers");
}

/// The pair that the browser will send.
fn cookie(response: &TestExchange) -> String {
    let set = response.response_headers("set-cookie");
    let [cookie] = set[..] else { panic!("{set:?}") };
    cookie.split(';').next().unwrap_or_default().to_owned()
}

/// What the upstream sets, if it sets anything.
fn attributes(written: &str) -> Option<Map<String, Value>> {
    let object: Map<String, Value> = if written.starts_with('{') {
        serde_json::from_str(written).ok()?
    } else {
        let plain = URL_SAFE_NO_PAD.decode(written);
        let json = plain.or_else(|_| URL_SAFE.decode(written)).ok()?;
        serde_json::from_slice(&json).ok()?
    };
    let set: Map<_, _> = object
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    (!set.is_empty()).then_some(set)
}

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

struct Bench {
    gateway: TestGateway,
    load: MiddlewareHandle,
    map: MiddlewareHandle,
    rows: Arc<MemoryStorage>,
}

impl Bench {
    fn new() -> Self {
        let gateway = TestGateway::new();
        let (services, clock) = (gateway.services(), Arc::new(SystemClock::new()));
        let config = MemoryConfig {
            max_entries: 100,
            ..MemoryConfig::default()
        };
        let rows = Arc::new(MemoryStorage::open(&config, clock.clone()).expect("room for 100"));
        let config = json!({
            "keyLookup": ["cookie:sid", "header:x-session", "query:s"],
            "responseHeader": "x-session-set",
        });
        let config = serde_json::from_value(config).expect("the keys exist");
        let shared = Arc::clone(&rows) as Arc<dyn Rows>;
        let entry = Entry {
            name: "LoadSession",
        };
        let load = LoadSessionMiddleware::new(entry, &config, |_| Ok(shared), clock, &services);
        let config = serde_json::from_value(json!({ "headers": { "x-user": "user_id" } }));
        let map = MapSessionToHeaderMiddleware::new(config.expect("a mapping"), &services);
        Self {
            load: MiddlewareHandle::new(load.expect("sound")),
            map: MiddlewareHandle::new(map.expect("sound")),
            gateway,
            rows,
        }
    }

    /// Empties the storage and says how many rows there were.
    fn forget(&self) -> u64 {
        wait(self.rows.reset()).expect("memory always answers")
    }
}
