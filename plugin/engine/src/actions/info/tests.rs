use abi::handle::ActionHandle;
use abi::testing::{TestExchange, TestGateway, TestSession, TestSessionStore};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::clock::ManualClock;
use crate::session::Timestamp;

#[test]
fn values_are_claims_of_the_token_and_else_attributes() {
    let session = anna();
    let config =
        json!({ "values": ["email", "address.city", "user_id", "nothing", "theme.color"] });

    let mut told = ask(config, &session);

    assert_eq!(told["session"]["expiresIn"], 3600);
    told.as_object_mut().unwrap().remove("session");
    let expected = json!({
        "email": "anna@example.org",
        "address.city": "Graz",
        "user_id": "anna",
        "theme.color": "red",
    });
    assert_eq!(told, expected);
}

#[test]
fn custom_values_are_told_to_everybody_who_is_logged_in() {
    let told = ask(
        json!({ "custom": { "tenant": "shop", "limits": { "files": 3 } } }),
        &anna(),
    );

    assert_eq!(told["tenant"], "shop");
    assert_eq!(told["limits"]["files"], 3);
}

#[test]
fn roles_are_those_of_the_realm_of_each_client_and_of_nobody() {
    let told = ask(json!({ "roles": true }), &anna());

    assert_eq!(told["roles"], json!(["admin", "reader", "writer", "guest"]));
}

#[test]
fn scopes_are_the_words_of_the_scope() {
    let told = ask(json!({ "scopes": true }), &anna());

    assert_eq!(told["scopes"], json!(["openid", "email"]));
}

#[test]
fn token_that_is_no_jwt_leaves_what_the_session_holds() {
    let opaque = json!({ "access_token": "opaque", "scope": "a b a" });
    let config = || json!({ "values": ["email"], "roles": true, "scopes": true });
    for token in [
        opaque,
        json!("none"),
        json!({ "access_token": "a.!.c", "scope": "a b" }),
    ] {
        let session = anna();
        let handle = session.handle();
        handle.set("token", token).unwrap();
        handle.set("email", "of the session").unwrap();
        handle.set("roles", json!(["member"])).unwrap();

        let told = ask(config(), &session);

        assert_eq!(told["email"], "of the session");
        assert_eq!(told["roles"], json!(["member"]));
        assert!(told["scopes"] == json!(["a", "b"]) || told["scopes"] == json!([]));
    }
}

#[test]
fn nothing_is_told_that_is_not_named() {
    let told = ask(json!({}), &anna());

    let names: Vec<_> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["session"]);
}

#[test]
fn asking_is_no_use_of_the_session() {
    let session = anna();

    ask(json!({}), &session);

    assert!(session.is_peeked() && !session.is_renewed());
}

#[test]
fn stranger_is_answered_as_configured() {
    for (config, status) in [
        (json!({}), 401),
        (json!({ "unauthenticatedStatus": 404 }), 404),
    ] {
        let gateway = TestGateway::new();
        let mut exchange = gateway.exchange("GET", "/info");

        exchange.call(&action(&gateway, config)).unwrap();

        assert_eq!(exchange.status(), Some(status));
        assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
    }
}

#[test]
fn tokens_and_statuses_of_other_kinds_are_refused_at_once() {
    let config = json!({
        "values": ["token", "token.access_token", "tokens"],
        "custom": { "session": 1 },
        "unauthenticatedStatus": 200,
    });
    let gateway = TestGateway::new();

    let faults = make(&gateway, config).unwrap_err();

    let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        ["values[0]", "values[1]", "", "unauthenticatedStatus"]
    );
}

#[test]
fn other_methods_are_told_which_work() {
    let gateway = TestGateway::new();
    let mut exchange = gateway.exchange("POST", "/info");

    exchange.call(&action(&gateway, json!({}))).unwrap();

    assert_eq!(exchange.status(), Some(405));
    assert_eq!(exchange.response_headers("allow"), ["GET, HEAD, OPTIONS"]);
}

fn anna() -> TestSession {
    let claims = json!({
        "email": "anna@example.org",
        "address": { "city": "Graz" },
        "scope": "openid email",
        "realm_access": { "roles": ["admin", "reader"] },
        "resource_access": { "shop": { "roles": ["reader", "writer"] } },
        "roles": "guest",
    });
    let session = TestSessionStore::default().log_in("anna");
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let handle = session.handle();
    handle
        .set("token", json!({ "access_token": token }))
        .unwrap();
    handle.set("theme", json!({ "color": "red" })).unwrap();
    session
}

fn ask(config: Value, session: &TestSession) -> Value {
    let gateway = TestGateway::new();
    let exchange = gateway.exchange("GET", "/info");
    let mut exchange = exchange.with_session(session.handle());
    exchange.call(&action(&gateway, config)).unwrap();
    assert_eq!(exchange.status(), Some(200));
    json_of(&exchange)
}

fn action(gateway: &TestGateway, config: Value) -> ActionHandle {
    ActionHandle::new(make(gateway, config).unwrap())
}

fn make(gateway: &TestGateway, config: Value) -> Result<InfoAction, Faults> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1000)));
    let config = serde_json::from_value(config).unwrap();
    InfoAction::new(config, clock, &gateway.services())
}

fn json_of(exchange: &TestExchange) -> Value {
    serde_json::from_slice(exchange.response_body()).unwrap()
}
