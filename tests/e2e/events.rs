//! What happens to sessions is told in the log and counted, each time with a reason that people may build alarms on.

use e2e::{Gateway, Redis, Site, Upstream, until};

use crate::anna::{self, identity, log_in, until_renewed, writes_session};

#[test]
fn life_of_a_session_is_told_in_order() {
    let upstream = anna::upstream();
    writes_session(&upstream, "/ben", r#"{"user_id":"ben"}"#);
    let site = watched(&upstream).load("autoRenewAfter: 300ms, cookieExpiration: 60s");
    let gateway = site.run();
    let mut browser = log_in(&gateway);
    until_renewed(&mut browser);
    browser.get("/ben");
    browser.get("/logout");
    gateway.logged(r#"event="revoked""#);

    let mut told = told(&gateway);
    told.dedup();

    let story = [
        ("created", "first-write"),
        ("renewed", "age"),
        ("rotated", "login"),
        ("revoked", "logout"),
    ];
    assert!(is_part_of(&story, &told), "{told:?}");
    for (event, reason) in story {
        assert!(counted(&gateway, event, reason) >= 1, "{event} {reason}");
    }
}

#[test]
fn what_is_refused_is_told_and_counted_with_its_reason() {
    let upstream = anna::upstream();
    let hoard = format!(r#"{{"hoard":"{}"}}"#, "x".repeat(3000));
    writes_session(&upstream, "/hoard", &hoard);
    let limits = "maxBytes: 2KiB, maxSessionsPerPrincipal: 1, onLimit: refuse";
    let gateway = watched(&upstream).load(limits).run();
    let mut browser = log_in(&gateway);

    let second_login = gateway.browser().get("/login");
    let hoarding = browser.get("/hoard");

    assert_eq!((second_login.status(), hoarding.status()), (403, 500));
    for reason in ["too-many-sessions", "too-large"] {
        assert_eq!(counted(&gateway, "refused", reason), 1, "{reason}");
        gateway.logged(&format!(r#"event="refused" reason="{reason}""#));
    }
    browser.get("/");
    assert_eq!(identity(&upstream.last()), anna::is_anna());
}

#[test]
fn session_that_is_older_than_another_gateway_allows_is_told_to_be_expired() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let site = watched(&upstream).redis(&redis);
    let lenient = site.run();
    let strict = site.load("expiration: 1s").run();
    let mut browser = log_in(&lenient).at(strict.address());

    until("it is told to be expired", || {
        browser.get("/");
        counted(&strict, "expired", "absolute") > 0
    });

    assert_eq!(identity(&upstream.last()), (None, None));
    strict.logged(r#"event="expired" reason="absolute""#);
}

#[test]
fn retired_cookie_in_the_hands_of_a_thief_ends_the_session_on_every_gateway() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let load = "autoRenewAfter: 1s, rotationGrace: 50ms, cookieExpiration: 60s";
    let site = watched(&upstream).redis(&redis).load(load);
    let [one, other] = [site.run(), site.run()];
    let mut victim = log_in(&one);
    let stolen = victim.cookie("session_id").unwrap();
    let mut thief = other.browser();
    until_renewed(&mut victim);
    victim.get("/");

    // Within the grace the thief passes for a request in flight.
    until("the thief is noticed", || {
        thief.put_cookie("session_id", &stolen);
        thief.get("/");
        counted(&other, "reuse-detected", "retired-id") > 0
    });

    assert_eq!(identity(&upstream.last()), (None, None), "the thief");
    victim.get("/");
    assert_eq!(identity(&upstream.last()), (None, None), "the victim");
    let line = other.logged(r#"event="reuse-detected" reason="retired-id""#);
    assert!(line.contains("WARN"), "{line}");
    let (_, session) = line.split_once(" session=").expect("its session");
    assert!(
        session.starts_with(|first: char| first.is_ascii_hexdigit()),
        "{line}"
    );
}

fn watched(upstream: &Upstream) -> Site {
    let server = "admin: { address: '127.0.0.1:0' }, log: { level: 'info,session=debug' }";
    Site::new(upstream).server(server)
}

/// The events in the log, each with its reason.
fn told(gateway: &Gateway) -> Vec<(String, String)> {
    let log = gateway.log();
    let events = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once(r#"event=""#)?;
        let (event, rest) = rest.split_once(r#"" reason=""#)?;
        let (reason, _) = rest.split_once('"')?;
        Some((event.to_owned(), reason.to_owned()))
    });
    events.collect()
}

/// How often the metrics say that something happened.
fn counted(gateway: &Gateway, event: &str, reason: &str) -> u64 {
    let metrics = gateway.admin().get("/metrics").text();
    let name = format!(r#"session_events_total{{event="{event}",reason="{reason}"}} "#);
    let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
    value.map_or(0, |value| value.parse().expect("a count"))
}

fn is_part_of(story: &[(&str, &str)], told: &[(String, String)]) -> bool {
    let mut told = told.iter();
    story
        .iter()
        .all(|(event, reason)| told.any(|found| found.0 == *event && found.1 == *reason))
}
