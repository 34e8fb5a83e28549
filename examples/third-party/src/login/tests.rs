use super::*;
use crate::Guestbook;
use abi::handle::MiddlewareHandle;
use abi::testing::{TestExchange, TestGateway, TestSession};

#[test]
fn guest_on_the_list_is_written_into_the_session() {
    let door = Door::new();
    let session = TestSession::default().handle();
    let mut login = door
        .post(r#"{"user":"anna"}"#)
        .with_session(session.clone());

    login.run(&door.middleware, 204).unwrap();

    assert_eq!(session.get("user_id"), Some(json!("anna")));
    assert_eq!(
        session.get("authorization"),
        Some(json!("Bearer guest-anna"))
    );
    assert_eq!(login.status(), Some(200));
    assert_eq!(login.response_body(), br#"{"user":"anna"}"#);
    assert_eq!(login.response_headers("content-type"), ["application/json"]);
}

#[test]
fn form_is_as_good_as_json() {
    let door = Door::new();
    let session = TestSession::default().handle();
    let form = "application/x-www-form-urlencoded";
    let mut login = door
        .post("user=anna")
        .with_header("Content-Type", form)
        .with_session(session.clone());

    login.run(&door.middleware, 204).unwrap();

    assert_eq!(session.get("user_id"), Some(json!("anna")));
}

#[test]
fn stranger_is_turned_away_and_leaves_no_trace() {
    let door = Door::new();
    let session = TestSession::default().handle();
    let mut login = door
        .post(r#"{"user":"mallory"}"#)
        .with_session(session.clone());

    let failure = login.run(&door.middleware, 204).unwrap_err();

    assert_eq!(
        (failure.kind(), failure.reason()),
        (Kind::UNAUTHORIZED, "not-a-guest")
    );
    assert!(!failure.to_string().contains("mallory"));
    assert!(session.keys().is_empty());
}

#[test]
fn body_without_a_name_is_a_bad_request() {
    let door = Door::new();

    let failure = door.post("{}").run(&door.middleware, 204).unwrap_err();

    assert_eq!(failure.kind(), Kind::BAD_REQUEST);
}

#[test]
fn long_body_is_not_read() {
    let door = Door::new();

    let failure = door
        .post(&"x".repeat(5000))
        .run(&door.middleware, 204)
        .unwrap_err();

    assert_eq!(failure.kind(), Kind::TOO_LARGE);
}

#[test]
fn route_without_a_session_is_named_as_the_mistake_it_is() {
    let door = Door::new();

    let failure = door
        .post(r#"{"user":"anna"}"#)
        .run(&door.middleware, 204)
        .unwrap_err();

    let expected = "no session on this route: list LoadSessionMiddleware before LoginMiddleware";
    assert_eq!(failure.message(), expected);
}

#[test]
fn other_requests_pass() {
    let door = Door::new();
    for (method, path) in [("GET", "/login"), ("POST", "/"), ("POST", "/login/")] {
        let mut exchange = door.gateway.exchange(method, path);

        exchange.run(&door.middleware, 204).unwrap();

        assert_eq!(exchange.status(), Some(204), "{method} {path}");
    }
}

#[test]
fn configuration_that_lets_nobody_in_is_refused_with_all_its_faults() {
    let plugin = TestGateway::new().open::<Guestbook>(json!({})).unwrap();

    let faults = plugin.middleware("LoginMiddleware", json!({ "path": "login", "guests": [] }));

    let expected = "path: expected a path that begins with `/`\nguests: expected at least one name: nobody could sign in";
    assert_eq!(faults.unwrap_err().to_string(), expected);
}

/// The middleware and the gateway it belongs to: header numbers of one gateway mean nothing in another.
struct Door {
    gateway: TestGateway,
    middleware: MiddlewareHandle,
}

impl Door {
    fn new() -> Self {
        let gateway = TestGateway::new();
        let plugin = gateway.open::<Guestbook>(json!({})).unwrap();
        let middleware = plugin
            .middleware("LoginMiddleware", json!({ "guests": ["anna"] }))
            .unwrap();
        Self {
            gateway,
            middleware,
        }
    }

    fn post(&self, body: &str) -> TestExchange {
        self.gateway.exchange("POST", "/login").with_body(body)
    }
}
