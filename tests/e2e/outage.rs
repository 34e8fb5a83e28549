//! A storage that does not answer never looks like a visitor without a session.

use e2e::{Gateway, Message, Redis, Request, Site, Upstream, plugins, until, until_some};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn outage_is_a_503_that_clears_no_cookie_and_the_session_is_there_afterwards() {
    let mut redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = without_copies(&redis, &upstream);
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
    let gateway = without_copies(&redis, &upstream);

    redis.kill();
    let login = gateway.browser().get("/login");

    is_outage(&login);
}

#[test]
fn visitors_without_a_cookie_do_not_notice_the_outage() {
    let mut redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = without_copies(&redis, &upstream);

    redis.kill();
    let response = gateway.browser().get("/");

    assert_eq!(response.status(), 200);
}

#[test]
fn frozen_redis_is_an_outage_and_not_a_hang() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = without_copies(&redis, &upstream);
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
    let gateway = without_copies(&redis, &upstream);

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
    let gateway = without_copies(&redis, &upstream);
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
    until_some("the outage is over", || {
        Some(ask()).filter(|response| response.status() != 503)
    })
}

#[test]
fn under_stale_a_session_is_served_from_a_copy_for_as_long_as_copies_count() {
    let (mut redis, upstream) = (Redis::new(), anna::upstream());
    let gateway = cached("maxStaleness: 8s", "stale", &redis, &upstream);
    let mut browser = log_in(&gateway);
    // The news of the login may come behind the first copy, and end it.
    until("a copy is served", || {
        let before = redis.calls("get");
        assert_eq!(browser.get("/").status(), 200);
        redis.calls("get") == before
    });

    redis.kill();
    let served = browser.get("/");
    let was_anna = identity(&upstream.last()) == is_anna();
    let written = browser.get("/login");
    let afterwards = until_some("the copy no longer counts", || {
        Some(browser.get("/")).filter(|response| response.status() == 503)
    });
    redis.start();

    assert_eq!((served.status(), was_anna), (200, true));
    assert_eq!(served.header("set-cookie"), None);
    is_outage(&written);
    is_outage(&afterwards);
}

#[test]
fn under_anonymous_users_are_strangers_until_the_storage_is_back() {
    let (mut redis, upstream) = (Redis::new(), anna::upstream());
    let gateway = cached("enabled: false", "anonymous", &redis, &upstream);
    let mut browser = log_in(&gateway);

    redis.kill();
    let served = browser.get("/");
    let during = identity(&upstream.last());
    let written = browser.get("/login");
    let sensitive = browser.get("/admin/users");
    redis.start();
    until("the storage is back", || {
        browser.get("/");
        identity(&upstream.last()) == is_anna()
    });

    assert_eq!((served.status(), during), (200, (None, None)));
    assert_eq!(served.header("set-cookie"), None);
    is_outage(&written);
    is_outage(&sensitive);
}

/// A gateway that notices an outage with the next request: none can be served from a copy that is good still.
fn without_copies(redis: &Redis, upstream: &Upstream) -> Gateway {
    let config = format!(
        "host: '{}', timeout: 1s, connectTimeout: 1s, localCache: {{ enabled: false }}",
        redis.socket().display()
    );
    let site = Site::new(upstream).storage("plugins.session.storages.RedisStorage", &config);
    site.run()
}

/// A gateway with this local cache and this policy.
fn cached(local_cache: &str, policy: &str, redis: &Redis, upstream: &Upstream) -> Gateway {
    let socket = redis.socket();
    let config = format!(
        "host: '{}', localCache: {{ {local_cache} }}",
        socket.display()
    );
    let keys = format!("onStorageFailure: {policy}, sensitivePaths: [/admin/*]");
    let site = Site::new(upstream).storage("plugins.session.storages.RedisStorage", &config);
    site.load(&keys).run()
}
