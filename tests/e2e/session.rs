//! What an upstream writes into the session, and what the next request is mapped to.

use e2e::{Answer, Request, Site};

use crate::anna::{self, identity, is_anna, log_in, writes_session};

#[test]
fn upstream_logs_a_user_in_and_the_next_request_carries_the_user() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let mut browser = log_in(&gateway);

    browser.get("/");

    assert_eq!(identity(&upstream.last()), is_anna());
}

#[test]
fn session_header_of_the_upstream_never_reaches_the_client() {
    let upstream = anna::upstream();
    writes_session(&upstream, "/broken", "{not json");
    let gateway = Site::new(&upstream).run();

    for path in ["/login", "/logout", "/broken"] {
        let response = gateway.browser().get(path);

        assert_eq!(
            (response.status(), response.header("x-session-set")),
            (200, None),
            "{path}"
        );
    }
}

#[test]
fn visitor_without_a_session_has_no_identity() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();

    let response = gateway.browser().get("/");

    assert_eq!(identity(&upstream.last()), (None, None));
    assert_eq!(response.header("set-cookie"), None);
}

#[test]
fn attributes_are_merged_and_null_removes_one() {
    let upstream = anna::upstream();
    writes_session(
        &upstream,
        "/forget",
        r#"{"authorization":null,"theme":"dark"}"#,
    );
    let gateway = Site::new(&upstream)
        .headers("X-User-Id: user_id, Authorization: authorization, X-Theme: theme")
        .run();
    let mut browser = log_in(&gateway);

    browser.get("/forget");
    browser.get("/");

    assert_eq!(identity(&upstream.last()), (Some("anna".to_owned()), None));
    assert_eq!(upstream.last().header("x-theme").as_deref(), Some("dark"));
}

#[test]
fn destroyed_session_is_over_for_everybody_who_has_its_cookie() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let mut browser = log_in(&gateway);
    let mut copy = browser.clone();

    let logout = browser.get("/logout");
    copy.get("/");

    let cleared = logout.header("set-cookie").unwrap_or_default();
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
    assert_eq!(identity(&upstream.last()), (None, None));
}

#[test]
fn change_of_user_gives_a_new_id_and_ends_the_old_one() {
    let upstream = anna::upstream();
    writes_session(&upstream, "/switch", r#"{"user_id":"ben"}"#);
    let gateway = Site::new(&upstream).run();
    let mut browser = log_in(&gateway);
    let mut fixated = browser.clone();

    browser.get("/switch");
    browser.get("/");
    let switched = identity(&upstream.last()).0;
    fixated.get("/");

    assert_ne!(browser.cookie("session_id"), fixated.cookie("session_id"));
    assert_eq!(switched.as_deref(), Some("ben"));
    assert_eq!(identity(&upstream.last()).0, None);
}

#[test]
fn response_with_a_cookie_is_kept_out_of_caches() {
    let upstream = anna::upstream();
    upstream.answer(
        "/login",
        Answer::ok()
            .header("X-Session-Set", anna::SESSION)
            .header("Cache-Control", "public, max-age=60"),
    );
    let gateway = Site::new(&upstream).run();

    let login = gateway.browser().get("/login");

    assert_eq!(login.header("cache-control").as_deref(), Some("no-store"));
}

#[test]
fn cookies_of_the_upstream_pass_beside_ours() {
    let upstream = anna::upstream();
    upstream.answer(
        "/login",
        Answer::ok()
            .header("X-Session-Set", anna::SESSION)
            .header("Set-Cookie", "theme=dark"),
    );
    let gateway = Site::new(&upstream).run();

    let cookies = gateway.browser().get("/login").values("set-cookie");

    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(cookies.contains(&"theme=dark".to_owned()), "{cookies:?}");
}

#[test]
fn weak_defaults_are_named_when_the_gateway_starts() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();

    for key in [
        "storage is not set",
        "cookieHTTPOnly is false",
        "cookieSecure is false",
    ] {
        gateway.logged(key);
    }
}

#[test]
fn session_is_hidden_from_later_middlewares_when_told_so() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("disableSessionForward: true")
        .run();
    let mut browser = log_in(&gateway);

    browser.send(Request::get("/").header("X-User-Id", "mallory"));

    assert_eq!(identity(&upstream.last()), (None, None));
}

#[test]
fn cookie_has_the_attributes_that_were_asked_for() {
    let upstream = anna::upstream();
    let keys =
        "cookieHTTPOnly: true, cookieSecure: true, cookieSameSite: Strict, cookieExpiration: 90s";
    let gateway = Site::new(&upstream).load(keys).run();

    let cookie = gateway
        .browser()
        .get("/login")
        .header("set-cookie")
        .unwrap();

    let (_, attributes) = cookie.split_once("; ").unwrap();
    let mut attributes: Vec<&str> = attributes
        .split("; ")
        .filter(|part| !part.starts_with("Expires=") && !part.starts_with("Max-Age="))
        .collect();
    attributes.sort_unstable();
    assert!(anna::lives_for(&cookie, 90), "{cookie}");
    assert_eq!(
        attributes,
        ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    );
}

#[test]
fn same_site_is_understood_as_a_number_too() {
    let upstream = anna::upstream();
    for (number, name) in [(2, "Lax"), (3, "Strict"), (4, "None")] {
        let keys = format!("cookieSecure: true, cookieSameSite: {number}");
        let gateway = Site::new(&upstream).load(&keys).run();

        let cookie = gateway.browser().get("/login").header("set-cookie");

        let cookie = cookie.unwrap();
        let attribute = format!("SameSite={name}");
        assert!(cookie.split("; ").any(|part| part == attribute), "{cookie}");
    }
}

#[test]
fn session_only_cookie_has_no_end() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).load("cookieSessionOnly: true").run();

    let cookie = gateway
        .browser()
        .get("/login")
        .header("set-cookie")
        .unwrap();

    assert!(
        !cookie.contains("Max-Age") && !cookie.contains("Expires"),
        "{cookie}"
    );
}
