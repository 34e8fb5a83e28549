//! What `onStorageFailure` makes of an outage.

use std::time::{Duration, Instant};

use e2e::{Browser, Gateway, Message, PATIENCE, Redis, Upstream, until_some};
use serde_json::json;

use super::{people, site};
use crate::outage::is_outage;

#[test]
fn anonymous_visitors_are_strangers_for_a_while_and_keep_their_cookie() {
    let mut desk = Desk::open("anonymous", "2s");
    let mut browser = desk.log_in();

    desk.redis.kill();
    let during = desk.until(&mut browser, |answer| !is_known(answer));
    let login = desk.gateway.browser().send(people::login("ben"));
    desk.redis.start();

    assert_eq!((during.status(), during.header("set-cookie")), (200, None));
    is_outage(&login);
    desk.until(&mut browser, is_known);
}

#[test]
fn stale_copies_serve_readers_and_refuse_writers() {
    let mut desk = Desk::open("stale", "1m");
    let mut browser = desk.log_in();
    let cookie = browser.cookie("session_id");

    desk.redis.kill();
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        let answer = browser.get("/who");
        assert!(is_known(&answer), "{:?}", answer.text());
        assert_eq!(answer.header("set-cookie"), None);
    }
    let write = browser.send(people::write(r#"{"seen":1}"#));
    let logout = browser.send(people::write("destroy"));
    desk.redis.start();

    is_outage(&write);
    is_outage(&logout);
    desk.until(&mut browser, is_known);
    assert_eq!(browser.cookie("session_id"), cookie);
}

#[test]
fn stale_copies_serve_no_longer_than_they_may() {
    let mut desk = Desk::open("stale", "1s");
    let mut browser = desk.log_in();

    let read = Instant::now();
    desk.redis.kill();
    let mut last = read;
    let refused = loop {
        let asked = Instant::now();
        let answer = browser.get("/who");
        if !is_known(&answer) {
            break answer;
        }
        last = asked;
    };
    desk.redis.start();

    is_outage(&refused);
    assert!(last - read <= Duration::from_secs(1), "{:?}", last - read);
    desk.until(&mut browser, is_known);
}

/// A gateway whose storage is about to fail.
struct Desk {
    redis: Redis,
    gateway: Gateway,
    /// Where people log in: whoever writes a row hears of it later, and has no copy then.
    elsewhere: Gateway,
    _upstream: Upstream,
}

impl Desk {
    fn open(policy: &str, max_staleness: &str) -> Self {
        let (redis, upstream) = (Redis::new(), people::upstream());
        let mut settings = redis.server().settings();
        settings["localCache"] = json!({ "maxStaleness": max_staleness });
        let site = site(&upstream, &settings)
            .load(&format!("onStorageFailure: {policy}"))
            .server("admin: { address: '127.0.0.1:0' }");
        Self {
            gateway: site.run(),
            elsewhere: site.run(),
            redis,
            _upstream: upstream,
        }
    }

    /// Somebody whose session the gateway has copies of.
    #[track_caller]
    fn log_in(&self) -> Browser {
        let browser = people::log_in(&self.elsewhere, NAME);
        let mut browser = browser.at(self.gateway.address());
        let began = Instant::now();
        loop {
            let before = self.copies_used();
            self.until(&mut browser, is_known);
            if self.copies_used() >= before + ROWS {
                return browser;
            }
            assert!(began.elapsed() < PATIENCE, "no copies are kept");
        }
    }

    /// How many rows were at hand, as the gateway counts them.
    fn copies_used(&self) -> u64 {
        let metrics = self.gateway.admin().get("/metrics").text();
        let hits = metrics.lines().find(|line| {
            line.starts_with("session_cache_loads_total") && line.contains("outcome=\"hit\"")
        });
        let count = hits.and_then(|line| line.rsplit(' ').next());
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Asks who it is until the answer is as expected.
    #[track_caller]
    fn until(&self, browser: &mut Browser, is_so: fn(&Message) -> bool) -> Message {
        until_some("the answer is as expected", || {
            Some(browser.get("/who")).filter(is_so)
        })
    }
}

fn is_known(answer: &Message) -> bool {
    answer.status() == 200 && answer.json()["headers"]["x-user-id"] == *NAME
}

const NAME: &str = "anna";
/// That a request reads: the session's and its user's.
const ROWS: u64 = 2;
