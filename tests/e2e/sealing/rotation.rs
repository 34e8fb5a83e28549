//! The list of secrets changes on two gateways, one after the other, while people use both.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{Browser, Gateway, Message, PATIENCE, Redis, Request, Site};

use super::{ADMIN, SECRET as OLD, assert_anonymous, metric, secrets};
use crate::anna::{self, log_in};
use crate::outage::until_answered;

#[test]
fn nobody_is_logged_out_by_a_change_of_the_secrets_that_is_done_as_documented() {
    let (redis, upstream) = (Redis::new(), anna::upstream());
    let site = Site::new(&upstream)
        .redis(&redis)
        .server(ADMIN)
        .load("rotationGrace: 1s")
        .route(WHO);
    let mut fleet = Fleet::start(&site, &[OLD]);
    let mut resting = log_in(&fleet.gateways[0]);
    let crowd = Crowd::before(&fleet);

    thread::scope(|scope| {
        let _end = End(&crowd.is_over);
        for (number, gateway) in (0..CROWD).zip(fleet.gateways.iter().cycle()) {
            let browser = log_in(gateway);
            let crowd = &crowd;
            scope.spawn(move || crowd.wander(number, browser));
        }
        for list in [&[OLD, NEW], &[NEW, OLD]] {
            fleet.change(&site, list, &crowd);
        }
        while fleet.needs_the_old_secret(&crowd) {}
        fleet.change(&site, &[NEW], &crowd);
    });

    assert_eq!(*crowd.trouble.lock().unwrap(), [""; 0]);
    for gateway in &fleet.gateways {
        // Nobody used this one in time, so it went with its secret. That is no error.
        resting = resting.at(gateway.address());
        assert_anonymous(&upstream, &mut resting);
    }
}

/// Two gateways that are replaced one by one.
struct Fleet {
    gateways: [Gateway; 2],
}

impl Fleet {
    fn start(site: &Site, list: &[&str]) -> Self {
        Self {
            gateways: [start(site, list), start(site, list)],
        }
    }

    /// Gives both another list. Until the second gets it, the crowd has the time to be moved by the first.
    fn change(&mut self, site: &Site, list: &[&str], crowd: &Crowd) {
        for (gateway, address) in self.gateways.iter_mut().zip(&crowd.addresses) {
            gateway.signal("TERM");
            gateway.wait();
            *gateway = start(site, list);
            *address.lock().unwrap() = gateway.address();
            let began = Instant::now();
            while began.elapsed() < 2 * GRACE {
                crowd.go_round();
            }
        }
    }

    /// Whether somebody in the crowd was found under it once more.
    fn needs_the_old_secret(&self, crowd: &Crowd) -> bool {
        let loads = || {
            let gateways = self.gateways.iter();
            gateways
                .map(|gateway| metric(gateway, "session_old_secret_loads_total"))
                .sum::<u64>()
        };
        let before = loads();
        crowd.go_round();
        loads() > before
    }
}

fn start(site: &Site, list: &[&str]) -> Gateway {
    let gateway = site.clone().load(&secrets(list)).run();
    let ready = until_answered(|| gateway.browser().get("/health/ready"));
    assert_eq!(ready.status(), 200);
    gateway
}

/// People who go from one gateway to the other.
struct Crowd {
    addresses: [Mutex<SocketAddr>; 2],
    answered: Mutex<[usize; CROWD]>,
    more: Condvar,
    is_over: AtomicBool,
    trouble: Mutex<Vec<String>>,
}

impl Crowd {
    fn before(fleet: &Fleet) -> Self {
        Self {
            addresses: fleet
                .gateways
                .each_ref()
                .map(|gateway| Mutex::new(gateway.address())),
            answered: Mutex::default(),
            more: Condvar::new(),
            is_over: AtomicBool::new(false),
            trouble: Mutex::default(),
        }
    }

    fn wander(&self, number: usize, mut browser: Browser) {
        for address in self.addresses.iter().cycle() {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            browser = browser.at(*address.lock().unwrap());
            // A gateway that is being replaced does not answer.
            if let Ok(response) = browser.try_send(Request::get("/who")) {
                self.judge(&response);
                self.answered.lock().unwrap()[number] += 1;
                self.more.notify_one();
            }
        }
    }

    fn judge(&self, response: &Message) {
        let text = response.text();
        if response.status() != 200 || !text.contains("\"x-user-id\": \"anna\"") {
            let trouble = format!("{} {text}", response.status());
            self.trouble.lock().unwrap().push(trouble);
        }
    }

    /// Waits until everybody has been at each gateway.
    #[track_caller]
    fn go_round(&self) {
        let answered = self.answered.lock().unwrap();
        let before = *answered;
        let is_missing = |now: &mut [usize; CROWD]| {
            now.iter()
                .zip(before)
                .any(|(now, before)| *now < before + 4)
        };
        let waited = self.more.wait_timeout_while(answered, PATIENCE, is_missing);
        assert!(!waited.unwrap().1.timed_out(), "somebody gets no answers");
    }
}

/// Sends the crowd home, also when a check fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

const CROWD: usize = 6;
/// `rotationGrace`: nobody moves twice within it.
const GRACE: Duration = Duration::from_secs(1);
const NEW: &str = "the secret that comes after it, long enough as well";
const WHO: &str =
    "path: /who, middlewares: [Load, Map], action: { use: gateway.actions.EchoAction }";
