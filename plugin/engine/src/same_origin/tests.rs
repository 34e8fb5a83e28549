use abi::testing::{TestExchange, TestGateway};

use super::*;

#[test]
fn page_of_this_origin_is_believed() {
    for headers in [
        &[("sec-fetch-site", "same-origin")] as &[_],
        &[("origin", "http://app.test")],
        &[("origin", "http://app.test:80")],
        &[("origin", "https://app.test")],
        &[("referer", "http://app.test/login?x=1")],
        // Something in front gave the request another host; the browser still knows.
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://outside.test"),
        ],
    ] {
        assert!(post(headers), "{headers:?}");
    }
}

#[test]
fn page_of_another_origin_is_not_believed_whatever_else_it_says() {
    for headers in [
        &[("sec-fetch-site", "cross-site")] as &[_],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "")],
        &[("sec-fetch-site", "Same-Origin")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://app.test"),
        ],
        &[("origin", "http://evil.test")],
        &[("origin", "null")],
        &[("origin", "http://app.test:8080")],
        &[("origin", "http://app.test.evil.test")],
        &[("origin", "http://evil@app.test")],
        &[("origin", "http://app.test/")],
        &[
            ("origin", "http://evil.test"),
            ("referer", "http://app.test/"),
        ],
        &[("origin", "http://evil.test"), JSON],
        &[("referer", "http://evil.test/http://app.test/")],
        &[("referer", "about:blank")],
        &[("origin", "http://app.test"), ("origin", "http://app.test")],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
    ] {
        assert!(!post(headers), "{headers:?}");
    }
}

#[test]
fn program_is_believed_where_no_form_could_have_sent_it() {
    let types = [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/x-www-form-urlencoded", false),
        ("multipart/form-data; boundary=application/json", false),
        ("text/plain", false),
        ("", false),
    ];
    for (content_type, expected) in types {
        let headers = [("content-type", content_type)];
        assert_eq!(post(&headers), expected, "{content_type}");
    }
    assert!(!post(&[]));
    let gateway = TestGateway::new();
    for (method, expected) in [
        ("DELETE", true),
        ("PUT", true),
        ("GET", false),
        ("HEAD", false),
    ] {
        let believed = is_believed(&gateway, gateway.exchange(method, "/"));
        assert_eq!(believed, expected, "{method}");
    }
}

#[test]
fn request_that_came_over_tls_is_not_changed_by_a_page_without() {
    for (origin, expected) in [("https://app.test", true), ("http://app.test", false)] {
        let gateway = TestGateway::new();
        let exchange = with(gateway.exchange("POST", "/"), &[("origin", origin)]);

        let believed = is_believed(&gateway, exchange.over_tls());

        assert_eq!(believed, expected, "{origin}");
    }
}

#[test]
fn link_is_followed_from_a_page_of_this_origin_or_from_the_address_bar() {
    for (name, value, expected) in [
        ("sec-fetch-site", "same-origin", true),
        ("sec-fetch-site", "none", true),
        ("sec-fetch-site", "same-site", false),
        ("sec-fetch-site", "cross-site", false),
        ("referer", "http://app.test/a", true),
        ("referer", "http://evil.test/", false),
        ("x-nothing", "at all", false),
    ] {
        let gateway = TestGateway::new();
        let same_origin = SameOrigin::new(&gateway.services()).unwrap();
        let mut exchange = with(gateway.exchange("GET", "/logout"), &[(name, value)]);

        let believed = same_origin.check_link(&exchange.lend()).is_ok();

        assert_eq!(believed, expected, "{name}: {value}");
    }
}

#[test]
fn refusal_has_a_reason_that_does_not_change() {
    let gateway = TestGateway::new();
    let same_origin = SameOrigin::new(&gateway.services()).unwrap();
    let mut exchange = gateway.exchange("GET", "/");

    let failure = same_origin.check(&exchange.lend()).unwrap_err();

    assert_eq!(failure.kind(), Kind::FORBIDDEN);
    assert_eq!(failure.reason(), "cross-origin");
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn post(headers: &[(&str, &str)]) -> bool {
    let gateway = TestGateway::new();
    let exchange = gateway.exchange("POST", "/login");
    is_believed(&gateway, with(exchange, headers))
}

fn with(exchange: TestExchange, headers: &[(&str, &str)]) -> TestExchange {
    let exchange = exchange.with_header("host", "app.test");
    headers.iter().fold(exchange, |exchange, (name, value)| {
        exchange.with_header(name, value)
    })
}

fn is_believed(gateway: &TestGateway, mut exchange: TestExchange) -> bool {
    let same_origin = SameOrigin::new(&gateway.services()).unwrap();
    same_origin.check(&exchange.lend()).is_ok()
}
