//! Where the session key is looked for, and what of it is forwarded.

use e2e::{Gateway, Request, Site, Upstream};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn key_is_found_in_a_header_and_told_in_one() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("keyLookup: 'header:X-Session'")
        .run();

    let login = gateway.browser().get("/login");
    let key = login
        .header("x-session")
        .expect("the key is in the response");
    gateway
        .browser()
        .send(Request::get("/").header("X-Session", &key));

    assert_eq!(login.header("set-cookie"), None);
    assert_eq!(identity(&upstream.last()), is_anna());
    assert_eq!(upstream.last().header("x-session"), None);
}

#[test]
fn key_is_found_in_the_query_and_taken_out_of_it() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("keyLookup: ['cookie:session_id', 'query:session']")
        .run();
    let key = log_in(&gateway).cookie("session_id").unwrap();

    gateway.browser().get(&format!("/?a=1&session={key}&b=2"));

    assert_eq!(identity(&upstream.last()), is_anna());
    assert_eq!(upstream.last().start_line(), "GET /?a=1&b=2 HTTP/1.1");
}

#[test]
fn places_are_tried_in_order() {
    let (gateway, upstream) = with_two_places();
    let key = log_in(&gateway).cookie("session_id").unwrap();
    let nobody = "A".repeat(43);

    for (cookie, header) in [(&key, &nobody), (&nobody, &key)] {
        let request = Request::get("/").header("Cookie", &format!("session_id={cookie}"));
        gateway.browser().send(request.header("X-Session", header));

        assert_eq!(identity(&upstream.last()), is_anna());
    }
}

#[test]
fn key_is_not_forwarded_from_any_place() {
    let (gateway, upstream) = with_two_places();
    let key = log_in(&gateway).cookie("session_id").unwrap();

    let request = Request::get("/").header("Cookie", &format!("a=1; session_id={key}; b=2"));
    gateway.browser().send(request.header("X-Session", &key));

    let seen = upstream.last();
    assert_eq!(seen.header("cookie").as_deref(), Some("a=1; b=2"));
    assert!(!String::from_utf8_lossy(&seen.head).contains(&key));
}

#[test]
fn key_is_forwarded_when_told_so() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).load("forwardSessionKey: true").run();
    let mut browser = log_in(&gateway);

    browser.get("/");

    let expected = format!("session_id={}", browser.cookie("session_id").unwrap());
    assert_eq!(upstream.last().header("cookie"), Some(expected));
}

#[test]
fn cookie_of_another_name_is_used_when_told_so() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("keyLookup: 'cookie:__Host-sid', cookieSecure: true")
        .run();
    let mut browser = gateway.browser();

    browser.get("/login");
    browser.get("/");

    assert!(browser.cookie("__Host-sid").is_some());
    assert_eq!(identity(&upstream.last()), is_anna());
}

fn with_two_places() -> (Gateway, Upstream) {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("keyLookup: ['cookie:session_id', 'header:X-Session']")
        .run();
    (gateway, upstream)
}
