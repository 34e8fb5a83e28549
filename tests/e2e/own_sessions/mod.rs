//! `SessionsAction`, `InfoAction` and `RefreshAction` in real gateways over one Redis: what users see and end of their own.

mod page;

use e2e::{Browser, Gateway, Redis, Request, Site, Upstream, until};
use serde_json::{Value, json};

use crate::anna::{self, identity, is_anna};
use crate::outage::{is_outage, until_answered};

#[test]
fn user_sees_where_the_sessions_are_at_every_gateway() {
    let house = House::build("");
    let (mut laptop, mut phone) = (house.log_in(0, FIREFOX), house.log_in(1, "curl/8.5.0"));

    let seen = laptop.get("/sessions");
    let list = seen.json();

    assert_eq!((seen.status(), &list["total"]), (200, &json!(2)));
    assert_eq!(seen.header("cache-control").as_deref(), Some("no-store"));
    let agents = list["sessions"].as_array().unwrap().iter();
    let agents: Vec<_> = agents
        .map(|session| (session["userAgent"].clone(), session["current"].clone()))
        .collect();
    assert_eq!(
        agents,
        [
            (json!("curl/8.5.0"), json!(false)),
            (json!(FIREFOX), json!(true))
        ]
    );
    for session in list["sessions"].as_array().unwrap() {
        assert_eq!(session["ip"], "127.0.0.1");
        let id = session["id"].as_str().unwrap();
        assert_eq!(phone.get(&format!("/sessions/{id}")).json()["id"], id);
    }
    for browser in [&laptop, &phone] {
        let id = browser.cookie("session_id").unwrap();
        assert!(!list.to_string().contains(&id), "the list has an id");
    }
}

#[test]
fn session_that_is_ended_here_is_refused_everywhere_at_once() {
    let house = House::build("");
    let (mut here, mut there) = (house.log_in(0, FIREFOX), house.log_in(1, FIREFOX));
    let id = own_id(&mut there);
    assert!(house.is_alive(&mut there));

    let ended = here.send(Request::new("DELETE", &format!("/sessions/{id}")));

    assert_eq!((ended.status(), ended.body), (204, vec![]));
    house.until_over(&mut there);
    assert!(house.is_alive(&mut here));
    assert_eq!(here.get(&format!("/sessions/{id}")).status(), 404);
}

#[test]
fn all_other_sessions_are_ended_at_once() {
    let house = House::build("");
    let mut here = house.log_in(0, FIREFOX);
    let mut others = [0, 1, 1].map(|at| house.log_in(at, FIREFOX));

    let ended = here.send(Request::new("DELETE", "/sessions")).json();

    assert_eq!(ended, json!({ "ended": 3 }));
    for browser in &mut others {
        house.until_over(browser);
    }
    assert!(house.is_alive(&mut here));
}

#[test]
fn ending_the_session_of_this_request_clears_its_cookie() {
    let house = House::build("");
    let mut here = house.log_in(0, FIREFOX);
    let id = own_id(&mut here);
    let before = here.clone();

    let ended = here.send(Request::new("DELETE", &format!("/sessions/{id}")));

    assert_eq!((ended.status(), here.cookie("session_id")), (204, None));
    house.until_over(&mut before.at(house.gateways[1].address()));
}

#[test]
fn snapshot_of_an_ended_session_sees_and_ends_nothing() {
    let secrets = "strategy: cookieCache, secrets: ['0123456789abcdef0123456789abcdef']";
    let house = House::build(secrets);
    let (mut here, mut thief) = (house.log_in(0, FIREFOX), house.log_in(1, FIREFOX));
    house.is_alive(&mut thief);
    assert!(thief.cookie("session_id_cache").is_some());
    here.send(Request::new("DELETE", "/sessions"));

    // The snapshot is believed where that costs nobody anything.
    assert!(house.is_alive(&mut thief.clone()));
    let id = own_id(&mut here);
    let answers = [
        thief.clone().get("/sessions"),
        thief.clone().send(Request::new("DELETE", "/sessions")),
        thief.send(Request::new("DELETE", &format!("/sessions/{id}"))),
    ];

    assert_eq!(answers.map(|answer| answer.status()), [401, 401, 401]);
    assert!(house.is_alive(&mut here));
}

#[test]
fn stranger_and_page_of_another_site_change_nothing() {
    let house = House::build("");
    let (mut here, mut other) = (house.log_in(0, FIREFOX), house.log_in(0, FIREFOX));
    let mut stranger = house.gateways[0].browser();

    for path in ["/sessions", "/sessions/0123456789abcdef"] {
        assert_eq!(stranger.send(Request::new("DELETE", path)).status(), 401);
        let foreign = Request::new("DELETE", path).header("Origin", "http://evil.test");
        assert_eq!(here.send(foreign).status(), 403);
        let form = Request::post(path, FORM, "_method=DELETE").header("Origin", "null");
        assert_eq!(here.send(form).status(), 403);
    }
    let foreign = Request::post("/refresh", "text/plain", "").header("Origin", "http://evil.test");
    assert_eq!(here.send(foreign).status(), 403);

    assert!(house.is_alive(&mut here) && house.is_alive(&mut other));
}

#[test]
fn outage_is_never_an_empty_list_nor_a_success() {
    let mut house = House::build("");
    let mut here = house.log_in(0, FIREFOX);
    here.get("/sessions");

    house.redis.kill();
    let answers = [
        here.get("/sessions"),
        here.get("/sessions/0123456789abcdef"),
        here.send(Request::new("DELETE", "/sessions")),
        here.send(Request::post("/refresh", "application/json", "")),
    ];
    house.redis.start();
    until_answered(|| here.get("/"));

    answers.iter().for_each(is_outage);
    assert!(house.is_alive(&mut here));
}

#[test]
fn methods_and_heads_are_answered_as_they_should_be() {
    let house = House::build("");
    let mut here = house.log_in(0, FIREFOX);

    for path in ["/sessions", "/info"] {
        let (get, head) = (here.get(path), here.send(Request::new("HEAD", path)));
        assert_eq!((head.status(), head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), get.header("content-length"));
    }
    for (path, methods) in [
        ("/sessions", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("/info", "GET, HEAD, OPTIONS"),
        ("/refresh", "POST, OPTIONS"),
    ] {
        for (method, status) in [("OPTIONS", 204), ("PUT", 405)] {
            let answer = here.send(Request::new(method, path));
            assert_eq!(answer.status(), status);
            assert_eq!(
                answer.header("allow").as_deref(),
                Some(methods),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn refresh_gives_a_new_id_and_a_fresh_life() {
    let house = House::build("");
    let mut here = house.log_in(0, FIREFOX);
    let old = here.clone();

    let before = here.get("/info").json();
    let refreshed = here.send(Request::post("/refresh", "application/json", ""));

    assert_eq!(refreshed.status(), 200);
    assert_ne!(here.cookie("session_id"), old.cookie("session_id"));
    let told = refreshed.json();
    let (end, earlier) = (&told["expiresAt"], &before["session"]["expiresAt"]);
    assert!(sortable(end) > sortable(earlier), "{told} after {before}");
    assert_eq!(told["createdAt"], before["session"]["createdAt"]);
    // In flight, by the other gateway.
    assert!(house.is_alive(&mut old.at(house.gateways[1].address())));
    assert_eq!(here.get("/sessions").json()["total"], 1);
}

#[test]
fn info_tells_what_is_configured_and_nothing_else() {
    let house = House::build("");
    let mut here = house.log_in(0, FIREFOX);

    let told = here.get("/info");

    let info = told.json();
    let mut names: Vec<_> = info.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["session", "tenant", "user_id"]);
    assert_eq!(
        (&info["user_id"], &info["tenant"]),
        (&json!("anna"), &json!("shop"))
    );
    assert_eq!(told.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(house.gateways[0].browser().get("/info").status(), 401);
}

/// A time with all its digits: as they are told, `10.9Z` would come after `10.91Z`.
fn sortable(time: &Value) -> String {
    let time = time.as_str().unwrap().trim_end_matches('Z');
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    format!("{seconds}.{fraction:0<3}")
}

/// Two gateways, one Redis, and a service that logs people in.
struct House {
    redis: Redis,
    upstream: Upstream,
    gateways: [Gateway; 2],
}

impl House {
    fn build(load: &str) -> Self {
        let (redis, upstream) = (Redis::new(), anna::upstream());
        let site = Site::new(&upstream)
            .redis(&redis)
            .load(load)
            .action("Sessions: { use: plugins.session.actions.SessionsAction }")
            .action("Info: { use: plugins.session.actions.InfoAction, config: { values: [user_id, nothing], custom: { tenant: shop } } }")
            .action("Refresh: { use: plugins.session.actions.RefreshAction }")
            .route("path: /sessions, middlewares: [Load], action: Sessions")
            .route("path: /sessions/:id, middlewares: [Load], action: Sessions")
            .route("path: /info, middlewares: [Load], action: Info")
            .route("path: /refresh, middlewares: [Load], action: Refresh");
        Self {
            gateways: [site.run(), site.run()],
            redis,
            upstream,
        }
    }

    #[track_caller]
    fn log_in(&self, gateway: usize, agent: &str) -> Browser {
        let mut browser = self.gateways[gateway].browser();
        let answer = browser.send(Request::get("/login").header("User-Agent", agent));
        assert_eq!(answer.status(), 200);
        browser
    }

    /// Whether the service is told that it is Anna who asks.
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

fn own_id(browser: &mut Browser) -> String {
    let list = browser.get("/sessions").json();
    let mut sessions = list["sessions"].as_array().unwrap().iter();
    let own = sessions.find(|session| session["current"] == true).unwrap();
    own["id"].as_str().unwrap().to_owned()
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const FORM: &str = "application/x-www-form-urlencoded";
