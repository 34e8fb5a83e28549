use std::collections::BTreeMap;

use abi::handle::ActionHandle;
use abi::testing::{TestExchange, TestGateway, TestSession};
use serde_json::{Value, json};

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::runtime::Runtime;
use crate::session::Timestamp;

#[test]
fn browser_is_logged_out_and_sent_on() {
    let scene = Scene::new(json!({ "returnTo": "/bye" }));
    for (body, location) in [
        ("", "/bye"),
        ("redirect_path=/a", "/a"),
        ("redirect_path=//evil.test", "/bye"),
        ("redirect_path=https://evil.test", "/bye"),
        ("redirect_path=javascript:alert(1)", "/bye"),
    ] {
        let session = TestSession::new(json!({ "user_id": "anna" }));

        let exchange = scene.submit(&session, body);

        assert_eq!(exchange.status(), Some(303), "{body}");
        assert_eq!(exchange.response_headers("location"), [location]);
        assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
        assert!(session.is_destroyed());
    }
}

#[test]
fn program_is_told_what_has_ended() {
    let scene = Scene::new(json!({}));
    let session = TestSession::new(json!({ "user_id": "anna" })).with_handle("here");

    let exchange = scene.post(&session, "application/json", "{}");

    assert_eq!(exchange.status(), Some(200));
    assert_eq!(body(&exchange), json!({ "ended": 1 }));
    assert!(session.is_destroyed());
}

#[test]
fn visitor_who_is_nobody_is_logged_out_of_nothing() {
    let scene = Scene::new(json!({}));
    for request in ["", "{}", r#"{"others":true}"#, r#"{"everywhere":true}"#] {
        let session = TestSession::new(json!({}));

        let exchange = scene.post(&session, "application/json", request);

        assert_eq!(body(&exchange), json!({ "ended": 0 }), "{request}");
    }
}

#[test]
fn another_site_logs_nobody_out() {
    for config in [json!({}), json!({ "allowGet": true })] {
        let scene = Scene::new(config);
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.test"),
            ("origin", "null"),
            ("referer", "https://evil.test/"),
            ("x-nothing", "at all"),
        ] {
            for method in ["POST", "GET"] {
                let session = TestSession::new(json!({ "user_id": "anna" }));
                let mut exchange = scene
                    .gateway
                    .exchange(method, "/logout")
                    .with_session(session.handle())
                    .with_header(name, value);

                let called = exchange.call(&scene.action);

                let is_refused = called.is_err() || exchange.status() == Some(405);
                assert!(is_refused, "{method} {name}: {value}");
                assert!(!session.is_destroyed(), "{method} {name}: {value}");
            }
        }
    }
}

#[test]
fn link_logs_out_where_links_are_allowed() {
    let ways = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("referer", "http://gateway.test/account"),
    ];
    for (name, value) in ways {
        for (allowed, status) in [(true, 303), (false, 405)] {
            let scene = Scene::new(json!({ "allowGet": allowed }));
            let session = TestSession::new(json!({ "user_id": "anna" }));
            let exchange = scene.gateway.exchange("GET", "/logout");
            let mut exchange = exchange
                .with_session(session.handle())
                .with_header(name, value);

            exchange.call(&scene.action).unwrap();

            assert_eq!(exchange.status(), Some(status), "{name}: {value}");
            assert_eq!(session.is_destroyed(), allowed);
        }
    }
}

#[test]
fn request_that_asks_for_something_else_ends_nothing() {
    let scene = Scene::new(json!({}));
    for (kind, body) in [
        ("application/json", "[]"),
        ("application/json", r#"{"everywhere":"yes"}"#),
        ("text/plain", "everywhere=true"),
        (FORM, "everywhere=true&everywhere=false"),
    ] {
        let session = TestSession::new(json!({ "user_id": "anna" }));
        let mut exchange = scene.request(&session, kind, body);

        let failure = exchange.call(&scene.action).unwrap_err();

        assert_eq!(failure.reason(), "malformed-logout", "{kind} {body}");
        assert!(!session.is_destroyed());
    }
}

#[test]
fn browser_that_comes_back_from_a_provider_goes_to_no_strange_place() {
    let scene = Scene::new(json!({ "returnTo": "/bye" }));
    for (query, location) in [
        ("", "/bye"),
        ("?state=/a%3Fb", "/a?b"),
        ("?state=//evil.test", "/bye"),
        ("?state=https://evil.test", "/bye"),
        ("?state=/%5Cevil.test", "/bye"),
    ] {
        let mut exchange = scene
            .gateway
            .exchange("GET", &format!("/logout/done{query}"));

        exchange.call(&scene.action).unwrap();

        assert_eq!(exchange.response_headers("location"), [location], "{query}");
    }
}

#[test]
fn other_methods_are_answered_with_those_that_work() {
    for (config, allow) in [
        (json!({}), "POST"),
        (json!({ "allowGet": true }), "GET, POST"),
    ] {
        let scene = Scene::new(config);
        let mut exchange = scene.gateway.exchange("PUT", "/logout");

        exchange.call(&scene.action).unwrap();

        assert_eq!(exchange.status(), Some(405));
        assert_eq!(exchange.response_headers("allow"), [allow]);
    }
}

struct Scene {
    gateway: TestGateway,
    action: ActionHandle,
}

impl Scene {
    fn new(config: Value) -> Self {
        let gateway = TestGateway::new();
        let config = serde_json::from_value(config).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::default()));
        let desk = (clock, Arc::new(Runtime::default()));
        let providers = Providers::new(BTreeMap::new(), desk, &gateway.services()).unwrap();
        let action = LogoutAction::new(
            &config,
            (Arc::new(providers), Arc::default()),
            &gateway.services(),
        );
        let action = action.unwrap();
        Self {
            action: ActionHandle::new(action),
            gateway,
        }
    }

    fn request(&self, session: &TestSession, kind: &str, body: &str) -> TestExchange {
        self.gateway
            .exchange("POST", "/logout")
            .with_session(session.handle())
            .with_header("content-type", kind)
            .with_header("origin", "http://gateway.test")
            .with_body(body)
    }

    fn post(&self, session: &TestSession, kind: &str, body: &str) -> TestExchange {
        let mut exchange = self.request(session, kind, body);
        exchange.call(&self.action).unwrap();
        exchange
    }

    fn submit(&self, session: &TestSession, body: &str) -> TestExchange {
        self.post(session, FORM, body)
    }
}

fn body(exchange: &TestExchange) -> Value {
    serde_json::from_slice(exchange.response_body()).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";
