//! The sessions of a user, seen and ended from anywhere: two gateways, one Redis, and a plugin that shows and ends them.

use std::sync::Barrier;
use std::thread;

use e2e::{Browser, Gateway, Message, Redis, Request, Site, Upstream, plugins, until};
use serde_json::{Value, json};

use crate::anna::{self, identity, is_anna};
use crate::outage::{is_outage, until_answered};

#[test]
fn logins_at_every_gateway_are_listed_by_every_gateway() {
    let pair = Pair::start("");
    let (browsers, mut handles): (Vec<_>, Vec<_>) = pair
        .gateways
        .iter()
        .map(|gateway| pair.log_in(gateway))
        .unzip();

    let [one, other] = &pair.gateways;
    let listed = pair.list(one);

    assert_eq!(listed, pair.list(other));
    let mut named: Vec<_> = listed
        .iter()
        .map(|session| text(&session["handle"]))
        .collect();
    named.sort();
    handles.sort();
    assert_eq!(named, handles);
    for session in &listed {
        let at = |key: &str| session[key].as_u64().unwrap();
        assert!(at("createdAt") <= at("seenAt"), "{session}");
        assert_eq!(at("expiresAt") - at("createdAt"), 2 * 60 * 60 * 1000);
    }
    for browser in browsers {
        let id = browser.cookie("session_id").unwrap();
        assert!(
            !json!(listed).to_string().contains(&id),
            "the list has an id"
        );
    }
}

#[test]
fn youngest_login_is_listed_first() {
    let pair = Pair::start("");
    let [one, other] = &pair.gateways;
    pair.log_in(one);
    pair.log_in(other);

    let ages: Vec<_> = pair
        .list(one)
        .iter()
        .map(|session| session["createdAt"].as_u64())
        .collect();

    assert!(ages[0] >= ages[1], "{ages:?}");
}

#[test]
fn session_that_is_revoked_here_is_refused_there_too() {
    let pair = Pair::start("");
    let [here, there] = &pair.gateways;
    let (mut near, _) = pair.log_in(here);
    let (mut far, handle) = pair.log_in(there);
    assert!(pair.is_alive(&mut far));

    let target = format!("/sessions/anna/{handle}");
    let ended = [(); 2].map(|()| end(&mut near, &target).json());

    assert_eq!(ended, [json!(true), json!(false)]);
    pair.until_over(&mut far);
    assert!(pair.is_alive(&mut near));
    assert_eq!(pair.list(there).len(), 1);
}

#[test]
fn all_other_sessions_are_ended_on_every_gateway() {
    let pair = Pair::start("");
    let [here, there] = &pair.gateways;
    let (mut own, _) = pair.log_in(here);
    let (mut near, _) = pair.log_in(here);
    let (mut far, _) = pair.log_in(there);

    let ended = end(&mut own, "/sessions/anna/others").json();

    assert_eq!(ended, 2);
    pair.until_over(&mut near);
    pair.until_over(&mut far);
    for gateway in &pair.gateways {
        assert!(pair.is_alive(&mut own.at(gateway.address())));
    }
}

#[test]
fn all_sessions_are_ended_and_a_new_login_is_not() {
    let pair = Pair::start("");
    let [here, there] = &pair.gateways;
    let mut over = [here, there, there].map(|gateway| pair.log_in(gateway).0);

    let ended = end(&mut here.browser(), "/sessions/anna").json();
    let (mut again, _) = pair.log_in(here);

    assert_eq!(ended, 3);
    for browser in &mut over {
        pair.until_over(browser);
    }
    assert!(pair.is_alive(&mut again));
    assert_eq!(pair.list(there).len(), 1);
}

#[test]
fn handle_of_somebody_else_ends_nothing() {
    let pair = Pair::start("");
    let [here, _] = &pair.gateways;
    let (mut browser, handle) = pair.log_in(here);

    let targets = [
        format!("/sessions/ben/{handle}"),
        "/sessions/anna/nonsense".to_owned(),
    ];
    let ended = targets.map(|target| end(&mut here.browser(), &target).json());

    assert_eq!(ended, [json!(false), json!(false)]);
    assert!(pair.is_alive(&mut browser));
}

#[test]
fn visitor_without_a_session_cannot_end_others() {
    let pair = Pair::start("");
    let [here, _] = &pair.gateways;
    let (mut browser, _) = pair.log_in(here);

    let refused = end(&mut here.browser(), "/sessions/anna/others");

    assert_eq!(refused.status(), 401);
    assert!(pair.is_alive(&mut browser));
}

#[test]
fn revocation_during_an_outage_is_never_a_success() {
    let mut pair = Pair::start("");
    let (mut browser, handle) = pair.log_in(&pair.gateways[0]);
    let targets = [
        "/sessions/anna",
        "/sessions/anna/others",
        &*format!("/sessions/anna/{handle}"),
    ];

    pair.redis.kill();
    let answers = targets.map(|target| end(&mut browser, target));
    let list = browser.get("/sessions/anna");
    pair.redis.start();
    let back = until_answered(|| browser.get("/"));

    answers.iter().chain([&list]).for_each(is_outage);
    assert_eq!(back.status(), 200);
    assert!(pair.is_alive(&mut browser));
}

#[test]
fn logins_beyond_the_limit_end_the_oldest_and_never_exceed_it() {
    let pair = Pair::start("maxSessionsPerPrincipal: 5, onLimit: evictOldest");
    let (logins, most) = thread::scope(|scope| {
        let logins = scope.spawn(|| pair.log_in_at_once(100));
        let mut most = 0;
        while !logins.is_finished() {
            let listed = pair.gateways.iter().map(|gateway| pair.list(gateway).len());
            most = listed.fold(most, usize::max);
        }
        (logins.join().unwrap(), most)
    });

    assert!(logins.iter().all(|(_, login)| login.status() == 200));
    let mut browsers: Vec<_> = logins.into_iter().map(|(browser, _)| browser).collect();
    let alive = browsers.iter_mut().map(|browser| pair.is_alive(browser));
    let alive = alive.filter(|is_alive| *is_alive).count();
    assert!(most <= 5, "{most} sessions at once");
    assert_eq!((alive, pair.list(&pair.gateways[0]).len()), (5, 5));
}

#[test]
fn logins_beyond_the_limit_are_refused_where_that_is_asked_for() {
    let pair = Pair::start("maxSessionsPerPrincipal: 5, onLimit: refuse");

    let logins = pair.log_in_at_once(100);

    let (welcome, refused): (Vec<_>, Vec<_>) = logins
        .into_iter()
        .partition(|(_, login)| login.status() == 200);
    assert_eq!((welcome.len(), refused.len()), (5, 95));
    for (browser, login) in refused {
        assert_eq!((login.status(), browser.cookie("session_id")), (403, None));
    }
    let mut browsers: Vec<_> = welcome.into_iter().map(|(browser, _)| browser).collect();
    assert!(browsers.iter_mut().all(|browser| pair.is_alive(browser)));
    browsers[0].get("/logout");
    pair.log_in(&pair.gateways[1]);
    assert_eq!(pair.list(&pair.gateways[0]).len(), 5);
}

/// Two gateways with the same sessions.
struct Pair {
    gateways: [Gateway; 2],
    redis: Redis,
    upstream: Upstream,
}

impl Pair {
    /// Runs both, with these keys in the configuration of `Load`.
    fn start(keys: &str) -> Self {
        let (redis, upstream) = (Redis::new(), anna::upstream());
        let sessions =
            "action: { use: plugins.neighbour.actions.SessionsAction, config: { store: Load } }";
        let site = Site::new(&upstream)
            .redis(&redis)
            .load(keys)
            .plugin(plugins::fixture("neighbour"))
            .route(&format!("path: '/sessions/:principal', {sessions}"))
            .route(&format!("path: '/sessions/:principal/:handle', {sessions}"));
        Self {
            gateways: [site.run(), site.run()],
            redis,
            upstream,
        }
    }

    /// Logs Anna in, and says by which handle she is listed for it.
    #[track_caller]
    fn log_in(&self, gateway: &Gateway) -> (Browser, String) {
        let known = self.list(gateway);
        let browser = anna::log_in(gateway);
        let listed = self.list(gateway);
        let new = listed.iter().map(|session| text(&session["handle"]));
        let mut new =
            new.filter(|handle| known.iter().all(|session| session["handle"] != **handle));
        (browser, new.next().unwrap())
    }

    /// Logs Anna in with many browsers at once, half of them at each gateway.
    fn log_in_at_once(&self, logins: usize) -> Vec<(Browser, Message)> {
        let together = Barrier::new(logins);
        thread::scope(|scope| {
            let gateways = self.gateways.iter().cycle().take(logins);
            let running: Vec<_> = gateways
                .map(|gateway| {
                    scope.spawn(|| {
                        let mut browser = gateway.browser();
                        together.wait();
                        let login = browser.get("/login");
                        (browser, login)
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|login| login.join().unwrap())
                .collect()
        })
    }

    #[track_caller]
    fn list(&self, gateway: &Gateway) -> Vec<Value> {
        let listed = gateway.browser().get("/sessions/anna").json();
        listed.as_array().unwrap().clone()
    }

    /// Waits until a session is over, as it is as soon as its gateway has heard of it.
    #[track_caller]
    fn until_over(&self, browser: &mut Browser) {
        until("the session is over", || !self.is_alive(browser));
    }

    /// Whether the upstream is told that it is Anna who asks.
    #[track_caller]
    fn is_alive(&self, browser: &mut Browser) -> bool {
        assert_eq!(browser.get("/").status(), 200);
        identity(&self.upstream.last()) == is_anna()
    }
}

#[track_caller]
fn end(browser: &mut Browser, target: &str) -> Message {
    browser.send(Request::new("DELETE", target))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
