//! What SIGHUP changes, and what it must not.

use std::fs;
use std::sync::{Mutex, mpsc};
use std::thread;

use e2e::{Crowd, Gateway, Redis, Request, Site, Upstream, until, until_some};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn request_in_flight_ends_as_it_began_and_the_next_is_served_anew() {
    let (old, new) = (anna::upstream(), anna::upstream());
    let (arrived, arrival) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let finished = Mutex::new(finished);
    old.by_hand("/slow", move |_, mut line| {
        arrived.send(()).unwrap();
        let _ = finished.lock().unwrap().recv();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold";
        let _ = std::io::Write::write_all(line.get_mut(), answer);
    });
    let gateway = Site::new(&old).run();
    let mut browser = gateway.browser();
    let running = thread::spawn(move || browser.get("/slow"));
    arrival.recv().unwrap();

    gateway.reload(&Site::new(&new));
    let next = gateway.browser().get("/page").status();
    finish.send(()).unwrap();

    assert_eq!(next, 200);
    assert_eq!(new.last().path(), "/page");
    assert_eq!(running.join().unwrap().text(), "old");
}

#[test]
fn bad_configuration_is_refused_with_every_fault_while_the_old_one_serves() {
    let upstream = anna::upstream();
    let site = Site::new(&upstream).server("admin: { address: '127.0.0.1:0' }");
    let gateway = site.run();
    let mut browser = log_in(&gateway);

    gateway.reload(&site.load("cookieSameSite: Sideways").server("idle: 3"));

    for fault in ["gateway.yaml: server.idle: unknown key", "cookieSameSite"] {
        gateway.logged(fault);
    }
    browser.get("/page");
    assert_eq!(identity(&upstream.last()), is_anna());
    let metrics = gateway.admin().get("/metrics").text();
    assert!(
        metrics.contains("gateway_reloads_total{result=\"refused\"} 1\n"),
        "{metrics}"
    );
}

#[test]
fn what_takes_a_restart_is_said() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    gateway.reload(
        &Site::new(&upstream)
            .address("'127.0.0.1:1'")
            .server("admin: { address: '127.0.0.1:0' }"),
    );

    for key in ["server.address", "server.admin"] {
        gateway.logged(&format!("{key} has changed, which takes a restart"));
    }
    assert_eq!(gateway.browser().get("/").status(), 200);
}

#[test]
fn limits_hold_for_connections_after_a_reload() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();
    let post = || Request::post("/", "text/plain", "more than four");
    assert_eq!(gateway.browser().send(post()).status(), 200);

    gateway.reload(&Site::new(&upstream).server("limits: { bodyBytes: 4 }"));

    assert_eq!(gateway.browser().send(post()).status(), 413);
}

#[test]
fn sessions_survive_in_each_storage() {
    let redis = Redis::new();
    let directory = tempfile::tempdir().unwrap();
    let file = format!("path: '{}'", directory.path().display());
    let upstream = anna::upstream();
    let site = || Site::new(&upstream);
    let sites = [
        site(),
        site().storage("plugins.session.storages.MemoryStorage", ""),
        site().storage("plugins.session.storages.FileStorage", &file),
        site().storage("plugins.session.storages.FileStorage", ""),
        site().redis(&redis),
    ];
    for (number, site) in sites.into_iter().enumerate() {
        let gateway = site.run();
        let mut browser = log_in(&gateway);

        for _ in 0..3 {
            gateway.reload(&site.clone().load("autoRenewAfter: 29m"));
            gateway.reload(&site);
        }
        browser.get("/page");

        assert_eq!(
            identity(&upstream.last()),
            is_anna(),
            "{number}: {}",
            gateway.log()
        );
        assert_eq!(gateway.count("refused"), 0, "{}", gateway.log());
    }
}

#[test]
fn memory_of_another_size_begins_empty_and_says_so() {
    let upstream = anna::upstream();
    let memory = "plugins.session.storages.MemoryStorage";
    let gateway = Site::new(&upstream).storage(memory, "").run();
    let mut browser = log_in(&gateway);

    gateway.reload(&Site::new(&upstream).storage(memory, "maxEntries: 7"));
    browser.get("/page");

    gateway.logged("the sessions in memory end");
    assert_eq!(identity(&upstream.last()), (None, None));
}

#[test]
fn file_that_is_open_cannot_be_written_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display();
    let upstream = anna::upstream();
    let site = |keys: &str| {
        let config = format!("path: '{path}'{keys}");
        Site::new(&upstream).storage("plugins.session.storages.FileStorage", &config)
    };
    let gateway = site("").run();

    gateway.reload(&site(", durability: everySecond"));

    gateway.logged("storages.Store.config.durability: takes a restart");
}

#[test]
fn ten_reloads_under_load_let_nobody_down() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let site = Site::new(&upstream).redis(&redis);
    let gateway = site.run();
    let cookie = log_in(&gateway).cookie("session_id").unwrap();
    let crowd = Crowd::start(
        8,
        gateway.address(),
        "/page",
        &format!("session_id={cookie}"),
    );

    for round in 0..10 {
        crowd.until_answered(200);
        let threads = if round % 2 == 0 {
            "touchInterval: 50s"
        } else {
            "touchInterval: 60s"
        };
        gateway.reload(&site.clone().load(threads));
    }
    crowd.until_answered(200);

    crowd.stop().assert_complete();
    let anonymous = upstream
        .seen()
        .iter()
        .filter(|request| request.path() == "/page" && identity(request) != is_anna())
        .count();
    assert_eq!(anonymous, 0);
    assert_eq!(gateway.count("refused"), 0, "{}", gateway.log());
}

#[test]
fn a_hundred_reloads_leave_nothing_behind() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    // Every other configuration has another prefix, so that the connections of each are its own.
    let site = |round: usize| {
        let config = format!(
            "host: '{}', prefix: 'p{}:'",
            redis.socket().display(),
            round % 2
        );
        Site::new(&upstream).storage("plugins.session.storages.RedisStorage", &config)
    };
    let gateway = site(0).run();
    let reload = |round| {
        gateway.reload(&site(round));
        assert_eq!(gateway.browser().get("/page").status(), 200);
    };
    // Whatever is made once and kept is there after a few.
    (1..=20).for_each(reload);
    let before = settled(&gateway, &redis, None);

    (21..=120).for_each(reload);

    settled(&gateway, &redis, Some(before));
    assert_eq!(gateway.count("refused"), 0);
    let grown = resident(&gateway).saturating_sub(before.resident);
    assert!(grown < 100 * 16, "{grown} KiB more after a hundred reloads");
}

#[test]
fn storage_that_is_no_longer_named_is_closed() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();
    log_in(&gateway);
    assert_ne!(holdings(&gateway, &redis).clients, 0);

    gateway.reload(&Site::new(&upstream));

    until("its connections are closed", || {
        holdings(&gateway, &redis).clients == 0
    });
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Holdings {
    threads: usize,
    files: usize,
    clients: usize,
    resident: usize,
}

/// Waits until it holds as little as before, or as little as it is going to.
#[track_caller]
fn settled(gateway: &Gateway, redis: &Redis, before: Option<Holdings>) -> Holdings {
    let is_settled = |now: &Holdings| match before {
        Some(before) => {
            now.threads <= before.threads
                && now.files <= before.files
                && now.clients <= before.clients
        }
        None => now.clients <= 2,
    };
    let what = format!("it holds no more than {before:?}");
    until_some(&what, || Some(holdings(gateway, redis)).filter(is_settled))
}

fn holdings(gateway: &Gateway, redis: &Redis) -> Holdings {
    let process = gateway.process();
    let count = |what: &str| {
        fs::read_dir(format!("/proc/{process}/{what}"))
            .unwrap()
            .count()
    };
    let clients = redis.run(&["CLIENT", "LIST"]);
    Holdings {
        threads: count("task"),
        files: count("fd"),
        // One is the client that asks.
        clients: clients.lines().count() - 1,
        resident: resident(gateway),
    }
}

/// The memory of a process in KiB.
fn resident(gateway: &Gateway) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.process())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
