//! One release after the other on the same sockets.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::thread;
use std::time::Duration;

use e2e::{Certificate, Crowd, Gateway, PATIENCE, Redis, Site, Upstream};

use crate::anna::{self, identity, is_anna, log_in};
use crate::multitude::Multitude;

/// The process that took over, which no harness ends.
struct Successor(u32);

#[test]
fn successor_takes_over_under_load_and_nobody_is_let_down() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let site = Site::new(&upstream).redis(&redis);
    let gateway = site.server("admin: { address: '127.0.0.1:0' }").run();
    let cookie = log_in(&gateway).cookie("session_id").unwrap();
    let cookie = format!("session_id={cookie}");
    let crowd = Crowd::start(8, gateway.address(), "/page", &cookie);
    crowd.until_answered(200);

    gateway.signal("USR2");
    let first = Successor::of(&gateway, 1);
    gateway.logged("stopped");
    crowd.until_answered(400);
    signal("USR2", first.0);
    let _second = Successor::of(&gateway, 2);
    gateway.logged_again(2, "stopped");
    crowd.until_answered(400);

    crowd.stop().assert_complete();
    let metrics = gateway.admin().get("/metrics").text();
    assert!(metrics.contains("gateway_requests_total"), "{metrics}");
    let pages = upstream.seen();
    let mut pages = pages.iter().filter(|request| request.path() == "/page");
    assert!(pages.all(|request| identity(request) == is_anna()));
}

#[test]
fn successor_takes_over_from_several_workers_with_tls_and_http_2() {
    let (certificate, upstream) = (Certificate::issue(), Upstream::start());
    let site = Site::new(&upstream).server(&certificate.settings());
    let gateway = site.threads(4).run();
    let people = Multitude::start(8, gateway.address(), "/page", Some(&certificate));
    people.until_answered(400);

    gateway.signal("USR2");
    let first = Successor::of(&gateway, 1);
    gateway.logged("stopped");
    people.until_answered(400);
    signal("USR2", first.0);
    let _second = Successor::of(&gateway, 2);
    gateway.logged_again(2, "stopped");
    people.until_answered(400);

    let outcome = people.stop();
    assert!(
        outcome.cut.is_empty() && outcome.turned_away.is_empty(),
        "{outcome:?}"
    );
    assert!(outcome.connections >= 3 * 8, "{outcome:?}");
}

#[test]
fn process_goes_on_when_its_successor_does_not_come_to_serve() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let gateway = site.run();
    site.server("nonsense: 1").write_into(gateway.directory());
    let crowd = Crowd::start(2, gateway.address(), "/page", "a=b");

    gateway.signal("USR2");
    gateway.logged("no successor: this process goes on serving");
    crowd.until_answered(50);

    crowd.stop().assert_complete();
    gateway.logged("server.nonsense: unknown key");
}

#[test]
fn systemd_is_told_who_serves_and_an_upgrade_is_no_stop() {
    let upstream = Upstream::start();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    let site = Site::new(&upstream);
    let gateway = Gateway::run_in(site.write(), &[("NOTIFY_SOCKET", &path)]);
    assert_eq!(told(&systemd), "READY=1");

    gateway.signal("HUP");
    let reloading = told(&systemd);
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(told(&systemd), "READY=1");

    gateway.signal("USR2");
    let successor = Successor::of(&gateway, 1);
    // By two processes, in any order.
    let mut said = [told(&systemd), told(&systemd)];
    said.sort();
    let now = format!("MAINPID={}", successor.0);
    assert_eq!(said, [&now, "READY=1"]);
    gateway.logged("stopped");

    // Whatever the old process said at its end would come before.
    signal("TERM", successor.0);
    assert_eq!(told(&systemd), "STOPPING=1");
    systemd.set_nonblocking(true).unwrap();
    assert!(systemd.recv(&mut [0; 1]).is_err());
}

#[test]
fn unit_is_stopped_when_the_requests_of_a_successor_have_ended() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();
    gateway.signal("USR2");
    let successor = Successor::of(&gateway, 1);
    gateway.logged("stopped");
    let mut asking = ask_half(&gateway);

    let mut stop = Command::new("sh");
    stop.args(["-c", &stop_of_the_unit()]);
    let mut stopping = stop
        .env("MAINPID", successor.0.to_string())
        .spawn()
        .unwrap();
    gateway.logged("signal=\"SIGTERM\"");
    assert!(stopping.try_wait().unwrap().is_none());
    ask_rest(&mut asking);

    assert!(stopping.wait().unwrap().success());
    assert_eq!(gateway.count("stopped"), 2);
}

#[test]
fn readiness_ends_with_the_service_and_not_with_an_upgrade() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);

    let ended = site.run();
    let mut asking = ask_half(&ended);
    ended.signal("TERM");
    ended.logged("stopping");
    let not_ready = ask_rest(&mut asking);
    let succeeded = site.run();
    let mut asking = ask_half(&succeeded);
    succeeded.signal("USR2");
    let _successor = Successor::of(&succeeded, 1);
    succeeded.logged("stopping");
    let ready = ask_rest(&mut asking);

    assert!(not_ready.starts_with("HTTP/1.1 503 "), "{not_ready}");
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
}

#[test]
fn sigterm_under_load_cuts_no_response() {
    let upstream = Upstream::start();
    slow(&upstream);
    let mut gateway = Site::new(&upstream).run();
    let crowd = Crowd::start(16, gateway.address(), "/slow", "a=b");
    crowd.until_answered(32);

    gateway.signal("TERM");
    let status = gateway.wait();

    let tally = crowd.stop();
    // Whoever comes afterwards finds nobody, and that is all that fails.
    let cut: Vec<_> = tally
        .failed
        .iter()
        .filter(|failed| !failed.contains("refused"))
        .collect();
    assert!(cut.is_empty(), "{cut:?} of {}", tally.answered);
    assert!(status.success(), "{status}");
}

#[test]
fn sigterm_under_load_cuts_no_response_of_http_2() {
    let certificate = Certificate::issue();
    for certificate in [None, Some(&certificate)] {
        let upstream = Upstream::start();
        slow(&upstream);
        let site = Site::new(&upstream).threads(2);
        let mut gateway = match certificate {
            None => site.run(),
            Some(certificate) => site.server(&certificate.settings()).run(),
        };
        let people = Multitude::start(4, gateway.address(), "/slow", certificate);
        people.until_answered(64);

        gateway.signal("TERM");
        let status = gateway.wait();

        let outcome = people.stop();
        assert!(outcome.cut.is_empty(), "{outcome:?}");
        assert!(outcome.answered >= 64, "{outcome:?}");
        assert!(status.success(), "{status}");
    }
}

impl Successor {
    /// Waits until it serves; the log is that of all processes.
    fn of(gateway: &Gateway, nth: usize) -> Self {
        let line = gateway.logged_again(nth, "the successor serves");
        let (_, process) = line.split_once("process=").unwrap();
        Self(process.trim().parse().unwrap())
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if fs::exists(format!("/proc/{}", self.0)).unwrap_or(false) {
            signal("KILL", self.0);
        }
    }
}

/// Slow enough that many are in flight when the order comes.
fn slow(upstream: &Upstream) {
    upstream.by_hand("/slow", |_, mut line| {
        thread::sleep(Duration::from_millis(100));
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow";
        let _ = line.get_mut().write_all(answer);
    });
}

/// Begins to ask whether it is ready.
fn ask_half(gateway: &Gateway) -> TcpStream {
    let mut asking = TcpStream::connect(gateway.address()).unwrap();
    let health = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";
    asking.write_all(health).unwrap();
    // It is accepted, or it would be cut.
    assert!(asking.read(&mut [0; 1024]).unwrap() > 0);
    asking.write_all(b"GET /health/ready HTTP/1.1\r\n").unwrap();
    asking
}

/// Goes on asking; the answer is the last on its connection.
fn ask_rest(asking: &mut TcpStream) -> String {
    asking.write_all(b"Host: a\r\n\r\n").unwrap();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    answer
}

/// What systemd has a shell do.
fn stop_of_the_unit() -> String {
    let unit = include_str!("../../examples/systemd/gateway.service");
    let stop = unit.lines().find_map(|line| {
        let line = line.strip_prefix("ExecStop=-/bin/sh -c '")?;
        line.strip_suffix('\'')
    });
    stop.unwrap().to_owned()
}

/// The next thing that systemd hears.
fn told(systemd: &UnixDatagram) -> String {
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut message = [0; 256];
    let length = systemd.recv(&mut message).expect("a word to systemd");
    let message = String::from_utf8_lossy(&message[..length]);
    message.trim().to_owned()
}

fn signal(signal: &str, process: u32) {
    let sent = Command::new("kill")
        .args([format!("-{signal}"), process.to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
}
