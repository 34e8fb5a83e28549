//! The boundary, driven in one process: what crosses, and where a panic stops.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{TestGateway, wait};
use crate::config::{Faults, NoConfig};
use crate::failure::Kind;
use crate::session::{AttributeError, SessionObject};
use crate::storage::{Expected, Key, Loaded, Row, Storage, StorageHandle, Unavailable, Written};
use crate::{
    Attribute, Entry, Exchange, Failure, Flow, Maybe, Middleware, Offer, Plugin, Services, Session,
    Side,
};

#[test]
fn request_phase_hands_its_state_to_the_response_phase() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin
        .middleware("Echo", json!({ "mode": "pass" }))
        .unwrap();
    let mut exchange = gateway.exchange("GET", "/a?b=c").with_header("X-In", "42");

    exchange.run(&middleware, 200).unwrap();

    assert_eq!(exchange.response_headers("x-out"), ["GET /a b=c 42"]);
}

#[test]
fn path_has_one_spelling_for_plugins() {
    let gateway = TestGateway::new();
    let mut exchange = gateway.exchange("GET", "//%61dmin/caf%c3%a9?a=%61");

    let exchange = exchange.lend();

    assert_eq!(exchange.path(), "/admin/caf%C3%A9");
    assert_eq!(exchange.sent_path(), "//%61dmin/caf%c3%a9");
    assert_eq!(exchange.query(), Some("a=%61"));
}

#[test]
fn pending_work_is_waited_for() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin
        .middleware("Echo", json!({ "mode": "later" }))
        .unwrap();
    let mut exchange = gateway.exchange("GET", "/a").with_header("X-In", "1");

    exchange.run(&middleware, 200).unwrap();

    assert_eq!(exchange.response_headers("x-out"), ["GET /a - 1"]);
}

#[test]
fn panic_in_a_call_is_a_failure_and_the_next_call_works() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin
        .middleware("Echo", json!({ "mode": "panicOnce" }))
        .unwrap();

    let failure = gateway
        .exchange("GET", "/")
        .run(&middleware, 200)
        .unwrap_err();
    let mut next = gateway.exchange("GET", "/");
    next.run(&middleware, 200).unwrap();

    assert_eq!(failure.reason(), "panic");
    assert_eq!(failure.message(), "on_request panicked: as asked");
    assert_eq!(failure.kind(), Kind::INTERNAL);
    assert_eq!(next.status(), Some(200));
}

#[test]
fn panic_in_a_poll_is_a_failure() {
    let failure = run_in_mode("panicLater").unwrap_err();

    assert_eq!(failure.message(), "on_request panicked: as asked, later");
}

#[test]
fn panic_in_the_response_phase_is_a_failure() {
    let failure = run_in_mode("panicBack").unwrap_err();

    assert_eq!(failure.message(), "on_response panicked: on the way back");
}

#[test]
fn cancelled_work_that_panics_in_its_drop_harms_nobody() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin
        .middleware("Echo", json!({ "mode": "panicInDrop" }))
        .unwrap();
    let mut exchange = gateway.exchange("GET", "/");

    drop(middleware.on_request(exchange.lend()));
}

#[test]
fn state_of_a_request_that_was_cancelled_is_released() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin.middleware("Counting", json!({})).unwrap();
    let mut exchange = gateway.exchange("GET", "/");
    let before = ALIVE.load(Ordering::SeqCst);

    let flow = wait(middleware.on_request(exchange.lend())).unwrap();
    let during = ALIVE.load(Ordering::SeqCst);
    drop(flow);

    assert_eq!(
        (during - before, ALIVE.load(Ordering::SeqCst) - before),
        (1, 0)
    );
}

#[test]
fn state_of_another_middleware_is_refused() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let one = plugin
        .middleware("Echo", json!({ "mode": "pass" }))
        .unwrap();
    let other = plugin.middleware("Counting", json!({})).unwrap();
    let mut exchange = gateway.exchange("GET", "/");
    let Flow::Next(state) = wait(one.on_request(exchange.lend())).unwrap() else {
        panic!("the middleware lets the request through");
    };

    let failure = wait(other.on_response(exchange.lend(), state)).unwrap_err();

    assert_eq!(failure.message(), "the state belongs to another middleware");
}

#[test]
fn middlewares_without_content_are_still_two() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let [one, other] = [(), ()].map(|()| plugin.middleware("Counting", json!({})).unwrap());
    let mut exchange = gateway.exchange("GET", "/");
    let Flow::Next(state) = wait(one.on_request(exchange.lend())).unwrap() else {
        panic!("the middleware lets the request through");
    };

    wait(other.on_response(exchange.lend(), state)).unwrap_err();
}

#[test]
fn constructor_that_fails_says_where_and_why() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();

    let faults = plugin
        .middleware("Echo", json!({ "mode": "nonsense" }))
        .unwrap_err();

    assert_eq!(faults.to_string(), "mode: not a mode: nonsense");
}

#[test]
fn header_values_that_could_split_a_message_are_refused() {
    let gateway = TestGateway::new();
    let header = gateway.services().header("x-a").unwrap();
    let mut exchange = gateway.exchange("GET", "/");

    for value in ["a\r\nX-Evil: 1", "a\nb", "a\0b", "\x7f"] {
        exchange
            .lend()
            .set_header(Side::Request, header, value)
            .unwrap_err();
    }

    assert_eq!(exchange.request_header("x-a"), None);
}

#[test]
fn session_of_one_side_is_used_by_the_other() {
    let session = Session::new(Arc::new(OneAttribute));

    assert_eq!(session.get("user_id"), Some(json!("anna")));
    assert_eq!(session.get("missing"), None);
    assert_eq!(session.keys(), ["user_id"]);
    assert_eq!(session.id(), None);
    assert!(session.fresh());
    assert!(session.set("", 1).is_err());
    assert_eq!(wait(session.save()).unwrap_err().reason(), "panic");
}

#[test]
fn storage_that_panics_is_unavailable_and_not_empty() {
    let storage = StorageHandle::new(Arc::new(Panicking));

    let loaded = wait(storage.load(&KEY));
    let written = wait(storage.write(&KEY, Expected::Absent, ROW, Duration::from_secs(1)));

    assert!(matches!(loaded, Loaded::Unavailable(_)), "{loaded:?}");
    assert!(matches!(written, Written::Unavailable(_)), "{written:?}");
    wait(storage.probe()).unwrap_err();
}

#[test]
fn storage_gets_what_was_sent() {
    let storage = StorageHandle::new(Arc::new(Checking));

    let written = wait(storage.write(&KEY, Expected::Version(3), ROW, Duration::from_millis(1500)));

    assert_eq!(written, Written::Done);
    assert_eq!(wait(storage.load(&KEY)), Loaded::Found(ROW));
    assert_eq!(wait(storage.reset()), Ok(7));
}

#[test]
fn same_counter_is_shared_and_seen_by_the_gateway() {
    let gateway = TestGateway::new();
    let counter = |label| {
        gateway
            .services()
            .counter("hits_total", "Hits.", &[("kind", label)])
    };

    counter("a").increment();
    counter("a").add(2);
    counter("b").increment();

    assert_eq!(gateway.counter("hits_total", "kind=a"), 3);
}

#[test]
fn same_histogram_is_shared_and_seen_by_the_gateway() {
    let gateway = TestGateway::new();
    let record = |label| {
        gateway
            .services()
            .histogram("took_seconds", "Took.", &[("kind", label)])
            .record(Duration::from_millis(1));
    };

    record("a");
    record("a");
    record("b");

    assert_eq!(gateway.recorded("took_seconds", "kind=a"), 2);
    assert_eq!(gateway.recorded("took_seconds", "kind=c"), 0);
}

#[test]
fn description_lists_components_with_their_schemas() {
    let description = Offer::<Probe>::of_plugin().describe();

    let names: Vec<_> = description
        .components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    assert_eq!(names, ["Echo", "Counting"]);
    assert_eq!(
        description.components[0].schema["properties"]["mode"]["type"],
        "string"
    );
}

fn run_in_mode(mode: &str) -> Result<(), Failure> {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin.middleware("Echo", json!({ "mode": mode })).unwrap();
    gateway.exchange("GET", "/").run(&middleware, 200)
}

struct Probe {
    services: Services,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Modes {
    mode: String,
}

impl Plugin for Probe {
    const NAME: &'static str = "probe";
    const HELP: &'static str = "Does what the test asks for.";
    const VERSION: &'static str = "1.0.0";
    type Config = NoConfig;

    fn open(_: Self::Config, services: Services) -> Result<Self, Faults> {
        Ok(Self { services })
    }

    fn components(offer: &mut Offer<Self>) {
        offer.middleware(
            "Echo",
            "Echoes.",
            |plugin: &Self, _: Entry<'_>, config: Modes| {
                let known = [
                    "pass",
                    "later",
                    "panicOnce",
                    "panicLater",
                    "panicBack",
                    "panicInDrop",
                ];
                if !known.contains(&config.mode.as_str()) {
                    return Err(Faults::at("mode", format!("not a mode: {}", config.mode)));
                }
                Ok(Echo {
                    services: plugin.services.clone(),
                    mode: config.mode,
                    calls: AtomicUsize::new(0),
                })
            },
        );
        offer.middleware(
            "Counting",
            "Counts.",
            |_: &Self, _: Entry<'_>, _: NoConfig| Ok(Counting),
        );
    }
}

struct Echo {
    services: Services,
    mode: String,
    calls: AtomicUsize,
}

impl Middleware for Echo {
    type State = (String, String, usize);

    fn on_request<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<Self::State>, Failure>> {
        let value = exchange.header(Side::Request, self.services.header("x-in").unwrap());
        let value = String::from_utf8(value.unwrap_or_default().to_vec()).unwrap();
        let query = exchange.query().unwrap_or("-");
        let state = (
            format!("{} {}", exchange.method(), exchange.path()),
            format!("{query} {value}"),
            self.calls.fetch_add(1, Ordering::SeqCst),
        );
        match self.mode.as_str() {
            "panicOnce" => assert!(state.2 > 0, "as asked"),
            "panicLater" => return Maybe::task(async { panic!("as asked, later") }),
            "later" => return Maybe::task(async { Ok(Flow::Next(state)) }),
            "panicInDrop" => {
                let bomb = Bomb;
                return Maybe::task(async move {
                    let _bomb = bomb;
                    pending().await
                });
            }
            _ => {}
        }
        Maybe::Ready(Ok(Flow::Next(state)))
    }

    fn on_response<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
        (line, rest, _): Self::State,
    ) -> Maybe<'a, Result<(), Failure>> {
        assert!(self.mode != "panicBack", "on the way back");
        let out = self.services.header("x-out").unwrap();
        exchange
            .append_header(Side::Response, out, format!("{line} {rest}"))
            .unwrap();
        Maybe::Ready(Ok(()))
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in a drop");
    }
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

struct Counted([u64; 5]);

impl Drop for Counted {
    fn drop(&mut self) {
        assert_eq!(self.0, [7; 5]);
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Middleware for Counting {
    type State = Counted;

    fn on_request<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<Flow<Counted>, Failure>> {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Maybe::Ready(Ok(Flow::Next(Counted([7; 5]))))
    }
}

struct OneAttribute;

impl SessionObject for OneAttribute {
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>)) {
        if path == "user_id" {
            visit(Attribute::Text("anna"));
        }
    }

    fn set(&self, name: &str, _: Value) -> Result<(), AttributeError> {
        if name.is_empty() {
            Err(AttributeError)
        } else {
            Ok(())
        }
    }

    fn delete(&self, _: &str) -> bool {
        false
    }

    fn keys(&self) -> Vec<String> {
        vec!["user_id".to_owned()]
    }

    fn id(&self) -> Option<String> {
        None
    }

    fn fresh(&self) -> bool {
        true
    }

    fn regenerate(&self) {}

    fn destroy(&self) {}

    fn set_expiry(&self, _: Duration) {}

    fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        panic!("not today")
    }

    fn commit<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::Ready(Ok(()))
    }
}

const KEY: Key = Key::new([9; 32]);
const ROW: Row = Row {
    version: 4,
    payload: Vec::new(),
};

struct Panicking;

impl Storage for Panicking {
    fn load<'a>(&'a self, _: &'a Key) -> Maybe<'a, Loaded<Row>> {
        panic!("load")
    }

    fn write<'a>(&'a self, _: &'a Key, _: Expected, _: Row, _: Duration) -> Maybe<'a, Written> {
        Maybe::task(async { panic!("write") })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        panic!("probe")
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        panic!("reset")
    }
}

struct Checking;

impl Storage for Checking {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        Maybe::task(async move {
            if *key == KEY {
                Loaded::Found(ROW)
            } else {
                Loaded::Absent
            }
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        let sent = (*key, expected, row, keep);
        let right = (KEY, Expected::Version(3), ROW, Duration::from_millis(1500));
        Maybe::Ready(if sent == right {
            Written::Done
        } else {
            Written::Conflict
        })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Maybe::Ready(Ok(()))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Maybe::Ready(Ok(7))
    }
}
