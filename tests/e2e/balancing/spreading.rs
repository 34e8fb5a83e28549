//! Which service gets which request.

use std::collections::BTreeMap;

use e2e::{Answer, Browser, Gateway, Redis, Site, Upstream, until_some};

use super::{balanced, named, site};
use crate::anna::SESSION;

#[test]
fn services_are_asked_in_turn_in_proportion_to_their_weights() {
    let [one, two] = named(["one", "two"]);
    let endpoints = format!(
        "'http://{}', {{ url: 'http://{}', weight: 2 }}",
        one.address(),
        two.address()
    );
    let gateway = balanced(&endpoints, "").run();

    let answers = ask(&mut gateway.browser(), 30);

    assert_eq!(
        answers,
        [("one".to_owned(), 10), ("two".to_owned(), 20)].into()
    );
}

#[test]
fn the_least_busy_service_is_asked() {
    let [busy, free] = named(["busy", "free"]);
    busy.by_hand("/wait", |_, line| {
        drop(std::io::Read::read(&mut line.into_inner(), &mut [0]))
    });
    free.by_hand("/wait", |_, line| {
        drop(std::io::Read::read(&mut line.into_inner(), &mut [0]))
    });
    let config = "policy: leastConnections, retries: 0";
    let gateway = site(&[busy.address(), free.address()], config).run();
    // One of them has a request that it does not answer; it stays while this connection is open.
    let mut waiting = std::net::TcpStream::connect(gateway.address()).unwrap();
    std::io::Write::write_all(&mut waiting, b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (held, other) = until_one_is_asked(&busy, &free);

    let answers = ask(&mut gateway.browser(), 10);

    assert_eq!(
        answers,
        [(other.to_owned(), 10)].into(),
        "{held} has a request"
    );
}

#[test]
fn a_session_stays_with_a_service_on_every_gateway_and_comes_back_to_it() {
    let redis = Redis::new();
    let upstreams = named(["one", "two", "three"]);
    for upstream in &upstreams {
        upstream.answer("/login", Answer::ok().header("X-Session-Set", SESSION));
    }
    let addresses = upstreams.each_ref().map(Upstream::address);
    let proxies = addresses.map(e2e::Proxy::to);
    let through = proxies.each_ref().map(e2e::Proxy::address);
    let config = "sticky: session, maxFails: 1, failTimeout: 300ms";
    let shared = |site: Site| {
        site.storage(
            "plugins.session.storages.RedisStorage",
            &format!("host: '{}'", redis.socket().display()),
        )
    };
    let gateways: [Gateway; 2] = [(); 2].map(|()| shared(site(&through, config)).run());
    let mut browser = gateways[0].browser();
    browser.get("/login");

    let home = browser.get("/").text();
    for gateway in &gateways {
        assert_eq!(
            ask(&mut browser.at(gateway.address()), 10),
            [(home.clone(), 10)].into()
        );
    }

    let names = ["one", "two", "three"];
    let wire = &proxies[names.iter().position(|name| **name == home).unwrap()];
    wire.cut();
    let away = ask(&mut browser, 10);
    assert!(away.len() == 1 && !away.contains_key(&home), "{away:?}");

    wire.mend();
    let came_back = |_: &i32| browser.get("/").text() == home;
    assert!((0..).take(3000).find(came_back).is_some(), "it stays away");
}

#[test]
fn a_browser_that_has_no_cookie_gets_one_and_stays_by_it() {
    let [one, two, three] = named(["one", "two", "three"]);
    let addresses = [&one, &two, &three].map(Upstream::address);
    let gateway = site(&addresses, "sticky: { cookie: lb }").run();
    let mut homes = BTreeMap::new();

    for _ in 0..20 {
        let mut browser = gateway.browser();
        let first = browser.get("/");
        let cookie = first.header("set-cookie").unwrap();
        assert!(
            cookie.starts_with("lb=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
            "{cookie}"
        );
        let again = browser.get("/");
        assert_eq!(
            (again.text(), again.header("set-cookie")),
            (first.text(), None)
        );
        *homes.entry(first.text()).or_insert(0) += 1;
    }

    assert!(homes.len() > 1, "{homes:?}");
}

#[test]
fn a_header_says_where_a_request_goes() {
    let [one, two] = named(["one", "two"]);
    let gateway = site(
        &[one.address(), two.address()],
        "sticky: { header: X-Tenant }",
    )
    .run();
    let home = |tenant: &str| {
        let request = || e2e::Request::get("/").header("X-Tenant", tenant);
        let answers: Vec<_> = (0..4)
            .map(|_| gateway.browser().send(request()).text())
            .collect();
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        answers[0].clone()
    };

    let homes: BTreeMap<_, _> = (0..20)
        .map(|number| (home(&format!("tenant-{number}")), number))
        .collect();

    assert_eq!(homes.len(), 2);
}

/// Who answers how many of so many requests.
fn ask(browser: &mut Browser, count: usize) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    for _ in 0..count {
        *answers.entry(browser.get("/").text()).or_insert(0) += 1;
    }
    answers
}

/// The names of the one that has been asked, and of the other one.
fn until_one_is_asked(busy: &Upstream, free: &Upstream) -> (&'static str, &'static str) {
    until_some("one is asked", || {
        match [busy, free].map(|upstream| upstream.seen().len()) {
            [1, _] => Some(("busy", "free")),
            [_, 1] => Some(("free", "busy")),
            _ => None,
        }
    })
}
