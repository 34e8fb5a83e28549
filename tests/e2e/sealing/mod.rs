//! What whoever reads or writes the storage can make of it, once there are secrets.

mod rotation;

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Browser, Gateway, Redis, Site, Upstream};
use tempfile::TempDir;

use crate::anna::{identity, log_in, until_renewed, writes_session};

#[test]
fn what_redis_was_ever_told_is_neither_id_nor_user_nor_attribute_nor_token() {
    let (redis, upstream) = (Redis::new(), upstream());
    let site = Site::new(&upstream).redis(&redis).load(&secrets(&[SECRET]));
    let gateway = site.load("autoRenewAfter: 1s, rotationGrace: 1s").run();

    let ids = live_a_life(&gateway);

    let written = redis.written();
    assert_no_trace(&written, &ids);
    let keys = redis.run(&["KEYS", "*"]);
    assert_no_trace(keys.as_bytes(), &ids);
    assert!(keys.lines().count() >= 6, "{keys}");
    for key in keys.lines() {
        let left: i64 = redis.run(&["PTTL", key]).parse().unwrap();
        assert!(left > 0, "{key} never ends");
    }
}

#[test]
fn what_is_in_the_file_is_neither_id_nor_user_nor_attribute_nor_token() {
    let upstream = upstream();
    let data = TempDir::new().unwrap();
    let mut gateway = in_file(&upstream, data.path())
        .load(&secrets(&[SECRET]))
        .load("autoRenewAfter: 1s, rotationGrace: 1s")
        .run();

    let ids = live_a_life(&gateway);
    gateway.signal("TERM");
    gateway.wait();

    assert_no_trace(&fs::read(data.path().join("sessions.redb")).unwrap(), &ids);
}

/// The search above finds what is there: this is what it finds without secrets.
#[test]
fn without_secrets_the_storage_holds_attributes_and_still_no_id() {
    let (redis, upstream) = (Redis::new(), upstream());
    let gateway = Site::new(&upstream)
        .redis(&redis)
        .load("autoRenewAfter: 1s, rotationGrace: 1s")
        .run();

    let ids = live_a_life(&gateway);

    let written = redis.written();
    assert!(TRACES.iter().all(|trace| is_in(&written, trace.as_bytes())));
    assert!(!ids.iter().any(|id| is_id_in(&written, id)));
}

#[test]
fn rows_that_change_places_make_nobody_somebody_else() {
    let (redis, upstream) = (Redis::new(), upstream());
    let gateway = of_nobody(&redis, &upstream);
    let mut browsers = ["/login", "/ben"].map(|path| {
        let mut browser = gateway.browser();
        browser.get(path);
        browser
    });

    let keys = redis.run(&["KEYS", "*"]);
    let [one, other] = keys.lines().collect::<Vec<_>>()[..] else {
        panic!("{keys}")
    };
    redis.run(&["EVAL", SWAP, "2", one, other]);

    for browser in &mut browsers {
        assert_anonymous(&upstream, browser);
    }
    assert_eq!(quarantined(&gateway), 2);
    assert!(gateway.log().contains("row is quarantined"));
}

#[test]
fn value_that_is_no_row_is_quarantined_too() {
    for value in ["", "x", "R12345678", "S12345678"] {
        let (redis, upstream) = (Redis::new(), upstream());
        let gateway = of_nobody(&redis, &upstream);
        let mut browser = log_in(&gateway);

        let key = redis.run(&["KEYS", "*"]);
        redis.run(&["SET", &key, value, "KEEPTTL"]);

        assert_anonymous(&upstream, &mut browser);
        assert_eq!(quarantined(&gateway), 1, "{value:?}");
    }
}

#[test]
fn row_that_was_written_without_secrets_is_not_believed() {
    let (redis, upstream) = (Redis::new(), upstream());
    let gateway = of_nobody(&redis, &upstream);
    let mut browser = log_in(&gateway);
    let sealed = redis.run(&["KEYS", "*"]);
    let plain = Site::new(&upstream)
        .redis(&redis)
        .load("principal: ''")
        .run();
    log_in(&plain);

    let keys = redis.run(&["KEYS", "*"]);
    let forged = keys.lines().find(|key| *key != sealed).unwrap();
    redis.run(&["EVAL", SWAP, "2", &sealed, forged]);

    assert_anonymous(&upstream, &mut browser);
    assert_eq!(quarantined(&gateway), 1);
}

/// Two people who log in, are renewed, change something; one logs out. Returns every id that there was.
fn live_a_life(gateway: &Gateway) -> Vec<String> {
    let mut ids = Vec::new();
    for path in ["/login", "/ben"] {
        let mut browser = gateway.browser();
        browser.get(path);
        ids.extend(browser.cookie("session_id"));
        until_renewed(&mut browser);
        ids.extend(browser.cookie("session_id"));
        browser.get("/change");
        if path == "/ben" {
            browser.get("/logout");
        }
    }
    ids
}

#[track_caller]
fn assert_no_trace(bytes: &[u8], ids: &[String]) {
    assert_eq!(ids.len(), 4);
    for trace in TRACES {
        assert!(!is_in(bytes, trace.as_bytes()), "{trace}");
    }
    for id in ids {
        assert!(!is_id_in(bytes, id), "an id");
    }
}

/// As text or as what the text stands for.
fn is_id_in(bytes: &[u8], id: &str) -> bool {
    let raw = URL_SAFE_NO_PAD.decode(id).unwrap();
    is_in(bytes, id.as_bytes()) || is_in(bytes, &raw)
}

fn is_in(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[track_caller]
fn assert_anonymous(upstream: &Upstream, browser: &mut Browser) {
    assert_eq!(browser.get("/").status(), 200);
    assert_eq!(identity(&upstream.last()), (None, None));
}

fn quarantined(gateway: &Gateway) -> u64 {
    metric(gateway, "session_quarantined_total{storage=\"Store\"}")
}

/// What a counter shows.
#[track_caller]
fn metric(gateway: &Gateway, name: &str) -> u64 {
    let metrics = gateway.admin().get("/metrics").text();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in\n{metrics}"));
    value.trim().parse().unwrap()
}

/// A gateway with sealed sessions that belong to nobody, so that each of them is one row, and without copies: what is
/// done to the row is seen at once.
fn of_nobody(redis: &Redis, upstream: &Upstream) -> Gateway {
    let mut settings = redis.server().settings();
    settings["localCache"] = serde_json::json!({ "enabled": false });
    let site = Site::new(upstream).redis_as(&settings);
    let site = site.load(&secrets(&[SECRET]));
    site.load("principal: ''").server(ADMIN).run()
}

fn in_file(upstream: &Upstream, directory: &Path) -> Site {
    let config = format!("path: '{}'", directory.display());
    Site::new(upstream).storage("plugins.session.storages.FileStorage", &config)
}

fn upstream() -> Upstream {
    let upstream = Upstream::start();
    for (path, session) in [
        ("/login", ANNA),
        ("/ben", BEN),
        ("/change", r#"{"shoe_size":"forty-three"}"#),
        ("/logout", "destroy"),
    ] {
        writes_session(&upstream, path, session);
    }
    upstream
}

fn secrets(list: &[&str]) -> String {
    format!("secrets: ['{}']", list.join("', '"))
}

const ANNA: &str = r#"{"user_id":"anna@example.test","authorization":"Bearer token-of-anna","shoe_size":"forty-two"}"#;
const BEN: &str = r#"{"user_id":"ben@example.test","authorization":"Bearer token-of-ben"}"#;
/// What nobody is to read in a storage: users, tokens, names and values of attributes, old and new.
const TRACES: [&str; 8] = [
    "anna@example.test",
    "ben@example.test",
    "token-of-anna",
    "token-of-ben",
    "shoe_size",
    "forty-two",
    "forty-three",
    "user_id",
];

const SWAP: &str = "local one, other = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
redis.call('SET', KEYS[1], other, 'KEEPTTL')
redis.call('SET', KEYS[2], one, 'KEEPTTL')";
const ADMIN: &str = "admin: { address: '127.0.0.1:0' }";
const SECRET: &str = "a secret of the tests, long enough to be allowed";
