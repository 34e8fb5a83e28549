//! Rows that are read from replicas.

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

use abi::testing::TestGateway;

use super::*;
use crate::session::Keyring;
use crate::storage::redis::deployment::Deployment;
use crate::storage::redis::sentinel::Route;
use crate::storage::redis::server::Setup;
use crate::storage::{Encoded, Listener, Rows as _};

#[test]
fn rows_are_read_from_all_servers_and_from_nowhere_else() {
    let (mut sentinels, [writer, reader]) = start(Route::Randomly);
    for seed in 0..60 {
        assert_eq!(
            writer.write(key(seed), Expected::Absent, row(1)),
            Written::Done
        );
    }
    until_all_have(&mut sentinels, &writer, 59);
    reset(&mut sentinels);

    for seed in 0..60 {
        assert_eq!(reader.load(key(seed)), Loaded::Found(row(1)));
    }

    let reads: Vec<_> = sentinels
        .servers()
        .iter()
        .map(|server| server.calls("get"))
        .collect();
    assert_eq!(reads.iter().sum::<u64>(), 60);
    assert!(reads.iter().all(|reads| *reads > 0), "{reads:?}");
}

#[test]
fn what_is_read_anew_is_read_from_the_master_alone() {
    let (mut sentinels, [writer, reader]) = start(Route::Randomly);
    for seed in 0..60 {
        assert_eq!(
            writer.write(key(seed), Expected::Absent, row(1)),
            Written::Done
        );
    }
    until_all_have(&mut sentinels, &writer, 59);
    reset(&mut sentinels);
    let services = TestGateway::new().services();
    let rows = Encoded::new(reader.0, "Redis", Keyring::plain(), &services);

    for seed in 0..60 {
        // No session, and so as good as absent to those who know what one is.
        let read = block_on(rows.reread(key(seed).into()).wait());
        assert_eq!(read, Loaded::Absent);
    }

    let reads = sentinels.servers().iter();
    let reads: Vec<_> = reads.map(|server| server.calls("get")).collect();
    assert_eq!(reads, [60, 0, 0]);
}

#[test]
fn no_replica_is_read_from_while_the_master_is_silent() {
    let (mut sentinels, [gateway, _]) = start(Route::Randomly);
    // Nobody makes another server the master, and the replicas do not give up the one they have.
    for sentinel in sentinels.sentinels() {
        sentinel.kill();
    }
    for server in sentinels.servers() {
        let _: () = server.ask(&["CONFIG", "SET", "repl-timeout", "3600"]);
    }

    sentinels.servers()[0].freeze();

    until("no replica", || replicas(&gateway) == 0);
}

#[test]
fn the_fastest_server_is_read_from() {
    let (mut sentinels, [writer, reader]) = start(Route::ByLatency);
    assert_eq!(
        writer.write(key(1), Expected::Absent, row(1)),
        Written::Done
    );
    until_all_have(&mut sentinels, &writer, 1);

    // A master that is busy.
    let master = &sentinels.servers()[0];
    until("a replica that is nearer", || {
        let _: String = master.ask(&["DEBUG", "SLEEP", "0.02"]);
        assert_eq!(reader.load(key(1)), Loaded::Found(row(1)));
        reader.0.deployment.replica(&key(1)).is_some()
    });
}

#[test]
fn what_a_replica_does_not_have_is_asked_of_the_master() {
    let (mut sentinels, [writer, reader]) = start(Route::Randomly);
    // Replicas that hear nothing more.
    for replica in &sentinels.servers()[1..] {
        replica.freeze();
    }

    for seed in 0..30 {
        assert_eq!(
            writer.write(key(seed), Expected::Absent, row(1)),
            Written::Done
        );
        assert_eq!(reader.load(key(seed)), Loaded::Found(row(1)));
    }
}

#[test]
fn what_this_gateway_wrote_a_moment_ago_is_read_from_the_master() {
    let (_sentinels, [gateway, _]) = start(Route::Randomly);

    for version in 1..200 {
        let expected = match version {
            1 => Expected::Absent,
            _ => Expected::Version(version - 1),
        };
        assert_eq!(gateway.write(key(7), expected, row(version)), Written::Done);
        assert_eq!(gateway.load(key(7)), Loaded::Found(row(version)));
    }
}

#[test]
fn a_write_is_heard_through_whatever_the_row_was_read_from() {
    let (_sentinels, [writer, reader]) = start(Route::Randomly);
    until("copies that count", || reader.0.changes().is_heard());
    let witness = Arc::new(Witness::default());
    let listener = Arc::downgrade(&witness) as Weak<dyn Listener>;
    reader.0.changes().subscribe(listener);

    assert_eq!(
        writer.write(key(1), Expected::Absent, row(1)),
        Written::Done
    );

    // By the master, and by both replicas when they have it.
    until("word from every server", || {
        witness.0.load(Ordering::Relaxed) == 3
    });
}

#[derive(Default)]
struct Witness(AtomicU64);

impl Listener for Witness {
    fn changed(&self, changed: &Key) {
        assert_eq!(*changed, key(1));
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn gap(&self) {}
}

/// Two gateways that know all servers.
fn start(route: Route) -> (RedisSentinels, [Gateway; 2]) {
    let setup = Setup::default().line("enable-debug-command local");
    let sentinels = RedisSentinels::with(setup, Setup::default());
    let mut config = sentinels.config();
    let availability = config.high_availability.as_mut().unwrap();
    availability.route_by_latency = route == Route::ByLatency;
    availability.route_randomly = route == Route::Randomly;
    let gateways = [(); 2].map(|()| Gateway::on(&config));
    for gateway in &gateways {
        until("both replicas", || replicas(gateway) == 2);
    }
    (sentinels, gateways)
}

/// How many replicas a gateway could read from.
fn replicas(gateway: &Gateway) -> usize {
    let Deployment::Guarded(guarded) = &gateway.0.deployment else {
        panic!("not guarded")
    };
    guarded.replicas.as_ref().unwrap().ready()
}

fn until_all_have(sentinels: &mut RedisSentinels, gateway: &Gateway, seed: u8) {
    for server in sentinels.servers() {
        until("a row that is everywhere", || {
            has(server, gateway, key(seed))
        });
    }
}

fn reset(sentinels: &mut RedisSentinels) {
    for server in sentinels.servers() {
        let _: () = server.ask(&["CONFIG", "RESETSTAT"]);
    }
}
