use abi::handle::MiddlewareHandle;
use abi::testing::{TestGateway, TestSession};
use serde_json::{Value, json};

use super::*;

#[test]
fn each_kind_of_value_has_its_form() {
    let cases = [
        (json!("anna"), Some("anna")),
        (json!("Zoë"), Some("Zoë")),
        (json!(42), Some("42")),
        (json!(-1.5), Some("-1.5")),
        (json!(true), Some("true")),
        (json!(false), Some("false")),
        (json!(["admin", "dev"]), Some("admin,dev")),
        (
            json!(["cn=a,ou=b", "say \"hi\"", "", 7, null]),
            Some(r#""cn=a,ou=b","say \"hi\"","",7"#),
        ),
        (json!({"a": [1]}), Some(r#"{"a":[1]}"#)),
        (json!(null), None),
        (json!(""), None),
        (json!([]), None),
    ];
    for (value, expected) in cases {
        let mapped = map(
            json!({ "X-User": "user" }),
            json!({ "user": value.clone() }),
        )
        .unwrap();

        assert_eq!(mapped.as_deref(), expected, "{value}");
    }
}

#[test]
fn missing_attribute_is_a_missing_header() {
    let mapped = map(json!({ "X-User": "user" }), json!({ "other": "anna" })).unwrap();

    assert_eq!(mapped, None);
}

#[test]
fn value_that_could_split_a_message_is_refused_and_not_shortened() {
    for value in ["anna\r\nX-Role: admin", "anna\nx", "an\0na", "\u{7f}"] {
        let failure = map(json!({ "X-User": "user" }), json!({ "user": value })).unwrap_err();

        assert_eq!(
            failure.message(),
            "the session's `user` holds characters that header `X-User` cannot carry"
        );
    }
}

#[test]
fn request_without_a_session_passes_unchanged() {
    let gateway = TestGateway::new();
    let middleware = middleware(&gateway, json!({ "X-User": "user" })).unwrap();
    let mut exchange = gateway.exchange("GET", "/");

    exchange.run(&middleware, 200).unwrap();

    assert_eq!(exchange.request_header("x-user"), None);
}

#[test]
fn mapped_headers_are_reserved() {
    let gateway = TestGateway::new();

    middleware(
        &gateway,
        json!({ "X-User": "user", "Authorization": "token" }),
    )
    .unwrap();

    let names: Vec<String> = gateway
        .reserved()
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names, ["Authorization", "X-User"]);
}

#[test]
fn every_header_that_cannot_be_mapped_is_named() {
    let faults = middleware(
        &TestGateway::new(),
        json!({ "Host": "a", "X-Forwarded-For": "e", "no name": "b", "X-A": "", "X_User": "d", "x-user": "c" }),
    )
    .unwrap_err();

    assert_eq!(
        faults.to_string(),
        "headers.Host: this header belongs to the connection or the gateway and cannot be mapped\n\
         headers.X-A: expected the name of a session attribute, found nothing\n\
         headers.X-Forwarded-For: this header belongs to the connection or the gateway and cannot be mapped\n\
         headers.no name: not a header name\n\
         headers.x-user: the same header as `X_User` to an upstream that folds names"
    );
}

#[test]
fn value_that_is_encoded_need_not_be_refused() {
    let written = |encoding: &str| {
        let config = json!({ "headers": { "X-User": "user" }, "encoding": encoding });
        passed(config, json!({ "user": "Zo\u{eb}\n" })).unwrap()
    };

    assert_eq!(written("percent").as_deref(), Some("Zo%C3%AB%0A"));
    assert_eq!(written("base64url").as_deref(), Some("Wm_Dqwo"));
}

#[test]
fn request_without_a_required_attribute_is_refused() {
    let config =
        || json!({ "headers": { "X-User": "user" }, "required": ["user", "address.city"] });
    let whole = json!({ "user": "anna", "address": { "city": "Bonn" } });
    assert_eq!(passed(config(), whole).unwrap().as_deref(), Some("anna"));

    for lacking in [
        json!({}),
        json!({ "user": "anna" }),
        json!({ "user": "", "address": { "city": "Bonn" } }),
    ] {
        let failure = passed(config(), lacking.clone()).unwrap_err();

        assert_eq!(failure.kind(), Kind::UNAUTHORIZED, "{lacking}");
        assert_eq!(failure.reason(), "attribute-required");
    }
}

#[test]
fn request_without_a_session_lacks_what_is_required() {
    let gateway = TestGateway::new();
    let config = json!({ "headers": { "X-User": "user" }, "required": ["user"] });
    let mut exchange = gateway.exchange("GET", "/");

    let failure = exchange
        .run(&made(&gateway, config).unwrap(), 200)
        .unwrap_err();

    assert_eq!(failure.kind(), Kind::UNAUTHORIZED);
}

#[test]
fn required_attribute_without_a_name_is_a_fault() {
    let config = json!({ "headers": { "X-User": "user" }, "required": [""] });

    let faults = made(&TestGateway::new(), config).unwrap_err();

    assert_eq!(
        faults.to_string(),
        "required: expected names of session attributes, found an empty one"
    );
}

fn map(headers: Value, attributes: Value) -> Result<Option<String>, Failure> {
    passed(json!({ "headers": headers }), attributes)
}

/// What the upstream finds in `X-User`.
fn passed(config: Value, attributes: Value) -> Result<Option<String>, Failure> {
    let gateway = TestGateway::new();
    let middleware = made(&gateway, config).unwrap();
    let session = TestSession::new(attributes).handle();
    let mut exchange = gateway.exchange("GET", "/").with_session(session);
    exchange.run(&middleware, 200)?;
    Ok(exchange.request_header("x-user").map(str::to_owned))
}

fn middleware(gateway: &TestGateway, headers: Value) -> Result<MiddlewareHandle, Faults> {
    made(gateway, json!({ "headers": headers }))
}

fn made(gateway: &TestGateway, config: Value) -> Result<MiddlewareHandle, Faults> {
    let config = serde_json::from_value(config).unwrap();
    MapSessionToHeaderMiddleware::new(config, &gateway.services()).map(MiddlewareHandle::new)
}
