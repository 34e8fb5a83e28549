//! Copies of rows in several gateways: as good as the rows.

use std::thread;
use std::time::{Duration, Instant};

use e2e::{Browser, Gateway, Proxy, Redis};
use engine::storage::server::Setup;
use serde_json::json;

use super::{at_length, people, report, site};

#[test]
fn session_that_is_ended_on_one_gateway_is_soon_over_on_the_others() {
    let redis = Redis::new();
    let [one, other] = gateways(&redis);
    let mut delays: Vec<_> = (0..at_length(20, 1000))
        .map(|_| {
            let mut browser = logged_in(&one);
            let mut copy = browser.at(other.address());
            assert!(is_known(&mut copy));
            end(&mut browser);
            let ended = Instant::now();
            while is_known(&mut copy) {}
            ended.elapsed()
        })
        .collect();

    delays.sort();

    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100].as_micros();
    report(format_args!(
        "Ended on one gateway, over on another, {} times: p50 {} us, p99 {} us, longest {} us.",
        delays.len(),
        at(50),
        at(99),
        at(100)
    ));
}

#[test]
fn gateway_that_hears_nothing_knows_a_session_no_longer_than_its_copies_may_be_stale() {
    let redis = Redis::with(Setup::default().tcp());
    let proxy = Proxy::to(redis.server().address());
    let through = json!({ "host": "127.0.0.1", "port": proxy.address().port() });
    let upstream = people::upstream();
    let one = site(&upstream, &redis.server().settings()).run();
    let deaf = site(&upstream, &through).run();
    let mut browser = logged_in(&one);
    let mut copy = browser.at(deaf.address());
    assert!(is_known(&mut copy));

    proxy.partition();
    end(&mut browser);
    let ended = Instant::now();

    let mut last = None;
    while ended.elapsed() < 2 * MAX_STALENESS {
        let asked = ended.elapsed();
        let answer = copy.get("/who");
        match answer.status() {
            200 if answer.json()["headers"]["x-user-id"] == *NAME => last = Some(asked),
            status => assert_eq!(status, 503, "an outage is not a stranger"),
        }
    }
    assert!(last < Some(MAX_STALENESS), "known {last:?} after its end");
    report(format_args!(
        "Ended on one gateway, known on another that hears nothing: last {last:?} after the end."
    ));
}

#[test]
fn hot_session_is_read_once_in_a_while_by_each_gateway() {
    let redis = Redis::new();
    let upstream = people::upstream();
    let settings = redis.server().settings();
    let gateways = [(); 3].map(|()| site(&upstream, &settings).run());
    let browser = logged_in(&gateways[0]);
    let (requests, lasting) = at_length((300, 3), (10_000, 60));
    redis.run(&["CONFIG", "RESETSTAT"]);
    let began = Instant::now();

    for number in 0..requests {
        let mut browser = browser.at(gateways[number % 3].address());
        assert!(is_known(&mut browser));
        let due = Duration::from_secs(lasting) * u32::try_from(number).unwrap()
            / u32::try_from(requests).unwrap();
        thread::sleep(due.saturating_sub(began.elapsed()));
    }

    let [reads, writes] = ["get", "set"].map(|command| redis.server().calls(command));
    let elapsed = began.elapsed();
    let spans = elapsed.as_millis() / MAX_STALENESS.as_millis() + 1;
    report(format_args!(
        "{requests} requests with one session over 3 gateways in {elapsed:?}: {reads} reads, {writes} writes."
    ));
    // The session and the roster of its user; who writes reads past the copies.
    let most = spans * 3 * 2 + u128::from(writes);
    assert!(u128::from(reads) <= most, "{reads} reads");
    assert!(writes <= 2, "{writes} writes: more than one touch");
}

fn gateways(redis: &Redis) -> [Gateway; 2] {
    let upstream = people::upstream();
    let settings = redis.server().settings();
    [(); 2].map(|()| site(&upstream, &settings).run())
}

#[track_caller]
fn logged_in(gateway: &Gateway) -> Browser {
    people::log_in(gateway, NAME)
}

#[track_caller]
fn is_known(browser: &mut Browser) -> bool {
    let answer = browser.get("/who");
    assert_eq!(answer.status(), 200);
    answer.json()["headers"]["x-user-id"] == *NAME
}

#[track_caller]
fn end(browser: &mut Browser) {
    let ended = browser.send(people::write("destroy"));
    assert_eq!(ended.status(), 200);
}

const NAME: &str = "anna";
/// The default of `localCache.maxStaleness`.
const MAX_STALENESS: Duration = Duration::from_secs(2);
