//! What many requests do to one session at the same moment, through two gateways on one Redis.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{Browser, Gateway, OPENING, PATIENCE, Redis, Request, SWITCH, Site, Upstream};

use crate::anna::{self, identity, is_anna, log_in, until_renewed};

#[test]
fn requests_that_meet_at_the_renewal_are_told_one_successor_by_both_gateways() {
    let pair = Pair::start(|site| site.load(RENEWING));
    let mut browser = log_in(&pair.gateways[0]);
    for _ in 0..5 {
        let first = browser.cookie("session_id");

        thread::sleep(DUE);
        let visits = at_once(64, |number| {
            let mut copy = pair.at(number, &browser);
            (is_known(&mut copy), copy.cookie("session_id"))
        });

        assert!(visits.iter().all(|(is_known, _)| *is_known));
        let ids: BTreeSet<_> = visits.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), 1, "several successors, or somebody was not told");
        let successor = ids.into_iter().next().flatten().unwrap();
        assert_ne!(Some(&successor), first.as_ref());
        assert_eq!(pair.live_rows(), 1);
        browser.put_cookie("session_id", &successor);
    }
}

#[test]
fn writes_of_different_attributes_through_both_gateways_are_all_kept() {
    const WRITES: usize = 500;
    const WRITERS: usize = 8;
    const AT_ONCE: usize = 5;
    let pair = Pair::start(|site| {
        let headers: Vec<_> = (0..WRITES).map(|n| format!("X-W-{n}: w{n}")).collect();
        let component = "plugins.session.middlewares.MapSessionToHeaderMiddleware";
        let headers = headers.join(", ");
        site.middleware(&format!(
            "All: {{ use: {component}, config: {{ headers: {{ {headers} }} }} }}"
        ))
        .route("path: /all, middlewares: [Load, All], action: Echo")
    });

    // Together 10,000, and none of the sessions comes near `maxBytes`.
    for _ in 0..20 {
        let browser = log_in(&pair.gateways[0]);
        at_once(WRITERS, |writer| {
            let mut copy = pair.at(writer, &browser);
            for first in (writer * AT_ONCE..WRITES).step_by(WRITERS * AT_ONCE) {
                write(&mut copy, first..first + AT_ONCE);
            }
        });

        for number in 0..2 {
            let mut kept = pair.at(number, &browser).get("/all").json();
            let kept = kept["headers"].take();
            let is_lost =
                |n: &usize| kept[format!("x-w-{n}")].as_str() != Some(n.to_string().as_str());
            let lost: Vec<_> = (0..WRITES).filter(is_lost).collect();
            assert_eq!(lost, [0; 0], "of {WRITES}");
        }
    }
}

#[test]
fn logout_among_writes_and_renewals_in_flight_is_the_end_of_every_cookie() {
    const WRITERS: usize = 8;
    let pair = Pair::start(|site| site.load("cookieExpiration: 60s, autoRenewAfter: 20ms"));
    let mut successors = 0;
    for round in 0..40 {
        let mut browser = log_in(&pair.gateways[round % 2]);
        let is_over = AtomicBool::new(false);
        let under_way = Barrier::new(WRITERS + 1);
        let given = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let copy = pair.at(writer, &browser);
                    scope.spawn(|| write_until(&is_over, &under_way, copy))
                })
                .collect();
            under_way.wait();
            // At another moment in each round.
            (0..round % 8).for_each(|number| write(&mut browser, [number]));
            assert_eq!(browser.get("/logout").status(), 200);
            is_over.store(true, Ordering::Release);
            let given = writers
                .into_iter()
                .flat_map(|writer| writer.join().unwrap());
            given.collect::<BTreeSet<_>>()
        });

        for cookie in &given {
            for gateway in &pair.gateways {
                let mut late = gateway.browser();
                late.put_cookie("session_id", cookie);
                becomes_unknown(&mut late);
            }
        }
        assert_eq!(pair.live_rows(), 0);
        successors += given.len() - 1;
    }
    assert!(successors > 0, "no renewal was in flight");
    let rows = pair.rows();
    assert!(rows.iter().all(|(_, millis)| *millis > 0), "{rows:?}");
    let tombstones = rows.iter().filter(|(tag, _)| *tag == 'X');
    assert!(tombstones.clone().count() >= 40, "{rows:?}");
    assert!(tombstones.map(|(_, millis)| *millis).max() <= Some(300_000));
}

#[test]
fn session_is_found_by_the_other_gateway_as_soon_as_the_login_is_answered() {
    let pair = Pair::start(|site| site);

    for number in 0..300 {
        let browser = log_in(&pair.gateways[number % 2]);

        assert!(is_known(&mut pair.at(number + 1, &browser)), "{number}");
    }
}

#[test]
fn renewal_whose_response_goes_wrong_leaves_the_client_with_a_cookie_that_works() {
    const TROUBLES: [&str; 4] = [
        "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        SWITCH,
    ];
    let pair = Pair::start(|site| site.load(RENEWING).load("rotationGrace: 100ms"));
    for trouble in TROUBLES {
        pair.upstream.by_hand("/trouble", move |_, mut line| {
            let _ = line.get_mut().write_all(trouble.as_bytes());
        });
        let request = Request::get("/trouble");
        let request = match trouble {
            SWITCH => OPENING.lines().fold(request, |request, line| {
                let (name, value) = line.split_once(": ").unwrap();
                request.header(name, value)
            }),
            _ => request,
        };
        let mut browser = log_in(&pair.gateways[0]);

        thread::sleep(DUE);
        // Without a whole response there is none, and the browser keeps the cookie it had.
        let _ = browser.try_send(request);

        // Past the grace, too: an old id whose successor reached nobody goes on leading there.
        thread::sleep(DUE);
        for number in 0..2 {
            assert!(is_known(&mut pair.at(number, &browser)), "{trouble:?}");
        }
        until_renewed(&mut browser);
        assert!(is_known(&mut browser), "{trouble:?}");
    }
}

#[test]
fn session_in_heavy_use_is_read_and_written_by_the_clock_and_not_by_the_request() {
    const REQUESTS: u64 = 2000;
    let pair = Pair::start(|site| site);
    let browser = log_in(&pair.gateways[0]);
    let began = Instant::now();
    pair.redis.run(&["CONFIG", "RESETSTAT"]);

    at_once(8, |number| {
        let mut copy = pair.at(number, &browser);
        for _ in 0..REQUESTS / 8 {
            assert!(is_known(&mut copy));
        }
    });

    let [gets, sets] = ["get", "set"].map(|command| pair.redis.calls(command));
    assert!(sets <= 2, "{sets} writes are more than one touch");
    // At each gateway the row of the session and the one of its user, whenever the copies are two seconds old, and
    // after each write. A touch reads the latter once more.
    let occasions = 1 + began.elapsed().as_secs() / 2 + sets;
    assert!(gets <= 2 * 2 * occasions + 1, "{gets} reads");
}

#[test]
fn use_through_both_gateways_is_written_down_once_in_a_touch_interval() {
    let interval = Duration::from_millis(200);
    let pair = Pair::start(|site| site.load("touchInterval: 200ms"));
    let browser = log_in(&pair.gateways[0]);
    let mut copies = [0, 1].map(|number| pair.at(number, &browser));
    let began = Instant::now();
    pair.redis.run(&["CONFIG", "RESETSTAT"]);

    loop {
        let is_last = began.elapsed() > interval * 5;
        assert!(copies.iter_mut().all(is_known));
        if is_last {
            break;
        }
    }

    // Each is a write of the session and one of its user's row, and at most one more of the latter by a gateway that
    // has not heard of the other's yet.
    let (sets, intervals) = (
        pair.redis.calls("set"),
        began.elapsed().as_millis() / interval.as_millis(),
    );
    assert!(sets >= 2, "{sets} writes");
    assert!(u128::from(sets / 3) <= intervals + 1, "{sets} writes");
}

/// Two gateways with the same sessions.
struct Pair {
    gateways: [Gateway; 2],
    redis: Redis,
    upstream: Upstream,
}

impl Pair {
    fn start(configure: impl FnOnce(Site) -> Site) -> Self {
        let (redis, upstream) = (Redis::new(), anna::upstream());
        // Races are run, not this machine's disk: thousands of synced writes may keep an answer longer than a second.
        redis.run(&["CONFIG", "SET", "appendonly", "no"]);
        writes_for_anna(&upstream);
        let site = Site::new(&upstream)
            .redis(&redis)
            .action("Echo: { use: gateway.actions.EchoAction }")
            .route("path: /who, middlewares: [Load, Map], action: Echo");
        let site = configure(site);
        Self {
            gateways: [site.run(), site.run()],
            redis,
            upstream,
        }
    }

    /// A copy of a browser at one of the gateways, by turns.
    fn at(&self, turn: usize, browser: &Browser) -> Browser {
        browser.at(self.gateways[turn % 2].address())
    }

    /// The tag of each row and the milliseconds it is kept for; the tag stands behind nine bytes for the version and
    /// one for the format.
    fn rows(&self) -> Vec<(char, i64)> {
        const SCRIPT: &str = "\
            local rows = {} \
            for i, key in ipairs(redis.call('KEYS', 'session:*')) do \
              rows[i] = redis.call('GETRANGE', key, 10, 10) .. redis.call('PTTL', key) \
            end \
            return rows";
        let rows = self.redis.run(&["--raw", "EVAL", SCRIPT, "0"]);
        let row = |line: &str| Some((line.chars().next()?, line.get(1..)?.parse().ok()?));
        rows.lines().map(|line| row(line).unwrap()).collect()
    }

    /// How many rows hold a session: live ones, and those whose renewal has begun and not happened.
    fn live_rows(&self) -> usize {
        let rows = self.rows();
        rows.iter()
            .filter(|(tag, _)| matches!(tag, 'L' | 'P'))
            .count()
    }
}

/// Lets the upstream write what a request to `/write` asks for, if it is Anna's.
fn writes_for_anna(upstream: &Upstream) {
    upstream.by_hand("/write", |head, mut line| {
        let wanted = head
            .header("x-write")
            .filter(|_| identity(&head) == is_anna());
        let set = wanted.map_or_else(String::new, |json| format!("X-Session-Set: {json}\r\n"));
        let answer =
            format!("HTTP/1.1 200 OK\r\n{set}Content-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = line.get_mut().write_all(answer.as_bytes());
    });
}

#[track_caller]
fn write(browser: &mut Browser, numbers: impl IntoIterator<Item = usize>) {
    let attributes = numbers.into_iter().map(|n| (format!("w{n}"), n.into()));
    let attributes = serde_json::Value::Object(attributes.collect());
    let request = Request::get("/write").header("X-Write", &attributes.to_string());
    assert_eq!(browser.send(request).status(), 200);
}

/// Writes until the session is over, and once more; returns every id the browser ever had.
fn write_until(is_over: &AtomicBool, under_way: &Barrier, mut browser: Browser) -> Vec<String> {
    let mut ids = Vec::from_iter(browser.cookie("session_id"));
    under_way.wait();
    // Never for ever, should the test have failed meanwhile.
    for number in 0..500 {
        let is_last = is_over.load(Ordering::Acquire);
        write(&mut browser, [number]);
        ids.extend(browser.cookie("session_id"));
        if is_last {
            break;
        }
    }
    ids
}

/// Whether the gateway would tell an upstream that it is Anna who asks.
#[track_caller]
fn is_known(browser: &mut Browser) -> bool {
    let echo = browser.get("/who");
    assert_eq!(echo.status(), 200);
    echo.json()["headers"]["x-user-id"] == "anna"
}

/// The news of an end may be on their way still; a session that came back is known for good.
#[track_caller]
fn becomes_unknown(browser: &mut Browser) {
    let began = Instant::now();
    while is_known(browser) {
        assert!(began.elapsed() < PATIENCE, "a session came back");
    }
}

/// Runs a task so many times at the same moment.
fn at_once<T: Send>(count: usize, task: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (together, task) = (Barrier::new(count), &task);
    thread::scope(|scope| {
        let running: Vec<_> = (0..count)
            .map(|number| {
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    task(number)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|task| task.join().unwrap())
            .collect()
    })
}

const RENEWING: &str = "cookieExpiration: 60s, autoRenewAfter: 200ms";
/// After this a session of [`RENEWING`] is due, and nobody has asked meanwhile.
const DUE: Duration = Duration::from_millis(250);
