//! What an operator sees: health, metrics, the log, and a stop that loses nothing.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::thread;

use e2e::{Request, Site, Upstream};

use crate::anna::{self, log_in, until_renewed};

#[test]
fn health_routes_answer_before_all_others() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    let statuses =
        ["/health/live", "/health/ready"].map(|path| gateway.browser().get(path).status());

    assert_eq!(statuses, [200, 200]);
    assert!(upstream.seen().is_empty());
}

#[test]
fn health_routes_may_be_renamed_or_left_to_the_upstream() {
    let upstream = Upstream::start();
    let renamed = Site::new(&upstream)
        .server("healthCheck: { live: /up, ready: /go }")
        .run();
    let disabled = Site::new(&upstream)
        .server("healthCheck: { disabled: true }")
        .run();

    let up = renamed.browser().get("/up").status();
    disabled.browser().get("/health/live");

    assert_eq!(up, 200);
    assert_eq!(upstream.last().path(), "/health/live");
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn access_log_has_one_line_per_request_and_no_secret_in_it() {
    let upstream = anna::upstream();
    let mut gateway = Site::new(&upstream)
        .load("keyLookup: ['cookie:session_id', 'query:sid']")
        .run();
    let mut browser = log_in(&gateway);
    let id = browser.cookie("session_id").unwrap();
    browser.send(
        Request::get(&format!("/page?token=querysecret&sid={id}"))
            .header("X-Api-Key", "headersecret"),
    );
    browser.get("/logout");

    gateway.signal("TERM");
    gateway.wait();

    let log = gateway.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("/page")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for part in ["GET", "200", "/page", "127.0.0.1"] {
        assert!(lines[0].contains(part), "{part} is not in {}", lines[0]);
    }
    for secret in [&id, "querysecret", "headersecret", "anna-token"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn no_secret_is_in_the_log_at_its_most_talkative() {
    let redis = e2e::Redis::new();
    let upstream = anna::upstream();
    let load = "cookieExpiration: 60s, autoRenewAfter: 50ms";
    let mut gateway = Site::new(&upstream)
        .redis(&redis)
        .load(load)
        .server("log: { level: trace }")
        .run();
    let mut browser = log_in(&gateway);
    let mut ids = vec![browser.cookie("session_id").unwrap()];
    until_renewed(&mut browser);
    ids.push(browser.cookie("session_id").unwrap());
    browser.get("/logout");

    gateway.signal("TERM");
    gateway.wait();

    let log = gateway.log();
    for event in ["created", "renewed", "revoked"] {
        assert!(
            log.contains(&format!("event=\"{event}\"")),
            "{event} is not in the log:\n{log}"
        );
    }
    for secret in ids.iter().map(String::as_str).chain(["anna-token"]) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn json_log_is_json() {
    let upstream = Upstream::start();
    let mut gateway = Site::new(&upstream).server("log: { format: json }").run();
    gateway.browser().get("/page");

    gateway.signal("TERM");
    gateway.wait();

    let log = gateway.log();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
    let page: Vec<_> = lines.filter(|line| line["path"] == "/page").collect();
    assert_eq!(page.len(), 1, "{log}");
    assert_eq!(
        (&page[0]["status"], &page[0]["method"]),
        (&200.into(), &"GET".into())
    );
}

#[test]
fn metrics_count_requests_and_sessions_away_from_the_traffic() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .server("admin: { address: '127.0.0.1:0' }")
        .run();
    let mut browser = log_in(&gateway);
    browser.get("/");

    let metrics = gateway.admin().get("/metrics").text();

    assert!(
        metrics.contains("gateway_requests_total{route=\"/*\",status=\"2xx\"} 2"),
        "{metrics}"
    );
    assert!(
        metrics.contains("session_loads_total{outcome=\"found\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("session_events_total{event=\"created\",reason=\"first-write\"} 1"),
        "{metrics}"
    );
    browser.get("/metrics");
    assert_eq!(
        upstream.last().path(),
        "/metrics",
        "the traffic port has none"
    );
}

#[test]
fn sigterm_finishes_what_is_running_and_takes_nothing_new() {
    let upstream = Upstream::start();
    let (arrived, arrival) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let finished = std::sync::Mutex::new(finished);
    upstream.by_hand("/slow", move |_, mut line| {
        arrived.send(()).unwrap();
        let _ = finished.lock().unwrap().recv();
        let _ = line
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    });
    let mut gateway = Site::new(&upstream).run();
    let mut browser = gateway.browser();

    let running = thread::spawn(move || browser.get("/slow"));
    arrival.recv().unwrap();
    gateway.signal("TERM");
    gateway.logged("stop");
    let late = is_refused(gateway.address());
    finish.send(()).unwrap();
    let status = gateway.wait();

    assert_eq!(running.join().unwrap().text(), "done");
    assert!(late, "a new connection was served");
    assert!(status.success(), "{status}");
}

#[test]
fn tunnel_is_left_open_for_the_grace_time_and_cut_then() {
    let upstream = Upstream::start();
    upstream.by_hand("/ws", |_, mut line| {
        let _ = line.get_mut().write_all(e2e::SWITCH.as_bytes());
        let _ = std::io::copy(&mut line.get_ref().try_clone().unwrap(), line.get_mut());
    });
    let mut gateway = Site::new(&upstream).server("shutdownGrace: 1s").run();
    let mut stream = std::net::TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(e2e::PATIENCE)).unwrap();
    let upgrade = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{}\r\n", e2e::OPENING);
    stream.write_all(upgrade.as_bytes()).unwrap();
    let mut line = std::io::BufReader::new(stream);
    e2e::Message::read_head(&mut line).unwrap();

    gateway.signal("TERM");
    gateway.logged("stopping");
    line.get_mut().write_all(b"still").unwrap();
    let mut echo = [0; 5];
    line.read_exact(&mut echo).unwrap();
    let status = gateway.wait();

    assert_eq!(&echo, b"still", "the tunnel works within the grace time");
    assert_eq!(
        line.read(&mut echo).unwrap_or(0),
        0,
        "and is closed after it"
    );
    assert!(status.success(), "{status}");
}

#[test]
fn connection_beyond_the_limit_waits_for_its_turn() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream)
        .server("limits: { connections: 1 }")
        .run();
    let mut first = std::net::TcpStream::connect(gateway.address()).unwrap();
    let mut second = std::net::TcpStream::connect(gateway.address()).unwrap();
    second.set_read_timeout(Some(e2e::PATIENCE)).unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    first.write_all(request).unwrap();
    let mut first = std::io::BufReader::new(first);
    e2e::Message::read_response(&mut first, "GET").unwrap();

    second.write_all(request).unwrap();
    let before = upstream.seen().len();
    drop(first);
    let answer = e2e::Message::read_response(&mut std::io::BufReader::new(second), "GET");

    assert_eq!(before, 1, "the second had to wait");
    assert!(answer.is_ok() && upstream.seen().len() == 2);
}

#[test]
fn sigterm_without_requests_ends_at_once_and_well() {
    let upstream = Upstream::start();
    let mut gateway = Site::new(&upstream).run();

    gateway.signal("TERM");

    assert!(gateway.wait().success());
}

/// Whether a new connection is turned away, or closed without an answer.
fn is_refused(address: std::net::SocketAddr) -> bool {
    let Ok(mut stream) = std::net::TcpStream::connect(address) else {
        return true;
    };
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.is_empty()
}
