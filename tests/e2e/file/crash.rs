//! A gateway that is killed in the midst of writes, two hundred times.
//!
//! Clients write numbers into sessions. A number counts as acknowledged when the whole response has arrived. After each
//! crash, every session has the number that was acknowledged last, or the one that was on its way.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use e2e::{Browser, Gateway, Request, Site, Upstream};
use tempfile::TempDir;

use crate::anna::writes_session;

#[test]
fn no_acknowledged_write_is_lost_in_two_hundred_crashes() {
    thread::scope(|scope| {
        for number in 0..DIRECTORIES {
            scope.spawn(move || Scene::new(number).crash(CRASHES / DIRECTORIES));
        }
    });
}

const CRASHES: u64 = 200;
/// Side by side: most of a round is the start of a gateway.
const DIRECTORIES: u64 = 4;
/// How many write at the same time.
const WRITERS: usize = 4;

/// A directory, and everybody who has written there.
struct Scene {
    site: Site,
    upstream: Upstream,
    visitors: Vec<Visitor>,
    chance: u64,
    _data: TempDir,
}

/// A session and what it must hold. The first number is 1; 0 stands for no session.
struct Visitor {
    browser: Browser,
    acknowledged: u64,
    /// Sent, and perhaps never answered.
    attempted: u64,
}

impl Scene {
    fn new(number: u64) -> Self {
        let data = TempDir::new().unwrap();
        let upstream = Upstream::start();
        let site = Site::new(&upstream)
            .headers("X-Number: number")
            .action("Echo: { use: gateway.actions.EchoAction }")
            .route("path: /echo, middlewares: [Load, Map], action: Echo");
        Self {
            site: super::on(site, data.path(), ""),
            upstream,
            visitors: Vec::new(),
            chance: number,
            _data: data,
        }
    }

    fn crash(mut self, times: u64) {
        let mut gateway = self.start();
        for _ in 0..times {
            self.write_until_killed(&mut gateway);
            gateway = self.start();
        }
    }

    /// Starts a gateway on what the last one left, and checks it.
    fn start(&mut self) -> Gateway {
        let gateway = self.site.run();
        for visitor in &mut self.visitors {
            visitor.move_to(&gateway);
        }
        let log = gateway.log();
        let complaint = ["damaged", "quarantined", "ERROR"]
            .iter()
            .find(|word| log.contains(**word));
        assert_eq!(complaint, None, "{log}");
        gateway
    }

    /// Lets one new visitor and some old ones write, and kills the gateway at one write or another.
    fn write_until_killed(&mut self, gateway: &mut Gateway) {
        let turn = (WRITERS - 1).min(self.visitors.len());
        self.visitors.rotate_left(turn);
        self.visitors.insert(0, Visitor::at(gateway));
        self.chance = self
            .chance
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(1);
        let writes = 1 + (self.chance >> 33) % 40;
        let (acknowledge, acknowledged) = channel();
        thread::scope(|scope| {
            for visitor in self.visitors.iter_mut().take(WRITERS) {
                let (upstream, acknowledge) = (&self.upstream, acknowledge.clone());
                scope.spawn(move || visitor.write(upstream, &acknowledge));
            }
            // The last of these is on its way to the test while the others are on theirs to the disk.
            (0..writes).for_each(|_| acknowledged.recv().unwrap());
            gateway.kill();
        });
    }
}

impl Visitor {
    fn at(gateway: &Gateway) -> Self {
        Self {
            browser: gateway.browser(),
            acknowledged: 0,
            attempted: 0,
        }
    }

    /// Writes one number after the other, until there is nobody to write to.
    fn write(&mut self, upstream: &Upstream, acknowledge: &Sender<()>) {
        loop {
            self.attempted = self.acknowledged + 1;
            let path = format!("/{}", self.attempted);
            writes_session(
                upstream,
                &path,
                &format!(r#"{{"number":"{}"}}"#, self.attempted),
            );
            let Ok(response) = self.browser.try_send(Request::get(&path)) else {
                return;
            };
            assert_eq!(response.status(), 200);
            self.acknowledged = self.attempted;
            // Nobody counts any more once the gateway is to be killed.
            let _ = acknowledge.send(());
        }
    }

    /// Goes on at the next gateway, which must know what the last one acknowledged.
    #[track_caller]
    fn move_to(&mut self, gateway: &Gateway) {
        self.browser = self.browser.at(gateway.address());
        let echo = self.browser.get("/echo").json();
        let number = echo["headers"]["x-number"]
            .as_str()
            .map_or(0, |number| number.parse().unwrap());
        let range = self.acknowledged..=self.attempted;
        assert!(range.contains(&number), "{number} is not in {range:?}");
        self.acknowledged = number;
        self.attempted = number;
    }
}
