//! Two gateways on a real server, whose copies never age.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use super::*;
use crate::clock::SystemClock;
use crate::runtime::Runtime;
use crate::session::Keyring;
use crate::storage::conformance::block_on;
use crate::storage::redis::server::RedisServer;
use crate::storage::{Encoded, RedisStorage};

#[test]
fn no_copy_goes_back_in_time_or_stays_outdated() {
    let server = RedisServer::start();
    let gateways = [Gateway::on(&server), Gateway::on(&server)];
    for key in 0..KEYS {
        gateways[0].create(key);
    }
    let is_over = AtomicBool::new(false);

    thread::scope(|scope| {
        for gateway in &gateways {
            scope.spawn(|| gateway.read_until(&is_over));
        }
        let writers = gateways
            .each_ref()
            .map(|gateway| scope.spawn(|| gateway.write(ROUNDS)));
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });

    for key in 0..KEYS {
        let row = gateways[0].row(key);
        assert!(row > 1, "nobody wrote");
        gateways
            .iter()
            .for_each(|gateway| gateway.comes_to_have(key, row));
    }
}

struct Gateway {
    cache: Cached<Encoded<Arc<RedisStorage>>>,
}

impl Gateway {
    fn on(server: &RedisServer) -> Self {
        let runtime = Arc::new(Runtime::default());
        let storage = Arc::new(RedisStorage::open(&server.config(), runtime).unwrap());
        let changes = storage.changes();
        let services = TestGateway::new().services();
        let rows = Encoded::new(storage, "Redis", Keyring::plain(), &services);
        let capacity = Capacity {
            entries: 1000,
            max_staleness: HOUR,
        };
        let desk = (Arc::new(SystemClock::new()) as Arc<dyn Clock>, &services);
        let cache = Cached::new(rows, ("Redis", capacity), changes, desk);
        until(|| cache.changes.is_heard());
        Self { cache }
    }

    fn create(&self, key: u8) {
        let row = Versioned::first(State::Revoked);
        let written = self.cache.write(at(key), Expected::Absent, row, HOUR);
        assert_eq!(block_on(written.wait()), Written::Done);
    }

    fn read_until(&self, is_over: &AtomicBool) {
        let mut seen = [0; KEYS as usize];
        while !is_over.load(Ordering::Relaxed) {
            for (key, last) in (0..).zip(&mut seen) {
                let version = self.version(key);
                assert!(*last <= version, "{version} after {last}");
                *last = version;
            }
        }
    }

    fn write(&self, rounds: usize) {
        for key in (0..KEYS).cycle().take(rounds) {
            let version = self.version(key);
            let row = Versioned::after(version, State::Revoked);
            let expected = Expected::Version(version);
            let written = block_on(self.cache.write(at(key), expected, row, HOUR).wait());
            if written == Written::Done {
                assert!(version < self.version(key), "a write that is not seen");
            }
        }
    }

    fn version(&self, key: u8) -> u64 {
        found(&block_on(self.cache.load(at(key)).wait()))
    }

    fn row(&self, key: u8) -> u64 {
        found(&block_on(self.cache.reread(at(key)).wait()))
    }

    /// News may be under way still.
    fn comes_to_have(&self, key: u8, version: u64) {
        until(|| self.version(key) == version);
    }
}

#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}");
        thread::yield_now();
    }
}

#[track_caller]
fn found(loaded: &Loaded<Versioned>) -> u64 {
    match loaded {
        Loaded::Found(row) => row.version,
        other => panic!("{other:?}"),
    }
}

fn at(key: u8) -> Address {
    Key::new([key; 32]).into()
}

const KEYS: u8 = 8;
const ROUNDS: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(30);
