//! Services fail while people work: as long as one is well, nobody who asks for something harmless notices.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use e2e::{Answer, Answered, Browser, Load, Message, Nginx, Proxy, Request, Upstream};

use super::{balanced, named, site};

#[test]
fn nobody_notices_that_services_are_killed_and_started_again() {
    let mut servers = ["a", "b", "c"].map(|name| Nginx::start(name, "", ""));
    let gateway = site(&servers.each_ref().map(Nginx::address), QUICK).run();
    let load = Load::start(visitors(), &[gateway.address()]);

    for server in &mut servers {
        work(&load);
        server.kill();
        work(&load);
        server.restart();
        // The next one goes only when this one is asked again.
        let address = server.address();
        gateway.logged(&format!(
            "upstream is up action=\"Balanced\" endpoint=\"http://{address}\""
        ));
    }

    all_well(load);
}

#[test]
fn nobody_notices_that_services_hang() {
    let servers = ["a", "b", "c"].map(|name| Nginx::start(name, "", ""));
    let gateway = site(&servers.each_ref().map(Nginx::address), QUICK).run();
    let load = Load::start(visitors(), &[gateway.address()]);

    for server in &servers[..2] {
        work(&load);
        server.freeze();
    }
    work(&load);
    servers.iter().for_each(Nginx::thaw);
    work(&load);

    all_well(load);
}

#[test]
fn nobody_notices_that_connections_are_reset_or_slow() {
    let upstreams = named(["a", "b", "c"]);
    let wires = upstreams
        .each_ref()
        .map(|upstream| Proxy::to(upstream.address()));
    let gateway = site(&wires.each_ref().map(Proxy::address), QUICK).run();
    let load = Load::start(visitors(), &[gateway.address()]);

    work(&load);
    wires[0].cut();
    work(&load);
    wires[1].delay(Duration::from_secs(20));
    work(&load);
    wires.iter().for_each(Proxy::mend);
    work(&load);
    wires[2].partition();
    work(&load);

    all_well(load);
}

#[test]
fn nobody_notices_that_services_are_out_of_order() {
    let [a, b, c] = named(["a", "b", "c"]);
    let gateway = site(&[&a, &b, &c].map(Upstream::address), QUICK).run();
    let load = Load::start(visitors(), &[gateway.address()]);

    for status in [503, 502, 504] {
        work(&load);
        a.answer("/", Answer::status(status));
        b.answer("/", Answer::status(status));
        work(&load);
        a.answer("/", Answer::ok());
        b.answer("/", Answer::ok());
    }

    all_well(load);
}

#[test]
fn nobody_notices_that_services_of_http_2_say_goodbye_all_the_time() {
    // Every connection ends with GOAWAY after so many requests.
    let servers = ["a", "b"].map(|name| Nginx::start(name, "http2", "keepalive_requests 7;"));
    let endpoints = servers
        .each_ref()
        .map(|server| format!("'h2c://{}'", server.address()));
    let gateway = balanced(&endpoints.join(", "), QUICK).run();
    let load = Load::start(
        (0..8).map(|_| Visitor::posting()).collect(),
        &[gateway.address()],
    );

    load.until("many goodbyes", |since| since.len() > 400);

    all_well(load);
}

#[test]
fn what_may_have_been_done_is_never_done_twice() {
    let upstreams = named(["a", "b"]);
    let wires = upstreams
        .each_ref()
        .map(|upstream| Proxy::to(upstream.address()));
    let gateway = site(&wires.each_ref().map(Proxy::address), QUICK).run();
    let load = Load::start((0..4).map(|_| Buyer).collect(), &[gateway.address()]);

    for _ in 0..5 {
        for wire in &wires {
            load.until("orders", |since| since.len() > 10);
            wire.cut();
            load.until("orders", |since| since.len() > 10);
            wire.mend();
        }
    }
    let (_, answers) = load.stop();

    let orders: Vec<String> = upstreams
        .iter()
        .flat_map(Upstream::seen)
        .filter_map(|request| request.header("x-order"))
        .collect();
    let distinct: BTreeSet<&String> = orders.iter().collect();
    assert_eq!(distinct.len(), orders.len(), "some were done twice");
    let acknowledged = answers
        .iter()
        .filter(|answered| answered.status() == 200)
        .count();
    assert!(
        acknowledged <= distinct.len() && acknowledged > 50,
        "{acknowledged} of {}",
        distinct.len()
    );
}

/// Somebody who asks for a page, or sends something small, again and again.
pub(super) struct Visitor {
    method: &'static str,
}

/// Somebody who orders something else each time.
struct Buyer;

impl Visitor {
    pub(super) const fn getting() -> Self {
        Self { method: "GET" }
    }

    const fn posting() -> Self {
        Self { method: "POST" }
    }
}

impl e2e::Person for Visitor {
    fn ask(&mut self, gateway: SocketAddr) -> io::Result<Message> {
        Browser::new(gateway).try_send(Request::new(self.method, "/").header("Content-Length", "0"))
    }
}

impl e2e::Person for Buyer {
    fn ask(&mut self, gateway: SocketAddr) -> io::Result<Message> {
        static ORDERS: AtomicU64 = AtomicU64::new(0);
        let order = ORDERS.fetch_add(1, Ordering::Relaxed).to_string();
        let request = Request::post("/", "text/plain", "one of these").header("X-Order", &order);
        Browser::new(gateway).try_send(request)
    }
}

fn visitors() -> Vec<Visitor> {
    (0..8).map(|_| Visitor::getting()).collect()
}

fn work<P: e2e::Person>(load: &Load<P>) {
    load.until("people get on", |since| since.len() > 80);
    thread::yield_now();
}

#[track_caller]
fn all_well<P: e2e::Person>(load: Load<P>) {
    let (_, answers) = load.stop();
    let failed: Vec<_> = answers
        .iter()
        .filter(|answered| answered.status() != 200)
        .map(Answered::summary)
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} failed:\n{}",
        failed.len(),
        answers.len(),
        failed.join("\n")
    );
}

/// Everything is noticed within a second or two.
const QUICK: &str = "timeouts: { connect: 1s, read: 2s }, maxFails: 2, failTimeout: 1s, \
                     healthCheck: { interval: 500ms, timeout: 500ms, healthyAfter: 2, unhealthyAfter: 2 }";
