//! Sessions that are read from a second cookie instead of the storage: `strategy: cookieCache`.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Gateway, Redis, Site, Upstream};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::anna::{self, identity, is_anna, log_in, writes_session};
use crate::outage::{is_outage, until_answered};

#[test]
fn session_that_ended_at_one_gateway_is_read_at_the_other_for_the_trust_at_most() {
    let trust = Duration::from_secs(4);
    let pair = Pair::start("cookieCache: { ttl: 4s }");
    let [one, other] = &pair.gateways;
    let before = Instant::now();
    let mut browser = log_in(one);
    let after = Instant::now();
    let mut elsewhere = browser.at(other.address());
    browser.get("/logout");

    let mut accepted = 0;
    loop {
        let asked = Instant::now();
        // The copy of what was there at the login: what a thief has who hears of nothing.
        elsewhere.clone().get("/");
        if pair.is_anonymous() {
            assert!(before.elapsed() >= trust, "refused early");
            break;
        }
        accepted += 1;
        // Each gateway reads its own clock, to the millisecond.
        let late = asked.duration_since(after);
        assert!(late < trust + Duration::from_millis(50), "{late:?}");
    }
    assert!(accepted > 0, "the snapshot never counted");
    elsewhere.get("/");
    assert_eq!(elsewhere.cookie(SNAPSHOT), None);
}

#[test]
fn session_that_ended_at_one_gateway_is_refused_at_the_other_on_a_sensitive_path_at_once() {
    let pair = Pair::start("sensitivePaths: [/admin/*]");
    let [one, other] = &pair.gateways;
    let mut browser = log_in(one);
    let mut elsewhere = browser.at(other.address());
    browser.get("/logout");

    elsewhere.clone().get("/elsewhere");
    let on_others = identity(&pair.upstream.last());
    elsewhere.get("/%61dmin//x");

    assert_eq!(on_others, is_anna());
    assert!(pair.is_anonymous());
    assert_eq!(elsewhere.cookie(SNAPSHOT), None, "and afterwards nowhere");
}

#[test]
fn session_that_ended_in_a_browser_is_over_there_at_once() {
    let pair = Pair::start("");
    let [one, _] = &pair.gateways;
    let mut browser = log_in(one);

    browser.get("/logout");
    let left = [ID, SNAPSHOT].map(|name| browser.cookie(name));
    browser.get("/");

    assert_eq!(left, [None, None]);
    assert!(pair.is_anonymous());
}

#[test]
fn what_one_gateway_writes_the_other_reads_from_the_snapshot() {
    let pair = Pair::start("");
    let [one, other] = &pair.gateways;
    let mut browser = log_in(one);
    writes_session(
        &pair.upstream,
        "/refresh",
        r#"{"authorization":"Bearer new"}"#,
    );

    browser.get("/refresh");
    let mut elsewhere = browser.at(other.address());
    elsewhere.get("/");

    let (_, authorization) = identity(&pair.upstream.last());
    assert_eq!(authorization.as_deref(), Some("Bearer new"));
    assert_eq!(loads(other), [("found", 0), ("snapshot", 1)]);
}

#[test]
fn snapshot_of_one_user_beside_the_cookie_of_another_is_refused() {
    for encoding in ["compact", "jwt"] {
        let pair = Pair::start(&format!("cookieCache: {{ encoding: {encoding} }}"));
        let [one, _] = &pair.gateways;
        let anna = log_in(one);
        let mut ben = one.browser();
        ben.get("/ben");

        ben.put_cookie(SNAPSHOT, &anna.cookie(SNAPSHOT).unwrap());
        ben.get("/");

        let (user, _) = identity(&pair.upstream.last());
        assert_eq!(user.as_deref(), Some("ben"), "{encoding}");
    }
}

#[test]
fn outage_stops_writes_and_no_reads() {
    let mut pair = Pair::start("sensitivePaths: [/pay]");
    let mut browser = log_in(&pair.gateways[0]);

    pair.redis.kill();
    let read = browser.get("/");
    let seen = identity(&pair.upstream.last());
    let write = browser.get("/login");
    let sensitive = browser.get("/pay");
    pair.redis.start();
    let afterwards = until_answered(|| browser.get("/pay"));

    assert_eq!((read.status(), seen), (200, is_anna()));
    is_outage(&write);
    is_outage(&sensitive);
    assert_eq!(afterwards.status(), 200);
    assert_eq!(identity(&pair.upstream.last()), is_anna());
}

#[test]
fn token_holds_against_the_algorithm_that_it_names() {
    let pair = Pair::start("cookieCache: { encoding: jwt }");
    let token = log_in(&pair.gateways[0]).cookie(SNAPSHOT).unwrap();

    let [header, claims] = verified(&token);

    assert_eq!(header["alg"], "HS256");
    assert_eq!(claims["aud"], SNAPSHOT);
    assert_eq!(claims["sub"], "anna");
    assert_eq!(claims["attributes"]["user_id"], "anna");
    let at = |name: &str| claims[name].as_u64().unwrap();
    assert_eq!(at("exp") - at("iat"), 300);
}

#[test]
fn snapshots_are_neither_forwarded_nor_logged() {
    let upstream = upstream();
    let config = format!("{}, forwardSessionKey: true", cached());
    let gateway = Site::new(&upstream)
        .server("log: { level: trace }")
        .load(&config)
        .run();
    let mut browser = log_in(&gateway);
    let snapshot = browser.cookie(SNAPSHOT).unwrap();

    browser.get("/");
    browser.put_cookie(SNAPSHOT, &snapshot[1..]);
    browser.get("/");
    browser.get("/logout");

    for seen in upstream.seen() {
        let head = String::from_utf8_lossy(&seen.head).into_owned();
        assert!(!head.contains(SNAPSHOT), "{head}");
    }
    gateway.logged("/logout");
    let log = gateway.log();
    assert!(!log.contains(&snapshot[1..]), "{log}");
}

/// Two gateways with the same configuration in front of one upstream and one Redis.
struct Pair {
    redis: Redis,
    upstream: Upstream,
    gateways: [Gateway; 2],
}

impl Pair {
    fn start(load: &str) -> Self {
        let (redis, upstream) = (Redis::new(), upstream());
        let site = Site::new(&upstream)
            .redis(&redis)
            .server("admin: { address: '127.0.0.1:0' }")
            .load(&cached())
            .load(load);
        let gateways = [site.run(), site.run()];
        Self {
            redis,
            upstream,
            gateways,
        }
    }

    fn is_anonymous(&self) -> bool {
        match identity(&self.upstream.last()) {
            (None, None) => true,
            someone => {
                assert_eq!(someone, is_anna());
                false
            }
        }
    }
}

fn cached() -> String {
    format!("strategy: cookieCache, secrets: ['{SECRET}']")
}

fn upstream() -> Upstream {
    let upstream = anna::upstream();
    writes_session(&upstream, "/ben", r#"{"user_id":"ben"}"#);
    upstream
}

/// How many sessions a gateway read from its storage, and how many from snapshots.
fn loads(gateway: &Gateway) -> [(&'static str, u64); 2] {
    let metrics = gateway.admin().get("/metrics").text();
    ["found", "snapshot"].map(|outcome| {
        let name = format!("session_loads_total{{outcome=\"{outcome}\"}} ");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
        (outcome, count.unwrap_or("0").parse().unwrap())
    })
}

/// Header and claims of a token, after its signature was checked as RFC 7515 has it, with the key that is derived from
/// the secret as RFC 5869 has it.
fn verified(token: &str) -> [Value; 2] {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(b"session.so secret 1"), SECRET.as_bytes())
        .expand(b"tokens", &mut key)
        .unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    mac.chain_update(signed).verify_slice(&signature).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    [header, claims].map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&json).unwrap()
    })
}

const ID: &str = "session_id";
const SNAPSHOT: &str = "session_id_cache";
const SECRET: &str = "a secret of the tests, long enough to be allowed";
