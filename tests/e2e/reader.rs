//! Another program reads the same sessions: the example in Python, on rows that the gateway wrote.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use e2e::{Browser, Redis, Site, Upstream, plugins};
use engine::storage::server::Setup;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::anna::{self, log_in, until_renewed, writes_session};

#[test]
fn reader_finds_what_the_gateway_stored() {
    for secrets in [&[] as &[&str], &[SECRET]] {
        let desk = Desk::new();
        let gateway = desk.site(secrets).run();
        let browser = log_in(&gateway);

        let session = desk.read(&browser, secrets, &[]).session();

        let expected: Value = serde_json::from_str(anna::SESSION).unwrap();
        assert_eq!(session["attributes"], expected);
        let life =
            session["expires_at"].as_u64().unwrap() - session["renewed_at"].as_u64().unwrap();
        assert_eq!(life, 7_200_000);
    }
}

#[test]
fn reader_follows_an_id_that_was_renewed() {
    for secrets in [&[] as &[&str], &[SECRET]] {
        let desk = Desk::new();
        let site = desk
            .site(secrets)
            .load("autoRenewAfter: 100ms, rotationGrace: 100ms");
        let gateway = site.run();
        let mut browser = log_in(&gateway);
        let first = browser.clone();

        until_renewed(&mut browser);
        until_renewed(&mut browser);

        let [old, new] =
            [&first, &browser].map(|browser| desk.read(browser, secrets, &[]).session());
        assert_eq!(old, new);
        assert_eq!(old["attributes"]["user_id"], "anna");
    }
}

#[test]
fn reader_finds_no_session_that_is_over() {
    for secrets in [&[] as &[&str], &[SECRET]] {
        let desk = Desk::new();
        let gateway = desk.site(secrets).run();
        let mut gone = log_in(&gateway);
        let kept = gone.clone();

        gone.get("/logout");

        desk.read(&kept, secrets, &[]).is_none();
    }
}

#[test]
fn reader_holds_sessions_against_the_roster() {
    for secrets in [&[] as &[&str], &[SECRET]] {
        let desk = Desk::new();
        let gateway = desk.site(secrets).load("maxSessionsPerPrincipal: 1").run();

        let evicted = log_in(&gateway);
        let newest = log_in(&gateway);

        desk.read(&newest, secrets, &[]).session();
        desk.read(&evicted, secrets, &[]).is_none();
    }
}

#[test]
fn reader_judges_by_the_clocks_of_the_middleware() {
    let desk = Desk::new();
    let gateway = desk.site(&[]).run();
    let browser = log_in(&gateway);

    desk.read(
        &browser,
        &[],
        &["--expiration", "3600", "--inactivity", "3600"],
    )
    .session();
    desk.read(&browser, &[], &["--expiration", "0.001"])
        .is_none();
    desk.read(&browser, &[], &["--inactivity", "0.001"])
        .is_none();
}

#[test]
fn reader_remembers_who_asked_for_it() {
    let desk = Desk::new();
    writes_session(&desk.upstream, "/remember", r#"{"remember_me":true}"#);
    let gateway = desk.site(&[]).run();
    let mut browser = log_in(&gateway);

    browser.get("/remember");

    let short = ["--expiration", "0.001", "--inactivity", "0.001"];
    desk.read(&browser, &[], &short).is_none();
    let longer = [short.as_slice(), &["--remember-me", "3600"]].concat();
    desk.read(&browser, &[], &longer).session();
}

#[test]
fn reader_finds_a_session_that_moved_to_a_newer_secret() {
    let desk = Desk::new();
    let old = log_in(&desk.site(&[SECRET]).run());
    let both = [NEWER, SECRET];
    let gateway = desk.site(&both).run();
    desk.read(&old, &both, &[]).session();

    let mut browser = old.at(gateway.address());
    until_renewed(&mut browser);

    for browser in [&old, &browser] {
        let session = desk.read(browser, &both, &[]).session();
        assert_eq!(session["attributes"]["user_id"], "anna");
    }
}

#[test]
fn reader_does_not_take_an_outage_or_a_strange_row_for_a_stranger() {
    let mut desk = Desk::new();
    let browser = log_in(&desk.site(&[SECRET]).run());

    desk.read(&browser, &[NEWER], &[]).is_none();
    for key in desk.redis.run(&["KEYS", "*"]).lines() {
        // The last byte of the seal.
        desk.redis.run(&["SETRANGE", key, "20", "x"]);
    }
    let touched = desk.read(&browser, &[SECRET], &[]).0;
    desk.redis.kill();
    let outage = desk.read(&browser, &[SECRET], &[]).0;

    assert_eq!(touched.status.code(), Some(2), "{touched:?}");
    assert_eq!(outage.status.code(), Some(2), "{outage:?}");
}

#[test]
fn reader_asks_as_a_user_who_may_only_read() {
    let desk = Desk {
        redis: Redis::with(
            Setup::default()
                .tcp()
                .password("right")
                .user("reader on >secret ~session:* +get"),
        ),
        upstream: anna::upstream(),
    };
    let settings = desk.redis.server().settings();
    let gateway = Site::new(&desk.upstream).redis_as(&settings).run();
    let browser = log_in(&gateway);

    let url = format!("redis://reader:secret@{}", desk.redis.server().address());

    desk.read(&browser, &[], &["--redis", &url]).session();
}

/// A store, and who writes to it.
struct Desk {
    redis: Redis,
    upstream: Upstream,
}

/// What the reader printed, and how it ended.
struct Reading(Output);

impl Desk {
    fn new() -> Self {
        Self {
            redis: Redis::new(),
            upstream: anna::upstream(),
        }
    }

    fn site(&self, secrets: &[&str]) -> Site {
        let site = Site::new(&self.upstream).redis(&self.redis);
        match secrets {
            [] => site,
            secrets => site.load(&format!("secrets: ['{}']", secrets.join("', '"))),
        }
    }

    /// Gives the browser's cookie to the reader.
    #[track_caller]
    fn read(&self, browser: &Browser, secrets: &[&str], options: &[&str]) -> Reading {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), secrets.join("\n")).unwrap();
        let mut process = Command::new("/usr/bin/python3")
            .arg(plugins::root().join("examples/reader/session_reader.py"))
            .arg("--redis")
            .arg(format!("unix://{}", self.redis.socket().display()))
            .arg("--secrets-file")
            .arg(file.path())
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let cookie = browser.cookie("session_id").unwrap();
        let mut input = process.stdin.take().unwrap();
        input.write_all(cookie.as_bytes()).unwrap();
        drop(input);
        Reading(process.wait_with_output().unwrap())
    }
}

impl Reading {
    #[track_caller]
    fn session(&self) -> Value {
        assert!(self.0.status.success(), "{:?}", self.0);
        serde_json::from_slice(&self.0.stdout).unwrap()
    }

    #[track_caller]
    fn is_none(&self) {
        assert_eq!(self.0.status.code(), Some(1), "{:?}", self.0);
    }
}

const SECRET: &str = "a secret of the tests, long enough to be allowed";
const NEWER: &str = "another secret of the tests, which is newer";
