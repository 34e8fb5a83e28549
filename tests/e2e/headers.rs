//! What reaches the upstream: never what the client made up.

use std::io::{BufRead, Write};

use e2e::{Request, Site, Upstream, converse};

use crate::anna::{self, identity, is_anna, log_in, writes_session};

#[test]
fn client_cannot_send_a_mapped_header_in_any_spelling() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .route("path: /open, action: Forward")
        .run();

    for path in ["/", "/open"] {
        for name in spellings() {
            gateway
                .browser()
                .send(Request::get(path).header(&name, "mallory"));

            let seen = String::from_utf8_lossy(&upstream.last().head).into_owned();
            assert!(!seen.contains("mallory"), "{path} {name}\n{seen}");
        }
    }
}

#[test]
fn session_wins_over_what_the_client_sends() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let mut browser = log_in(&gateway);

    let forged = Request::get("/")
        .header("x-user-id", "mallory")
        .header("X_USER_ID", "mallory");
    browser.send(
        forged
            .header("authorization", "Bearer forged")
            .header("Authorization", "Basic forged"),
    );

    let seen = upstream.last();
    assert_eq!(identity(&seen), is_anna());
    assert!(!String::from_utf8_lossy(&seen.head).contains("forged"));
}

#[test]
fn connection_header_cannot_remove_what_is_mapped() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let mut browser = log_in(&gateway);

    browser.send(Request::get("/").header("Connection", "close, X-User-Id, Authorization"));

    assert_eq!(identity(&upstream.last()), is_anna());
}

#[test]
fn trailers_cannot_bring_what_headers_cannot() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\
                   Trailer: X-User-Id\r\n\r\n2\r\nhi\r\n0\r\nX-User-Id: mallory\r\n\r\n";
    upstream.by_hand("/", |_, mut line| {
        let mut seen = String::new();
        while !seen.ends_with("\r\n\r\n") && line.read_line(&mut seen).is_ok_and(|read| read > 0) {}
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{seen}",
            seen.len()
        );
        let _ = line.get_mut().write_all(answer.as_bytes());
    });

    let answer = converse(gateway.address(), chunked.as_bytes());

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains("mallory"), "{answer}");
}

#[test]
fn numbers_booleans_and_lists_become_text() {
    let upstream = Upstream::start();
    writes_session(
        &upstream,
        "/login",
        r#"{"user_id":42,"admin":true,"roles":["a","b"],"address":{"city":"Ulm"},"rate":1.5}"#,
    );
    let headers =
        "X-User-Id: user_id, X-Admin: admin, X-Roles: roles, X-City: address.city, X-Rate: rate";
    let gateway = Site::new(&upstream).headers(headers).run();
    let mut browser = log_in(&gateway);

    browser.get("/");

    let seen = upstream.last();
    let values = ["x-user-id", "x-admin", "x-roles", "x-city", "x-rate"]
        .map(|name| seen.header(name).unwrap_or_default());
    assert_eq!(values, ["42", "true", "a,b", "Ulm", "1.5"]);
}

#[test]
fn attribute_that_is_missing_or_empty_sets_no_header() {
    let upstream = Upstream::start();
    writes_session(
        &upstream,
        "/login",
        r#"{"user_id":"anna","authorization":"","none":null}"#,
    );
    let gateway = Site::new(&upstream)
        .headers("X-User-Id: user_id, Authorization: authorization, X-None: none, X-No: no")
        .run();
    let mut browser = log_in(&gateway);

    browser.get("/");

    let seen = upstream.last();
    assert_eq!(seen.header("x-user-id").as_deref(), Some("anna"));
    for name in ["authorization", "x-none", "x-no"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

#[test]
fn value_that_cannot_be_a_header_is_refused_and_never_shortened() {
    for value in [r"a\r\nX-Admin: 1", r"a\nb", r"a\u0000b", r"\u007f"] {
        let upstream = Upstream::start();
        writes_session(&upstream, "/login", &format!(r#"{{"user_id":"{value}"}}"#));
        let gateway = Site::new(&upstream).run();
        let mut browser = log_in(&gateway);

        let response = browser.get("/");

        assert_eq!(response.status(), 500, "{value}");
        assert_eq!(upstream.last().path(), "/login", "{value}");
        gateway.logged("X-User-Id");
    }
}

/// Every spelling that some server folds into `X-User-Id` or `Authorization`, and that is a header name at all.
fn spellings() -> Vec<String> {
    let cases: [fn(&str) -> String; 3] = [str::to_owned, str::to_lowercase, str::to_uppercase];
    let separators = [
        "-", "_", ".", "", "--", "-_", "~", "!", "#", "$", "%", "&", "'", "*", "+", "^", "`", "|",
    ];
    let mut spellings = Vec::new();
    for case in cases {
        for separator in separators {
            spellings.push(case("X-User-Id").replace('-', separator));
            spellings.push(format!("{}{separator}", case("X-User-Id")));
            spellings.push(format!("{separator}{}", case("X-User-Id")));
            spellings.push(format!("{}{separator}", case("Authorization")));
        }
    }
    spellings
}
