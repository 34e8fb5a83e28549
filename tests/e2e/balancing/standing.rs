//! Who is left out, who is told, and what cannot be configured.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use e2e::{Answer, Gateway, Nobody, Proxy, Request, Site, Upstream, Verdict, until};

use super::{balanced, named, site};

#[test]
fn checks_take_a_service_out_before_anybody_asks_it_and_let_it_in_again() {
    let [well, ill] = named(["well", "ill"]);
    for (upstream, status) in [(&well, 200), (&ill, 500)] {
        upstream.answer("/up", Answer::status(status));
    }
    let config = "healthCheck: { path: /up, interval: 50ms, timeout: 50ms, healthyAfter: 2 }";
    let gateway = site(&[well.address(), ill.address()], config)
        .server("admin: { address: '127.0.0.1:0' }")
        .run();
    let line = gateway.logged(&format!(
        "upstream is down action=\"Balanced\" endpoint=\"http://{}\"",
        ill.address()
    ));
    assert!(line.contains("the check was answered with 500"), "{line}");
    let mut browser = gateway.browser();

    let answers: Vec<_> = (0..10).map(|_| browser.get("/").text()).collect();
    ill.answer("/up", Answer::status(204));
    gateway.logged(&format!(
        "upstream is up action=\"Balanced\" endpoint=\"http://{}\"",
        ill.address()
    ));
    let later: Vec<_> = (0..10).map(|_| browser.get("/").text()).collect();

    assert_eq!(answers, ["well"; 10]);
    assert_eq!(later.iter().filter(|answer| *answer == "ill").count(), 5);
    let metrics = gateway.admin().get("/metrics").text();
    for (to, times) in [("down", 1), ("up", 1)] {
        let labels = format!(
            "{{action=\"Balanced\",endpoint=\"http://{}\",to=\"{to}\"}} {times}",
            ill.address()
        );
        assert!(
            metrics.contains(&format!("gateway_upstream_changes_total{labels}")),
            "{metrics}"
        );
    }
}

#[test]
fn each_service_is_checked_once_for_all_threads() {
    let [one] = named(["one"]);
    let config = "healthCheck: { path: /up, interval: 1h }";
    let yaml = site(&[one.address()], config);
    let directory = yaml.write();
    let file = directory.path().join("gateway.yaml");
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace("threads: 1", "threads: 4");
    std::fs::write(&file, text).unwrap();
    let gateway = Gateway::run(directory);

    until("it is checked", || {
        one.seen().iter().any(|request| request.path() == "/up")
    });
    (0..20).for_each(|_| drop(gateway.browser().get("/")));

    let checks = one
        .seen()
        .iter()
        .filter(|request| request.path() == "/up")
        .count();
    assert_eq!(checks, 1);
    assert_eq!(
        one.seen()[0].header("user-agent").as_deref(),
        Some("gateway-health-check")
    );
}

#[test]
fn all_are_tried_when_checks_say_that_all_are_down() {
    let [one, two] = named(["one", "two"]);
    let config = "healthCheck: { path: /up, interval: 50ms, timeout: 50ms }";
    for upstream in [&one, &two] {
        upstream.answer("/up", Answer::status(500));
    }
    let gateway = site(&[one.address(), two.address()], config).run();
    for upstream in [&one, &two] {
        gateway.logged(&format!(
            "upstream is down action=\"Balanced\" endpoint=\"http://{}\"",
            upstream.address()
        ));
    }

    assert_eq!(gateway.browser().get("/").status(), 200);
}

#[test]
fn when_nobody_can_be_reached_the_answer_says_when_to_come_back() {
    let nobody = [(); 2].map(|()| Nobody::anywhere());
    let gateway = site(&nobody.each_ref().map(Nobody::address), "").run();

    let response = gateway
        .browser()
        .send(Request::post("/", "text/plain", "a"));

    assert_eq!(
        (response.status(), response.header("retry-after").as_deref()),
        (503, Some("1"))
    );
    gateway.logged("none of the upstreams can be reached");
}

#[test]
fn a_service_with_as_many_requests_as_it_may_have_makes_the_next_one_wait() {
    let upstream = Upstream::start();
    let action = |connect: &str| {
        let address = upstream.address();
        format!(
            "path: /{connect}/*, action: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{address}', \
                 maxRequests: 1, timeouts: {{ connect: {connect} }} }} }}"
        )
    };
    let (held, serve) = Held::new();
    let serve = Arc::new(serve);
    for path in ["/20s/slow", "/10ms/slow"] {
        let serve = Arc::clone(&serve);
        upstream.by_hand(path, move |_, line| serve(line));
    }
    let gateway = Site::bare()
        .route(&action("20s"))
        .route(&action("10ms"))
        .run();
    let (answered, answers) = channel();
    let ask = |path: &'static str| {
        let (mut browser, answered) = (gateway.browser(), answered.clone());
        thread::spawn(move || answered.send(browser.get(path).status()).unwrap());
    };

    (0..3).for_each(|_| ask("/20s/slow"));
    let patient: Vec<_> = (0..3)
        .map(|_| {
            held.let_one_go();
            answers.recv().unwrap()
        })
        .collect();
    (0..2).for_each(|_| ask("/10ms/slow"));
    held.arrival();
    let hasty = answers.recv().unwrap();
    held.go();
    let first = answers.recv().unwrap();

    assert_eq!(patient, [200, 200, 200]);
    assert_eq!((first, hasty), (200, 503));
}

#[test]
fn a_service_that_fails_is_left_alone_and_tried_by_one_request_later() {
    let [good, bad] = named(["good", "bad"]);
    let wire = Proxy::to(bad.address());
    let gateway = site(
        &[good.address(), wire.address()],
        "maxFails: 1, failTimeout: 1s",
    )
    .run();
    wire.cut();
    let mut browser = gateway.browser();

    let answers: Vec<_> = (0..20).map(|_| browser.get("/").text()).collect();
    wire.mend();
    until("it is tried again", || browser.get("/").text() == "bad");

    assert_eq!(answers, ["good"; 20]);
    // Written before the answer, and read after it.
    gateway.logged("upstream is up");
    assert_eq!(gateway.log().matches("upstream is down").count(), 1);
    assert_eq!(gateway.log().matches("upstream is up").count(), 1);
}

#[test]
fn what_cannot_be_configured_is_refused_with_what_is_allowed() {
    let endpoint = "'http://127.0.0.1:9'";
    for (endpoints, config, fault) in [
        ("", "", "upstreamEndpoints: expected at least one endpoint"),
        (
            "'ftp://a'",
            "",
            "upstreamEndpoints[0]: only `http://`, `https://`, `h2c://` and `unix:` are supported",
        ),
        (
            endpoint,
            "policy: random",
            "policy: `random` is not one of them: known are roundRobin, leastConnections",
        ),
        (endpoint, "sticky: sessions", "sticky: "),
        (
            endpoint,
            "sticky: { cookie: 'a;b' }",
            "sticky.cookie: `a;b` is not the name of a cookie",
        ),
        (
            endpoint,
            "healthCheck: { path: up }",
            "healthCheck.path: expected a path that begins with `/`",
        ),
        (
            endpoint,
            "healthCheck: { timeout: 10s }",
            "healthCheck.timeout: expected no more than the interval",
        ),
        (
            endpoint,
            "tls: { skipVerify: true }",
            "tls: does nothing without an endpoint that begins with `https://`",
        ),
        (endpoint, "retryBuget: 3", "did you mean `retryBudget`?"),
        ("{ url: 'http://a', wieght: 2 }", "", "wieght"),
    ] {
        let verdict = Verdict::of("check", balanced(endpoints, config).write().path());

        verdict.assert_refused("actions.Balanced.config.");
        verdict.assert_refused(fault);
    }
}

/// Requests that a service has and answers when it is told so.
struct Held {
    arrivals: Receiver<()>,
    go: Sender<()>,
}

impl Held {
    /// With what holds them.
    fn new() -> (Self, impl Fn(e2e::Line) + Send + Sync + 'static) {
        let ((arrived, arrivals), (go, told)) = (channel(), channel());
        let told = Mutex::new(told);
        let serve = move |mut line: e2e::Line| {
            arrived.send(()).unwrap();
            told.lock().unwrap().recv().unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow";
            let _ = std::io::Write::write_all(line.get_mut(), answer);
        };
        (Self { arrivals, go }, serve)
    }

    /// Waits for a request; no other may be there.
    fn arrival(&self) {
        self.arrivals.recv().unwrap();
        assert!(self.arrivals.try_recv().is_err(), "two at a time");
    }

    fn go(&self) {
        self.go.send(()).unwrap();
    }

    fn let_one_go(&self) {
        self.arrival();
        self.go();
    }
}
