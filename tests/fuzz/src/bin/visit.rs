//! Visits through both middlewares: a stranger's cookies, query and header, line by line, and what the upstream then
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
    let lines = [(); 4].map(|()| lines.next().unwrap_or_default());
    for bench in &*BENCHES {
        bench.receive(lines);
        bench.forget();
    }
});

static BENCHES: LazyLock<[Bench; 2]> = LazyLock::new(|| {
    let cached =
        json!({ "strategy": "cookieCache", "secrets": ["a secret of 32 bytes for fuzzing"] });
    [
        Bench::new(json!({}), &["sid"]),
        Bench::new(cached, &["sid", "sid_cache"]),
    ]
});

struct Bench {
    gateway: TestGateway,
    load: MiddlewareHandle,
    map: MiddlewareHandle,
    rows: Arc<MemoryStorage>,
    /// The cookies that are ours.
    names: Vec<CookieName>,
}

impl Bench {
    fn new(mut config: Value, names: &[&str]) -> Self {
        config["keyLookup"] = json!(["cookie:sid", "header:x-session", "query:s"]);
        config["responseHeader"] = json!("x-session-set");
        let config = serde_json::from_value(config).expect("the keys exist");
        let gateway = TestGateway::new();
        let (services, clock) = (gateway.services(), Arc::new(SystemClock::new()));
        let room = MemoryConfig {
            max_entries: 100,
            ..MemoryConfig::default()
        };
        let rows = Arc::new(MemoryStorage::open(&room, clock.clone()).expect("room for 100"));
        let (entry, shared) = (
            Entry {
                name: "LoadSession",
            },
            rows.clone(),
        );
        let load =
            LoadSessionMiddleware::new(entry, &config, |_| Ok(shared.into()), clock, &services);
        let config = serde_json::from_value(json!({ "headers": { "x-user": "user_id" } }));
        let map = MapSessionToHeaderMiddleware::new(config.expect("a mapping"), &services);
        Self {
            load: MiddlewareHandle::new(load.expect("sound")),
            map: MiddlewareHandle::new(map.expect("sound")),
            gateway,
            rows,
            names: names
                .iter()
                .map(|name| CookieName::parse(name).expect("a token"))
                .collect(),
        }
    }

    /// A stranger comes.
    fn receive(&self, [cookies, query, header, written]: [&str; 4]) {
        let stranger = self.gateway.exchange("GET", &format!("/?{query}"));
        let mut stranger = stranger
            .with_header("cookie", cookies)
            .with_header("x-session", header);
        let outcome = stranger.run_with(&self.load, |upstream| {
            self.check_forwarded(upstream);
            upstream.answer(200, &[("x-session-set", written)]);
        });
        let cookies = set_cookies(&stranger);
        match (outcome, attributes(written.trim_ascii())) {
            (Ok(()), Some(attributes)) => self.come_back(&cookies, &attributes),
            _ => {
                assert_eq!(cookies, "", "nobody is told anything");
                assert_eq!(self.forget(), 0, "nothing is stored for nobody");
            }
        }
    }

    /// The key is taken out, whether it leads anywhere or not.
    fn check_forwarded(&self, upstream: &TestExchange) {
        let cookies = upstream.request_header("cookie").map(str::as_bytes);
        let ours = |name| Candidates::of(cookies, name).count();
        assert_eq!(self.names.iter().map(ours).sum::<usize>(), 0);
        assert_eq!(upstream.request_header("x-session"), None);
        let mut pairs = upstream.query().unwrap_or_default().split('&');
        assert!(pairs.all(|pair| pair != "s" && !pair.starts_with("s=")));
        assert!(upstream.session().expect("there always is one").fresh());
    }

    /// The browser has a session now, uses it and logs out.
    fn come_back(&self, cookies: &str, attributes: &Map<String, Value>) {
        let after = self.visit(cookies, |upstream| {
            let mut names = upstream.session().expect("it is stored").keys();
            names.sort_unstable();
            // In a build with the gateway, maps keep the order in which they were filled.
            let mut expected: Vec<&String> = attributes.keys().collect();
            expected.sort_unstable();
            assert!(names.iter().eq(expected), "{names:?}");
            let mapped = upstream.run(&self.map, 200);
            check_user(
                mapped,
                upstream.request_header("x-user"),
                attributes.get("user_id"),
            );
            upstream.answer(200, &[("x-session-set", "destroy")]);
        });
        assert_eq!(after, "", "all cookies are gone");
        let (id, _) = cookies.split_once("; ").unwrap_or((cookies, ""));
        self.visit(id, |upstream| {
            assert!(upstream.session().expect("a new one").fresh())
        });
    }

    /// The cookies that the browser gets.
    fn visit(&self, cookies: &str, upstream: impl FnOnce(&mut TestExchange)) -> String {
        let exchange = self.gateway.exchange("GET", "/");
        let mut exchange = exchange.with_header("cookie", cookies);
        let passed = exchange.run_with(&self.load, upstream);
        passed.expect("memory always answers");
        set_cookies(&exchange)
    }

    /// Empties the storage and says how many rows there were.
    fn forget(&self) -> u64 {
        wait(self.rows.reset()).expect("memory always answers")
    }
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

/// What the browser will send from now on, the id first.
fn set_cookies(response: &TestExchange) -> String {
    let set = response.response_headers("set-cookie").into_iter();
    let pairs = set.map(|cookie| cookie.split(';').next().unwrap_or_default());
    let pairs: Vec<&str> = pairs.filter(|pair| !pair.ends_with('=')).collect();
    pairs.join("; ")
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
