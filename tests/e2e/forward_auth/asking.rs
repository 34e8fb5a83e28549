//! What the gateway answers to proxies, and to those who are none.

use e2e::{Message, Request, Site, Upstream, until};

use crate::anna::{identity, is_anna, log_in};

#[test]
fn answer_has_the_mapped_headers_and_nothing_else_of_the_request() {
    let gateway = trusting("127.0.0.1").run();
    let mut browser = log_in(&gateway);

    let response = browser.send(asked().header("X-Secret", "s").header("Referer", "/"));

    assert_eq!(response.status(), 200);
    assert_eq!(identity(&response), is_anna());
    let mut names: Vec<_> = response
        .headers()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort();
    let expected = [
        "authorization",
        "cache-control",
        "content-length",
        "date",
        "x-user-id",
    ];
    assert_eq!(names, expected);
    assert_eq!(response.body, b"");
}

#[test]
fn visitor_without_a_session_has_no_mapped_headers() {
    let gateway = trusting("127.0.0.1").run();

    let response = gateway
        .browser()
        .send(asked().header("X-User-Id", "mallory"));

    assert_eq!(
        (response.status(), identity(&response)),
        (200, (None, None))
    );
}

#[test]
fn stranger_is_told_nothing() {
    let gateway = trusting("192.0.2.1").run();
    let mut browser = log_in(&gateway);

    let response = browser.send(asked());

    assert_eq!(
        (response.status(), identity(&response)),
        (403, (None, None))
    );
    gateway.logged("untrusted-proxy");
}

#[test]
fn question_that_is_not_whole_is_refused_with_a_reason() {
    let gateway = trusting("127.0.0.1").run();
    let mut browser = log_in(&gateway);

    for (request, reason) in [
        (Request::get("/authorize"), "original-missing"),
        (
            asked().header("X-Original-URI", "/public"),
            "original-ambiguous",
        ),
        (
            asked().header("X-Forwarded-Uri", "/public"),
            "original-ambiguous",
        ),
        (asked().header("X_User_Id", "mallory"), "forged-header"),
    ] {
        let response = browser.send(request);

        assert_eq!(
            (response.status(), identity(&response)),
            (400, (None, None)),
            "{reason}"
        );
        gateway.logged(reason);
    }
}

#[test]
fn middlewares_see_the_original_request() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream)
        .server("trustedProxies: [127.0.0.1]")
        .load("sensitivePaths: ['/admin/*'], strategy: cookieCache, secrets: ['0123456789abcdef0123456789abcdef']")
        .action("Authorize: { use: gateway.actions.AuthorizeAction }")
        .route("path: /authorize/*, middlewares: [Load, Map], action: Authorize")
        .run();
    crate::anna::writes_session(&upstream, "/login", crate::anna::SESSION);
    crate::anna::writes_session(&upstream, "/logout", "destroy");
    let browser = log_in(&gateway);
    browser.clone().get("/logout");

    // A snapshot still counts, but not on sensitive paths.
    for (path, is_known) in [("/page", true), ("/admin", false), ("/%61dmin//x", false)] {
        let question = Request::get(&format!("/authorize{path}"));
        let response = browser
            .clone()
            .send(question.header("X-Forwarded-Proto", "https"));

        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(identity(&response) == is_anna(), is_known, "{path}");
    }
}

#[test]
fn route_that_nobody_may_ask_is_a_fault() {
    let site = Site::bare()
        .action("Authorize: { use: gateway.actions.AuthorizeAction }")
        .route("path: '/authorize/:name', action: Authorize");

    let verdict = site.refused();

    verdict.assert_refused(
        "routes[0].action: AuthorizeAction answers proxies, and server.trustedProxies names none",
    );
    verdict
        .assert_refused("routes[0].path: expected a path without parameters for AuthorizeAction");
}

#[test]
fn outage_is_told_to_the_proxy_as_one() {
    let mut redis = e2e::Redis::new();
    let gateway = trusting("127.0.0.1").redis(&redis).run();
    let mut browser = log_in(&gateway);
    redis.kill();
    let outage =
        |response: &Message| response.status() == 503 && identity(response) == (None, None);

    // A copy may be good still.
    until("the outage is noticed", || outage(&browser.send(asked())));
}

/// A gateway behind a proxy at that address, where `/login` is the upstream's.
fn trusting(proxy: &str) -> Site {
    Site::new(&crate::anna::upstream())
        .server(&format!("trustedProxies: ['{proxy}']"))
        .action("Authorize: { use: gateway.actions.AuthorizeAction }")
        .route("path: /authorize, middlewares: [Load, Map], action: Authorize")
}

/// A question in the words of Caddy.
fn asked() -> Request {
    Request::get("/authorize")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Uri", "/page")
        .header("X-Forwarded-Host", "site.test")
        .header("X-Forwarded-Proto", "http")
}
