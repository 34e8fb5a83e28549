//! What sessions take of Redis is what `docs/many-gateways.md` says.

use std::collections::BTreeMap;
use std::fs;

use e2e::{Browser, Gateway, Redis, Site, Upstream, plugins};

use crate::anna::{self, log_in, writes_session};

#[test]
fn commands_of_each_operation_are_those_that_are_documented() {
    let told = table("| commands | GET | SET | EVALSHA |");

    for (operation, measured) in [
        ("a request", of_a_request(|desk| log_in(&desk.gateway))),
        (
            "... of a session that is nobody's",
            of_a_request(Desk::visit),
        ),
        ("a login of a user with other sessions", of_a_login()),
        ("the last use, once in a `touchInterval`", of_a_touch()),
        ("a renewal", of_a_renewal()),
        ("a change of an attribute", of_a_change()),
        ("a logout", of_a_logout()),
    ] {
        let told = told.get(operation).map(Vec::as_slice);
        assert_eq!(Some(measured.as_slice()), told, "{operation}");
    }
}

#[test]
fn bytes_of_a_session_are_about_what_is_documented() {
    let told = table("| bytes | in Redis |");

    for (kind, measured) in [
        ("a session with 1 KB of attributes", bytes(1000, "")),
        ("... and its user's roster", bytes(1000, "user_id")),
        (
            "... sealed",
            bytes_with(
                1000,
                "user_id",
                "secrets: ['a secret of the tests, long enough to be allowed']",
            ),
        ),
    ] {
        let told = told.get(kind).map_or(0, |row| row[0]);
        let about = told * 9 / 10..=told * 11 / 10;
        assert!(about.contains(&measured), "{kind}: {measured}, told {told}");
    }
}

/// Some sessions of as many users, and what one of them takes on average.
fn bytes(attributes: usize, principal: &str) -> u64 {
    bytes_with(attributes, principal, "")
}

fn bytes_with(attributes: usize, principal: &str, load: &str) -> u64 {
    let desk = Desk::open(&[&format!("principal: '{principal}'"), load].join(", "));
    let note = "x".repeat(attributes - r#"{"user_id":"user-0000","note":""}"#.len());
    let log_in = |user: usize| {
        let session = format!(r#"{{"user_id":"user-{user:04}","note":"{note}"}}"#);
        writes_session(&desk.upstream, "/login", &session);
        log_in(&desk.gateway);
    };
    desk.redis.run(&["FLUSHALL"]);
    (0..SESSIONS).for_each(log_in);

    let keys = desk.redis.run(&["--raw", "KEYS", "*"]);
    let bytes = keys.lines().map(|key| {
        let told = desk.redis.run(&["MEMORY", "USAGE", key]);
        // Redis counts an entry for the key, and none for its time of life.
        told.parse::<u64>().unwrap() + EXPIRY
    });
    bytes.sum::<u64>() / SESSIONS as u64
}

/// A gateway without copies, so that every command is seen.
struct Desk {
    gateway: Gateway,
    redis: Redis,
    upstream: Upstream,
}

impl Desk {
    fn open(load: &str) -> Self {
        let (redis, upstream) = (Redis::new(), anna::upstream());
        redis.run(&["CONFIG", "SET", "appendonly", "no"]);
        writes_session(&upstream, "/visit", r#"{"theme":"dark"}"#);
        let mut settings = redis.server().settings();
        settings["localCache"] = serde_json::json!({ "enabled": false });
        let site = Site::new(&upstream).redis_as(&settings).load(load);
        let gateway = site.run();
        // The server has seen the script.
        let mut browser = log_in(&gateway);
        browser.get("/logout");
        Self {
            gateway,
            redis,
            upstream,
        }
    }

    /// A session that belongs to nobody.
    fn visit(&self) -> Browser {
        let mut browser = self.gateway.browser();
        assert_eq!(browser.get("/visit").status(), 200);
        browser
    }

    /// The calls of GET, SET and EVALSHA during `work`. Each script sets one row, and such a SET is no command.
    fn count(&self, work: impl FnOnce()) -> Vec<u64> {
        self.redis.run(&["CONFIG", "RESETSTAT"]);
        work();
        let [get, set, script] =
            ["get", "set", "evalsha"].map(|command| self.redis.server().calls(command));
        assert_eq!(self.redis.server().calls("getrange"), script);
        vec![get, set - script, script]
    }
}

fn of_a_request(begin: impl FnOnce(&Desk) -> Browser) -> Vec<u64> {
    let desk = Desk::open("");
    let mut browser = begin(&desk);
    desk.count(|| drop(browser.get("/")))
}

fn of_a_login() -> Vec<u64> {
    let desk = Desk::open("");
    desk.count(|| drop(log_in(&desk.gateway)))
}

fn of_a_touch() -> Vec<u64> {
    let request = of_a_request(|desk| log_in(&desk.gateway));
    let desk = Desk::open("touchInterval: 1ms");
    let mut browser = log_in(&desk.gateway);
    let touched = desk.count(|| drop(browser.get("/")));
    beyond(&touched, &request)
}

fn of_a_renewal() -> Vec<u64> {
    let request = of_a_request(|desk| log_in(&desk.gateway));
    let desk = Desk::open("autoRenewAfter: 1ms");
    let mut browser = log_in(&desk.gateway);
    let first = browser.cookie("session_id");
    let renewed = desk.count(|| drop(browser.get("/")));
    assert_ne!(browser.cookie("session_id"), first);
    beyond(&renewed, &request)
}

fn of_a_change() -> Vec<u64> {
    let request = of_a_request(|desk| log_in(&desk.gateway));
    let desk = Desk::open("");
    writes_session(&desk.upstream, "/change", r#"{"theme":"dark"}"#);
    let mut browser = log_in(&desk.gateway);
    let changed = desk.count(|| drop(browser.get("/change")));
    beyond(&changed, &request)
}

fn of_a_logout() -> Vec<u64> {
    let request = of_a_request(|desk| log_in(&desk.gateway));
    let desk = Desk::open("");
    let mut browser = log_in(&desk.gateway);
    let ended = desk.count(|| drop(browser.get("/logout")));
    beyond(&ended, &request)
}

/// What an operation takes in addition to the request it comes with.
fn beyond(all: &[u64], request: &[u64]) -> Vec<u64> {
    all.iter()
        .zip(request)
        .map(|(all, request)| all - request)
        .collect()
}

/// The numbers in the rows of a table of the document, by the names of the rows.
#[track_caller]
fn table(head: &str) -> BTreeMap<String, Vec<u64>> {
    let document = fs::read_to_string(plugins::root().join("docs/many-gateways.md")).unwrap();
    let (_, rest) = document
        .split_once(head)
        .unwrap_or_else(|| panic!("no table {head}"));
    let rows = rest
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let name = cells.next().unwrap_or_default().to_owned();
        (name, cells.filter_map(|cell| cell.parse().ok()).collect())
    })
    .collect()
}

const SESSIONS: usize = 10;
/// An entry of 24 bytes and a slot of 8 in the table of times of life.
const EXPIRY: u64 = 32;
