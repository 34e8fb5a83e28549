//! The boundary, driven in one process: what crosses, and where a panic stops.

mod probe;
mod session;
mod storage;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use self::probe::{ALIVE, Probe};
use self::session::OneAttribute;
use self::storage::{Checking, KEY, Panicking, ROW};
use super::{TestGateway, wait};
use crate::failure::Kind;
use crate::plugin::ComponentDescription;
use crate::storage::{Expected, Loaded, Storage as _, StorageHandle, Written};
use crate::{Failure, Flow, Offer, Purpose, Session, Side};

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
fn panic_in_a_closure_that_was_lent_is_a_failure_of_who_lent_it() {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin
        .middleware("Echo", json!({ "mode": "panicInVisit" }))
        .unwrap();
    let exchange = gateway.exchange("GET", "/");
    let mut exchange = exchange.with_header("x-in", "1").with_header("x-in", "2");

    let failure = exchange.run(&middleware, 200).unwrap_err();

    assert_eq!(failure.message(), "on_request panicked: at header 1");
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
fn plugins_are_told_what_they_are_opened_for() {
    let told = |gateway: TestGateway| gateway.services().purpose();

    assert_eq!(told(TestGateway::new()), Purpose::Serve);
    for purpose in [Purpose::Serve, Purpose::Check] {
        assert_eq!(told(TestGateway::new().with_purpose(purpose)), purpose);
    }
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

#[test]
fn description_says_what_components_have_to_do_with_sessions() {
    let description = serde_json::to_value(Offer::<Probe>::of_plugin().describe()).unwrap();

    let said = |index: usize| description["components"][index].get("session").cloned();
    assert_eq!(said(0), None);
    assert_eq!(said(1), Some(json!({ "part": "needs", "unless": "quiet" })));
}

#[test]
fn description_of_a_plugin_from_before_says_nothing_of_sessions() {
    let text = json!({ "kind": "actions", "name": "A", "help": "Acts.", "schema": true });

    let component: ComponentDescription = serde_json::from_value(text).unwrap();

    assert_eq!(component.session, None);
}

fn run_in_mode(mode: &str) -> Result<(), Failure> {
    let gateway = TestGateway::new();
    let plugin = gateway.open::<Probe>(json!({})).unwrap();
    let middleware = plugin.middleware("Echo", json!({ "mode": mode })).unwrap();
    gateway.exchange("GET", "/").run(&middleware, 200)
}

#[test]
fn what_is_no_header_name_cannot_be_reserved_and_is_called_so() {
    let services = TestGateway::new().services();

    let refused = services.reserve(Side::Response, "X Session");

    assert_eq!(refused, Err(crate::ServicesError::HeaderName));
    assert_eq!(services.reserve(Side::Response, "X-Session"), Ok(()));
}
