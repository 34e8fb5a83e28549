//! A storage that does not answer never looks like a visitor without a session.

use e2e::{Message, Redis, Request, Site, plugins};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn outage_is_a_503_that_clears_no_cookie_and_the_session_is_there_afterwards() {
    let mut redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();
    let mut browser = log_in(&gateway);
    let asked = upstream.seen().len();

    redis.kill();
    let during = browser.get("/");
    redis.start();
    let after = until_answered(|| browser.get("/"));

    is_outage(&during);
    assert_eq!(after.status(), 200);
    assert_eq!(identity(&upstream.last()), is_anna());
    assert_eq!(upstream.seen().len(), asked + 1);
}

#[test]
fn login_during_an_outage_sets_no_cookie() {
    let mut redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();

    redis.kill();
    let login = gateway.browser().get("/login");

    is_outage(&login);
}

#[test]
fn visitors_without_a_cookie_do_not_notice_the_outage() {
    let mut redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();

    redis.kill();
    let response = gateway.browser().get("/");

    assert_eq!(response.status(), 200);
}

#[test]
fn frozen_redis_is_an_outage_and_not_a_hang() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();
    let mut browser = log_in(&gateway);

    redis.freeze();
    let during = browser.get("/");
    redis.thaw();
    let after = until_answered(|| browser.get("/"));

    is_outage(&during);
    assert_eq!(
        (after.status(), identity(&upstream.last())),
        (200, is_anna())
    );
}

#[test]
fn client_cannot_send_a_mapped_header_during_an_outage() {
    let mut redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();

    redis.kill();
    gateway
        .browser()
        .send(Request::get("/").header("X_User-Id", "mallory"));

    assert!(!String::from_utf8_lossy(&upstream.last().head).contains("mallory"));
}

#[test]
fn readiness_follows_the_storage() {
    let mut redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();
    let status = |path: &str| gateway.browser().get(path).status();

    let before = until_answered(|| gateway.browser().get("/health/ready")).status();
    redis.kill();
    let during = [status("/health/ready"), status("/health/live")];
    redis.start();
    let after = until_answered(|| gateway.browser().get("/health/ready")).status();

    assert_eq!((before, during, after), (200, [503, 200], 200));
}

#[test]
fn storage_that_panics_or_refuses_is_an_outage() {
    for answer in ["panic", "unavailable"] {
        let upstream = anna::upstream();
        let site = Site::new(&upstream).plugin(plugins::fixture("trouble"));
        let gateway = site
            .storage(
                "plugins.trouble.storages.TroubledStorage",
                &format!("answer: {answer}"),
            )
            .run();
        let mut browser = gateway.browser();
        browser.put_cookie("session_id", &"A".repeat(43));

        is_outage(&browser.get("/"));
    }
}

#[track_caller]
pub(crate) fn is_outage(response: &Message) {
    assert_eq!(response.status(), 503, "{:?}", response.text());
    assert!(response.header("retry-after").is_some());
    assert_eq!(response.header("set-cookie"), None);
}

/// Asks again as a client does that minds `Retry-After`, until the storage is back. The supervisor of the connection
/// waits before it tries again, so nobody can say which request is the first to be served. Each 503 takes its time: the
/// gateway waits for a connection before it gives up.
pub(crate) fn until_answered(mut ask: impl FnMut() -> Message) -> Message {
    let began = std::time::Instant::now();
    loop {
        let response = ask();
        if response.status() != 503 || began.elapsed() > e2e::PATIENCE {
            return response;
        }
    }
}
