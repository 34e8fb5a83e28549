//! `gateway sessions`: what an operator sees and ends in the storage of running gateways, and what is out of reach.

use e2e::{Browser, Gateway, Redis, Request, Site, Upstream, Verdict, until};
use serde_json::Value;
use tempfile::TempDir;

use crate::anna::{self, identity, is_anna};

#[test]
fn operator_sees_the_sessions_of_a_user_and_nothing_of_what_is_in_them() {
    let office = Office::open();
    let browsers = [office.log_in("Firefox/140.0"), office.log_in("curl/8.5.0")];

    let table = office.ask(&["list", "--principal", "anna"]);
    let json = office.ask(&["list", "--principal", "anna", "--output", "json"]);

    let lines: Vec<_> = table.output.lines().collect();
    assert!(lines[0].starts_with("HANDLE"), "{}", table.output);
    assert!(
        lines[1].ends_with("127.0.0.1  curl/8.5.0"),
        "{}",
        table.output
    );
    assert!(
        lines[2].ends_with("127.0.0.1  Firefox/140.0"),
        "{}",
        table.output
    );
    let list = document(&json);
    assert_eq!(list["principal"], "anna");
    assert_eq!(list["sessions"].as_array().unwrap().len(), 2);
    for text in [table.text(), json.text()] {
        assert!(!text.contains("anna-token"), "{text}");
        for browser in &browsers {
            assert!(
                !text.contains(&browser.cookie("session_id").unwrap()),
                "{text}"
            );
        }
    }
}

#[test]
fn session_that_an_operator_ends_is_refused_by_the_running_gateway() {
    let office = Office::open();
    let (mut one, mut other) = (office.log_in("Firefox/140.0"), office.log_in("curl/8.5.0"));
    assert!(office.is_alive(&mut one) && office.is_alive(&mut other));
    let handle = office.handles()[0].clone();

    let shown = office.ask(&["show", "--principal", "anna", "--handle", &handle]);
    let revoke = ["revoke", "--principal", "anna", "--handle", &handle];
    let (ended, again) = (office.ask(&revoke), office.ask(&revoke));

    assert!(shown.output.contains("curl/8.5.0"), "{}", shown.output);
    assert_eq!((ended.code, &*ended.output), (Some(0), "1 session ended\n"));
    assert_eq!(again.code, Some(3));
    assert!(
        again
            .errors
            .contains("`anna` has no session with this handle"),
        "{}",
        again.errors
    );
    office.until_over(&mut other);
    assert!(office.is_alive(&mut one));
}

#[test]
fn all_sessions_of_a_user_are_ended_with_one_command() {
    let office = Office::open();
    let mut browsers = [(); 3].map(|()| office.log_in("Firefox/140.0"));

    let ended = office.ask(&["revoke", "--principal", "anna", "--all", "--output", "json"]);
    let nobody = office.ask(&["list", "--principal", "anna"]);

    assert_eq!(document(&ended)["ended"], 3);
    assert_eq!((nobody.code, nobody.output.lines().count()), (Some(0), 1));
    for browser in &mut browsers {
        office.until_over(browser);
    }
}

#[test]
fn handle_of_somebody_else_is_as_unknown_as_one_that_never_was() {
    let office = Office::open();
    let mut browser = office.log_in("Firefox/140.0");
    let handle = office.handles()[0].clone();

    for principal in ["ben", "annA", ""] {
        for deed in ["show", "revoke"] {
            let verdict = office.ask(&[deed, "--principal", principal, "--handle", &handle]);
            assert_eq!(verdict.code, Some(3), "{}", verdict.text());
        }
    }
    assert!(office.is_alive(&mut browser));
}

#[test]
fn sessions_in_the_memory_of_a_gateway_are_out_of_reach_and_it_says_so() {
    let directory = Site::new(&anna::upstream()).write();

    let verdict = Verdict::of_words(
        &["sessions", "list", "--principal", "anna"],
        directory.path(),
    );

    assert_eq!(verdict.code, Some(1));
    verdict.assert_refused("the sessions of `Load` live in the process that serves them");
}

#[test]
fn file_is_out_of_reach_only_while_a_gateway_has_it_open() {
    let (upstream, files) = (anna::upstream(), tempfile::tempdir().unwrap());
    let path = format!("path: '{}'", files.path().display());
    let site = Site::new(&upstream).storage("plugins.session.storages.FileStorage", &path);
    let mut gateway = site.run();
    anna::log_in(&gateway);
    let directory = site.write();
    let list = ["sessions", "list", "--principal", "anna"];

    let during = Verdict::of_words(&list, directory.path());
    gateway.signal("TERM");
    gateway.wait();
    let after = Verdict::of_words(&list, directory.path());

    assert_eq!(during.code, Some(1));
    during.assert_refused("is in use by another gateway");
    assert_eq!((after.code, after.output.lines().count()), (Some(0), 2));
}

#[test]
fn storage_that_does_not_answer_is_no_empty_list() {
    let mut office = Office::open();
    office.log_in("Firefox/140.0");
    office.redis.kill();

    for words in [
        ["list", "--principal", "anna"].as_slice(),
        &["revoke", "--principal", "anna", "--all"],
    ] {
        let verdict = office.ask(words);

        assert_eq!(
            (verdict.code, &*verdict.output),
            (Some(1), ""),
            "{}",
            verdict.text()
        );
        assert!(verdict.errors.contains("unavailable"), "{}", verdict.errors);
    }
}

#[test]
fn operator_chooses_among_several_middlewares() {
    let redis = Redis::new();
    let other = "Other: { use: plugins.session.middlewares.LoadSessionMiddleware, config: { storage: Store } }";
    let directory = Site::new(&anna::upstream())
        .redis(&redis)
        .middleware(other)
        .write();
    let ask = |more: &[&str]| {
        let words = [&["sessions", "list", "--principal", "anna"], more].concat();
        Verdict::of_words(&words, directory.path())
    };

    ask(&[]).assert_refused(
        "several middlewares load sessions; say which with --middleware: Load, Other",
    );
    ask(&["--middleware", "load"])
        .assert_refused("no middleware called `load` loads sessions; there are: Load, Other");
    assert_eq!(ask(&["--middleware", "Load"]).code, Some(0));
}

#[test]
fn command_line_teaches() {
    let directory = tempfile::tempdir().unwrap();
    let ask = |words: &[&str]| Verdict::of_words(words, directory.path());

    for deed in ["list", "show", "revoke"] {
        let help = ask(&["sessions", deed, "--help"]);
        assert!(help.output.contains("Example"), "{}", help.output);
    }
    let neither = ask(&["sessions", "revoke", "--principal", "anna"]);
    let both = ask(&[
        "sessions",
        "revoke",
        "--principal",
        "anna",
        "--all",
        "--handle",
        "1",
    ]);
    assert_eq!((neither.code, both.code), (Some(2), Some(2)));
}

/// A gateway over Redis, and a second copy of its configuration for an operator.
struct Office {
    redis: Redis,
    upstream: Upstream,
    gateway: Gateway,
    directory: TempDir,
}

impl Office {
    fn open() -> Self {
        let (redis, upstream) = (Redis::new(), anna::upstream());
        let site = Site::new(&upstream).redis(&redis);
        Self {
            gateway: site.run(),
            directory: site.write(),
            redis,
            upstream,
        }
    }

    fn log_in(&self, agent: &str) -> Browser {
        let mut browser = self.gateway.browser();
        browser.send(Request::get("/login").header("User-Agent", agent));
        browser
    }

    fn ask(&self, words: &[&str]) -> Verdict {
        let words = [&["sessions"], words].concat();
        Verdict::of_words(&words, self.directory.path())
    }

    fn handles(&self) -> Vec<String> {
        let list = document(&self.ask(&["list", "--principal", "anna", "--output", "json"]));
        let sessions = list["sessions"].as_array().unwrap().iter();
        sessions
            .map(|session| session["id"].as_str().unwrap().to_owned())
            .collect()
    }

    fn is_alive(&self, browser: &mut Browser) -> bool {
        assert_eq!(browser.get("/").status(), 200);
        identity(&self.upstream.last()) == is_anna()
    }

    /// Waits until a session is over, as it is as soon as its gateway has heard of it.
    #[track_caller]
    fn until_over(&self, browser: &mut Browser) {
        until("the session is over", || !self.is_alive(browser));
    }
}

fn document(verdict: &Verdict) -> Value {
    assert!(verdict.success, "{}", verdict.errors);
    serde_json::from_str(&verdict.output).unwrap()
}
