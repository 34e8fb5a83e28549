//! A session that is used for long gets new ids. The clock of a running gateway is the real one: these tests ask until
//! it has moved on, and one that needs many requests at the same moment waits for that moment.

use std::thread;
use std::time::{Duration, Instant};

use e2e::{Browser, Gateway, PATIENCE, Site, Upstream};

use crate::anna::{self, identity, is_anna, log_in, until_renewed};

#[test]
fn session_past_its_time_gets_a_new_id_and_keeps_its_data() {
    let (gateway, upstream) = renewing();
    let mut browser = log_in(&gateway);

    let response = until_renewed(&mut browser);

    assert_eq!(identity(&upstream.last()), is_anna());
    let cookie = response.header("set-cookie").unwrap_or_default();
    assert!(anna::lives_for(&cookie, 60), "{cookie}");
}

#[test]
fn session_before_its_time_keeps_its_id() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("cookieExpiration: 60s, autoRenewAfter: 30s")
        .run();
    let mut browser = log_in(&gateway);

    let response = browser.get("/");

    assert_eq!(response.header("set-cookie"), None);
}

#[test]
fn old_id_works_for_requests_in_flight() {
    let (gateway, upstream) = renewing();
    let mut browser = log_in(&gateway);
    let mut late = browser.clone();

    until_renewed(&mut browser);
    late.get("/");

    assert_eq!(identity(&upstream.last()), is_anna());
    assert_eq!(late.cookie("session_id"), browser.cookie("session_id"));
}

#[test]
fn requests_that_meet_at_the_renewal_all_keep_the_user_and_agree_on_one_id() {
    let upstream = anna::upstream();
    // Long enough that the successor is not due as well before the last of them is answered.
    let gateway = Site::new(&upstream)
        .load("cookieExpiration: 60s, autoRenewAfter: 2s")
        .run();
    let browser = log_in(&gateway);
    let first = browser.cookie("session_id");

    thread::sleep(Duration::from_millis(2100));
    let ids = at_once(&browser, 16);

    assert!(
        upstream.seen()[1..]
            .iter()
            .all(|seen| identity(seen) == is_anna())
    );
    assert!(ids.iter().all(|id| *id == ids[0]), "several successors");
    assert_ne!(ids[0], first);
}

#[test]
fn session_that_is_not_renewed_ends() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("cookieExpiration: 1500ms, disableAutoRenew: true")
        .run();
    let began = Instant::now();
    let mut browser = log_in(&gateway);

    let response = loop {
        let response = browser.get("/");
        if identity(&upstream.last()) != is_anna() || began.elapsed() > PATIENCE {
            break response;
        }
    };

    assert_eq!(identity(&upstream.last()), (None, None));
    assert!(
        began.elapsed() >= Duration::from_millis(1500),
        "it ended early"
    );
    assert_eq!(response.status(), 200);
}

fn renewing() -> (Gateway, Upstream) {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .load("cookieExpiration: 60s, autoRenewAfter: 200ms")
        .run();
    (gateway, upstream)
}

/// The cookies of copies of a browser after each has made the same request.
fn at_once(browser: &Browser, count: usize) -> Vec<Option<String>> {
    let visit = |mut copy: Browser| {
        copy.get("/");
        copy.cookie("session_id")
    };
    thread::scope(|scope| {
        let visits: Vec<_> = (0..count)
            .map(|_| scope.spawn(|| visit(browser.clone())))
            .collect();
        visits
            .into_iter()
            .map(|visit| visit.join().unwrap())
            .collect()
    })
}
