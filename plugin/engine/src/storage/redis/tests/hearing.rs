//! What is heard of the writes of others.

use std::sync::{Mutex, Weak};

use super::*;
use crate::storage::Listener;
use crate::storage::redis::LocalCacheConfig;

#[test]
fn a_write_of_another_gateway_is_heard_before_a_later_answer() {
    let (bench, witness) = listened(&LocalCacheConfig::default(), "1");
    let other = RedisStorage::open(&bench.server.config(), Arc::default()).unwrap();
    assert_eq!(block_on(other.probe().wait()), Ok(()));

    for version in 1..100 {
        let expected = match version {
            1 => Expected::Absent,
            _ => Expected::Version(version - 1),
        };
        let written = other.write(&KEY, expected, row(version), Duration::from_secs(3600));
        assert_eq!(block_on(written.wait()), Written::Done);
        assert_eq!(bench.load(KEY), Loaded::Found(row(version)));
        assert_eq!(witness.take(), [Heard::Changed(KEY)]);
    }
}

#[test]
fn own_creations_are_not_heard_on_any_connection() {
    for connections in ["1", "3"] {
        let (bench, witness) = listened(&LocalCacheConfig::default(), connections);

        for key in (0..20).map(|seed| Key::new([seed; 32])) {
            assert_eq!(bench.write(key, Expected::Absent, row(1)), Written::Done);
            assert_eq!(bench.load(key), Loaded::Found(row(1)));
        }

        assert_eq!(witness.take(), []);
    }
}

#[test]
fn own_replacements_are_heard_because_scripts_are_nobodys() {
    let (bench, witness) = listened(&LocalCacheConfig::default(), "1");
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    assert_eq!(
        bench.write(KEY, Expected::Version(1), row(2)),
        Written::Done
    );
    assert_eq!(bench.load(KEY), Loaded::Found(row(2)));

    assert_eq!(witness.take(), [Heard::Changed(KEY)]);
}

#[test]
fn a_lost_connection_is_a_gap_before_anybody_reads_again() {
    let (mut bench, witness) = listened(&LocalCacheConfig::default(), "1");
    bench.storage.patience = Duration::from_secs(60);

    let _: i64 = bench.server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    until("the end of a row that is told", || {
        bench.load(KEY) == Loaded::Absent && !witness.is_empty()
    });

    assert!(witness.take().contains(&Heard::Gap));
    until("copies that count", || bench.storage.changes().is_heard());
}

#[test]
fn an_emptied_server_is_a_gap() {
    let (bench, witness) = listened(&LocalCacheConfig::default(), "1");

    let _: () = bench.server.ask(&["FLUSHALL"]);
    assert_eq!(bench.load(KEY), Loaded::Absent);

    assert_eq!(witness.take(), [Heard::Gap]);
}

#[test]
fn without_copies_nothing_is_asked_for() {
    let off = LocalCacheConfig {
        enabled: false,
        ..LocalCacheConfig::default()
    };

    let (bench, _) = listened(&off, "1");

    assert!(!bench.storage.changes().is_heard());
    assert_eq!(bench.server.calls("client|tracking"), 0);
}

#[test]
fn a_server_that_tells_nobody_is_used_without_copies() {
    let rule = "gateway on >secret ~session:* +@all -client|tracking";
    let server = RedisServer::with(Setup::default().user(rule));
    let config = RedisConfig {
        username: "gateway".into(),
        password: Secret::new("secret"),
        ..server.config()
    };

    let bench = Bench::on(server, &config);

    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);
    assert!(!bench.storage.changes().is_heard());
}

#[test]
fn a_server_that_is_too_old_is_used_without_copies() {
    let server = RedisServer::with(Setup::default().line("rename-command HELLO ''"));
    let config = server.config();

    let bench = Bench::on(server, &config);

    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);
    assert!(!bench.storage.changes().is_heard());
}

fn listened(local_cache: &LocalCacheConfig, connections: &str) -> (Bench, Arc<Witness>) {
    let server = RedisServer::start();
    let config = RedisConfig {
        connections: connections.parse().unwrap(),
        local_cache: local_cache.clone(),
        ..server.config()
    };
    let bench = Bench::on(server, &config);
    if local_cache.enabled {
        until("copies that count", || bench.storage.changes().is_heard());
    }
    let witness = Arc::new(Witness::default());
    let listener = Arc::downgrade(&witness) as Weak<dyn Listener>;
    bench.storage.changes().subscribe(listener);
    (bench, witness)
}

#[derive(Debug, Eq, PartialEq)]
enum Heard {
    Changed(Key),
    Gap,
}

#[derive(Default)]
struct Witness(Mutex<Vec<Heard>>);

impl Witness {
    fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

impl Listener for Witness {
    fn changed(&self, key: &Key) {
        self.0.lock().unwrap().push(Heard::Changed(*key));
    }

    fn gap(&self) {
        self.0.lock().unwrap().push(Heard::Gap);
    }
}
