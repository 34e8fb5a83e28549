//! What a real browser makes of the session's cookie. Names that end in `localhost` are secure to it without TLS.

mod rules;

use std::time::Instant;

use e2e::{Answer, Chromium, Gateway, PATIENCE, Site, Upstream};
use serde_json::Value;

use crate::anna::{self, identity, is_anna, writes_session};

#[test]
fn cookie_is_set_at_login_and_sent_from_then_on() {
    let (gateway, upstream) = app("");
    let mut chromium = Chromium::start();

    chromium.visit(&url(&gateway, "localhost", "/app/login"));
    let value = cookie(&mut chromium)["value"].clone();
    for _ in 0..3 {
        chromium.visit(&url(&gateway, "localhost", "/app"));

        assert_eq!(identity(&latest(&upstream)), is_anna());
        assert_eq!(cookie(&mut chromium)["value"], value);
    }
}

#[test]
fn renewed_cookie_takes_the_place_of_the_old_one() {
    let (gateway, upstream) = app("cookieExpiration: 60s, autoRenewAfter: 200ms");
    let mut chromium = Chromium::start();
    chromium.visit(&url(&gateway, "localhost", "/app/login"));
    let first = cookie(&mut chromium)["value"].clone();

    let began = Instant::now();
    while cookie(&mut chromium)["value"] == first {
        assert!(began.elapsed() < PATIENCE, "the cookie is not renewed");
        chromium.visit(&url(&gateway, "localhost", "/app"));
    }

    assert_eq!(chromium.cookies().len(), 1);
    assert_eq!(identity(&latest(&upstream)), is_anna());
}

#[test]
fn logout_takes_the_cookie_back_however_it_was_set() {
    let mut chromium = Chromium::start();
    for (host, keys) in [
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("www.example.test", ""),
        ("localhost", "cookieSessionOnly: true"),
        (
            "localhost",
            "cookieHTTPOnly: true, cookieSecure: true, cookieSameSite: Strict",
        ),
        ("localhost", "cookieSecure: true, cookieSameSite: None"),
        (
            "localhost",
            "cookieSecure: true, keyLookup: 'cookie:__Secure-id'",
        ),
        (
            "localhost",
            "cookieSecure: true, keyLookup: 'cookie:__Host-id'",
        ),
        (
            "localhost",
            "cookieSecure: true, cookieHTTPOnly: true, keyLookup: 'cookie:__Http-id'",
        ),
        (
            "localhost",
            "cookieSecure: true, cookieHTTPOnly: true, keyLookup: 'cookie:__Host-Http-id'",
        ),
    ] {
        let (gateway, upstream) = app(&format!("forwardSessionKey: true, {keys}"));

        chromium.visit(&url(&gateway, host, "/app/login"));
        chromium.visit(&url(&gateway, host, "/app"));
        assert_eq!(identity(&latest(&upstream)), is_anna(), "{host} {keys}");
        chromium.visit(&url(&gateway, host, "/app/logout"));
        chromium.visit(&url(&gateway, host, "/app"));

        assert_eq!(latest(&upstream).header("cookie"), None, "{host} {keys}");
        assert_eq!(identity(&latest(&upstream)), (None, None), "{host} {keys}");
    }
}

#[test]
fn script_sees_the_cookie_unless_it_is_http_only() {
    for (keys, is_seen) in [
        ("cookieHTTPOnly: true", false),
        ("cookieHTTPOnly: false", true),
    ] {
        let (gateway, _upstream) = app(keys);
        let mut chromium = Chromium::start();
        chromium.visit(&url(&gateway, "localhost", "/app/login"));

        let seen = chromium.run("return document.cookie");

        assert_eq!(
            seen.as_str().unwrap().contains("session_id="),
            is_seen,
            "{keys}"
        );
        assert_eq!(chromium.cookies().len(), 1, "{keys}");
    }
}

#[test]
fn link_from_another_site_brings_a_lax_cookie_and_no_strict_one() {
    for (same_site, arrives) in [("Lax", true), ("Strict", false)] {
        let (gateway, upstream) = app(&format!("cookieSameSite: {same_site}"));
        let app = url(&gateway, "app.example.test", "/app");
        page(&upstream, "/elsewhere", &format!("<a href='{app}'>go</a>"));
        let mut chromium = Chromium::start();
        chromium.visit(&url(&gateway, "app.example.test", "/app/login"));

        chromium.visit(&url(&gateway, "localhost", "/elsewhere"));
        chromium.follow_link();

        let is_known = identity(&latest(&upstream)) == is_anna();
        assert_eq!(is_known, arrives, "{same_site}");
    }
}

#[test]
fn form_of_another_site_brings_the_cookie_with_same_site_none_only() {
    for (keys, arrives) in [
        ("cookieSameSite: Lax", false),
        ("cookieSameSite: None, cookieSecure: true", true),
    ] {
        let (gateway, upstream) = app(keys);
        let app = url(&gateway, "localhost", "/app");
        let form = format!("<form method=post action='{app}'><button>go</button></form>");
        page(&upstream, "/elsewhere", &form);
        let mut chromium = Chromium::start();
        chromium.visit(&url(&gateway, "localhost", "/app/login"));

        chromium.visit(&url(&gateway, "evil.example.test", "/elsewhere"));
        chromium.submit_form();

        assert!(latest(&upstream).start_line().starts_with("POST"));
        let is_known = identity(&latest(&upstream)) == is_anna();
        assert_eq!(is_known, arrives, "{keys}");
    }
}

/// An application below `/app`, where Anna can log in and out.
fn app(load: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::start();
    writes_session(&upstream, "/app/login", anna::SESSION);
    writes_session(&upstream, "/app/logout", "destroy");
    (Site::new(&upstream).load(load).run(), upstream)
}

fn page(upstream: &Upstream, path: &str, html: &str) {
    upstream.answer(
        path,
        Answer::ok().header("Content-Type", "text/html").body(html),
    );
}

fn url(gateway: &Gateway, host: &str, path: &str) -> String {
    format!("http://{host}:{}{path}", gateway.address().port())
}

/// The latest request for the application itself: a browser asks for more than it is told to.
#[track_caller]
fn latest(upstream: &Upstream) -> e2e::Message {
    let mut seen = upstream.seen().into_iter().rev();
    seen.find(|request| request.path() == "/app")
        .expect("the application was visited")
}

/// The only cookie of the page.
#[track_caller]
fn cookie(chromium: &mut Chromium) -> Value {
    match &chromium.cookies()[..] {
        [only] => only.clone(),
        cookies => panic!("not one cookie: {cookies:#?}"),
    }
}
