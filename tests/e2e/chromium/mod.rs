//! What a real browser makes of the session's cookie. Names that end in `localhost` are secure to it without TLS.

mod rules;

use e2e::{Answer, Chromium, Gateway, Message, Site, Upstream, until};
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
    let (gateway, upstream) = app("cookieExpiration: 60s, autoRenewAfter: 1s, rotationGrace: 1s");
    let mut chromium = Chromium::start();
    chromium.visit(&url(&gateway, "localhost", "/app/login"));
    let first = cookie(&mut chromium)["value"].clone();

    until("the cookie is renewed", || {
        chromium.visit(&url(&gateway, "localhost", "/app"));
        cookie(&mut chromium)["value"] != first
    });

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
        ("localhost", "cookieSameSite: Strict, cookieHTTPOnly: true"),
        ("localhost", "cookieSameSite: None, cookieSecure: true"),
        ("localhost", "cookiePath: /app"),
        ("example.test", "cookieDomain: example.test"),
        ("www.example.test", "cookieDomain: example.test"),
        (
            "www.example.test",
            "cookieDomain: example.test, cookiePath: /app",
        ),
        ("localhost", "cookieDomain: localhost"),
        ("localhost", "cookiePartitioned: true, cookieSecure: true"),
        (
            "www.app.localhost",
            "cookiePartitioned: true, cookieSecure: true, cookieSameSite: None, cookieDomain: app.localhost",
        ),
        (
            "localhost",
            "keyLookup: 'cookie:__Secure-id', cookieSecure: true",
        ),
        (
            "www.app.localhost",
            "keyLookup: 'cookie:__Secure-id', cookieSecure: true, cookieDomain: app.localhost, cookiePath: /app",
        ),
        (
            "localhost",
            "keyLookup: 'cookie:__Host-id', cookieSecure: true",
        ),
        (
            "localhost",
            "keyLookup: 'cookie:__Host-id', cookieSecure: true, cookiePartitioned: true, cookieSameSite: None",
        ),
        (
            "localhost",
            "keyLookup: 'cookie:__Http-id', cookieSecure: true, cookieHTTPOnly: true",
        ),
        (
            "localhost",
            "keyLookup: 'cookie:__Host-Http-id', cookieSecure: true, cookieHTTPOnly: true",
        ),
    ] {
        let (gateway, upstream) = app(&format!("forwardSessionKey: true, {keys}"));
        let mut visit = |path: &str| {
            chromium.visit(&url(&gateway, host, path));
            latest(&upstream)
        };

        visit("/app");
        visit("/app/login");
        assert_eq!(identity(&visit("/app")), is_anna(), "{host} {keys}");
        visit("/app/logout");
        let request = visit("/app");

        assert_eq!(request.header("cookie"), None, "{host} {keys}");
        assert_eq!(identity(&request), (None, None), "{host} {keys}");
    }
}

#[test]
fn cookie_of_a_domain_is_shared_with_its_hosts_until_logout() {
    let (gateway, upstream) = app("forwardSessionKey: true, cookieDomain: example.test");
    let mut chromium = Chromium::start();
    let mut visit = |host: &str, path: &str| {
        chromium.visit(&url(&gateway, host, path));
        latest(&upstream)
    };

    visit("www.example.test", "/app");
    visit("www.example.test", "/app/login");
    for host in ["example.test", "www.example.test", "a.b.example.test"] {
        assert_eq!(identity(&visit(host, "/app")), is_anna(), "{host}");
    }
    visit("a.b.example.test", "/app/logout");

    for host in ["example.test", "www.example.test", "a.b.example.test"] {
        assert_eq!(visit(host, "/app").header("cookie"), None, "{host}");
    }
}

#[test]
fn login_and_logout_take_back_the_twin_that_a_script_has_planted() {
    let (gateway, upstream) =
        app("forwardSessionKey: true, cookieDomain: example.test, cookieHTTPOnly: true");
    let app = url(&gateway, "www.example.test", "/app");
    let mut chromium = Chromium::start();
    chromium.visit(&app);
    let planted = format!("session_id={}", "B".repeat(43));
    let plant = format!("document.cookie = '{planted}; Path=/'");

    chromium.run(&plant);
    chromium.visit(&format!("{app}/login"));
    chromium.visit(&app);
    let alone = latest(&upstream);
    chromium.run(&plant);
    chromium.visit(&app);
    let both = latest(&upstream);
    chromium.visit(&format!("{app}/logout"));
    chromium.visit(&app);

    let cookies = |request: &Message| request.header("cookie").unwrap();
    assert!(!cookies(&alone).contains(&planted), "{}", cookies(&alone));
    assert!(
        cookies(&both).contains(&planted) && cookies(&both).matches("session_id=").count() == 2,
        "{}",
        cookies(&both)
    );
    assert_eq!(identity(&alone), is_anna());
    assert_eq!(identity(&both), is_anna());
    assert_eq!(latest(&upstream).header("cookie"), None);
}

#[test]
fn cookie_of_a_path_stays_below_it() {
    let (gateway, upstream) = app("cookiePath: /app");
    let mut chromium = Chromium::start();
    chromium.visit(&url(&gateway, "localhost", "/app/login"));

    for (path, is_known) in [
        ("/app", true),
        ("/app/x", true),
        ("/apple", false),
        ("/", false),
    ] {
        chromium.visit(&url(&gateway, "localhost", path));

        assert_eq!(
            identity(&latest_at(&upstream, path)) == is_anna(),
            is_known,
            "{path}"
        );
    }
}

#[test]
fn partitioned_cookie_is_apart_for_each_site_that_embeds_the_application() {
    let (gateway, upstream) =
        app("cookiePartitioned: true, cookieSecure: true, cookieSameSite: None");
    for path in ["/app", "/app/login", "/app/logout"] {
        let embedded = url(&gateway, "localhost", path);
        page(
            &upstream,
            &format!("/embeds{path}"),
            &format!("<iframe src='{embedded}'></iframe>"),
        );
    }
    let mut chromium = Chromium::start();
    let mut is_known_at = |host: &str, path: &str| {
        chromium.visit(&url(&gateway, host, &format!("/embeds{path}")));
        chromium.visit(&url(&gateway, host, "/embeds/app"));
        identity(&latest(&upstream)) == is_anna()
    };

    assert!(is_known_at("one.test", "/app/login"));
    assert!(!is_known_at("two.test", "/app"));
    assert!(is_known_at("two.test", "/app/login"));
    assert!(!is_known_at("one.test", "/app/logout"));
    assert!(is_known_at("two.test", "/app"));
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
fn latest(upstream: &Upstream) -> Message {
    latest_at(upstream, "/app")
}

#[track_caller]
fn latest_at(upstream: &Upstream, path: &str) -> Message {
    let mut seen = upstream.seen().into_iter().rev();
    seen.find(|request| request.path() == path)
        .unwrap_or_else(|| panic!("{path} was not visited"))
}

/// The only cookie of the page.
#[track_caller]
fn cookie(chromium: &mut Chromium) -> Value {
    match &chromium.cookies()[..] {
        [only] => only.clone(),
        cookies => panic!("not one cookie: {cookies:#?}"),
    }
}
