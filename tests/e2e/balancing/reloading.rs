//! Services come and go with the configuration.

use std::io::Write;
use std::sync::{Mutex, mpsc};
use std::thread;

use e2e::{Answer, Answered, Load, Upstream};

use super::drills::Visitor;
use super::{named, site};

#[test]
fn a_service_that_is_taken_out_finishes_what_it_has_and_gets_nothing_new() {
    let [leaving, staying] = named(["leaving", "staying"]);
    let (arrived, arrival) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let finished = Mutex::new(finished);
    let by_hand = move |_, mut line: e2e::Line| {
        arrived.send(()).unwrap();
        let _ = finished.lock().unwrap().recv();
        let _ = line
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbye");
    };
    leaving.by_hand("/slow", by_hand);
    let gateway = site(&[leaving.address()], "").run();
    let mut browser = gateway.browser();
    let running = thread::spawn(move || browser.get("/slow").text());
    arrival.recv().unwrap();

    gateway.reload(&site(&[staying.address()], ""));
    let next: Vec<_> = (0..5).map(|_| gateway.browser().get("/").text()).collect();
    finish.send(()).unwrap();

    assert_eq!(next, ["staying"; 5]);
    assert_eq!(running.join().unwrap(), "bye");
    assert_eq!(leaving.seen().len(), 1);
}

#[test]
fn nobody_notices_that_services_come_and_go() {
    let upstreams = named(["a", "b", "c"]);
    let all = upstreams.each_ref().map(Upstream::address);
    let gateway = site(&all, "").run();
    let load = Load::start(
        (0..8).map(|_| Visitor::getting()).collect(),
        &[gateway.address()],
    );

    for round in 0..10 {
        let some = [&all[..2], &all[1..], &all[..1], &all[..]][round % 4];
        gateway.reload(&site(some, ""));
        load.until("people get on", |since| since.len() > 20);
    }
    let (_, answers) = load.stop();

    let failed: Vec<_> = answers
        .iter()
        .filter(|answered| answered.status() != 200)
        .map(Answered::summary)
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_reload_does_not_make_a_service_well() {
    let [well, ill] = named(["well", "ill"]);
    ill.answer("/", Answer::status(500));
    let config = |more: &str| format!("maxFails: 1, failTimeout: 1h, retryStatuses: [500], {more}");
    let both = [well.address(), ill.address()];
    let gateway = site(&both, &config("")).run();
    let ask = || {
        (0..6)
            .map(|_| gateway.browser().get("/").text())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(), ["well"; 6]);
    let seen = ill.seen().len();

    gateway.reload(&site(&both, &config("retries: 1")));

    assert_eq!(ask(), ["well"; 6]);
    assert_eq!(ill.seen().len(), seen);
}
