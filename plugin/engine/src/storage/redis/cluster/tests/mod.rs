//! A real cluster, and what can happen to it.

mod bench;
mod conformance;
mod load;

use std::sync::Arc;

use abi::storage::{Expected, Loaded, Written};

use self::bench::{Gateway, key, row, until};
use self::load::{Ended, Load};
use crate::storage::redis::server::RedisCluster;

#[test]
fn rows_are_where_their_slots_are() {
    let cluster = RedisCluster::start();
    let gateway = Gateway::of(&cluster);

    for seed in 0..64 {
        let written = gateway.write(key(seed), Expected::Absent, 1);
        assert_eq!(written, Written::Done);
    }

    for node in 0..3 {
        let rows: u64 = cluster.node(node).ask(&["DBSIZE"]);
        assert!(rows > 0, "none at node {node}");
    }
    let other = Gateway::of(&cluster);
    for seed in 0..64 {
        assert_eq!(other.load(key(seed)), Loaded::Found(row(1)));
    }
}

#[test]
fn nobody_notices_that_slots_move() {
    let cluster = RedisCluster::start();
    let (writer, reader) = two_gateways(&cluster);
    let load = Load::begin(&writer, &reader);

    for row in load.rows().iter().take(8) {
        let to = (cluster.owner(row.slot()) + 1) % 3;
        let migration = cluster.migrate(row.slot(), to);
        load.go_on();
        migration.move_keys();
        load.go_on();
        migration.finish();
        load.go_on();
    }

    load.end().assert_unnoticed();
    assert_eq!(
        (writer.moved(), reader.moved()),
        (0, 0),
        "no master was replaced"
    );
}

#[test]
fn nobody_notices_that_a_master_steps_down() {
    let cluster = RedisCluster::start();
    let (writer, reader) = two_gateways(&cluster);
    let load = Load::begin(&writer, &reader);
    load.go_on();

    cluster.node(3).ask::<()>(&["CLUSTER", "FAILOVER"]);
    assert_eq!(cluster.wait_for_failover(0, 0), 3);

    load.go_on();
    for gateway in [&writer, &reader] {
        until("a failover", || gateway.moved() == 1);
    }
    load.go_on();
    load.end().assert_unnoticed();
}

#[test]
fn a_master_that_is_killed_costs_its_rows_until_another_takes_over() {
    let mut cluster = RedisCluster::start();
    let (writer, reader) = two_gateways(&cluster);
    let load = Load::begin(&writer, &reader);
    let victims: Vec<bool> = load
        .rows()
        .iter()
        .map(|row| cluster.owner(row.slot()) == 0)
        .collect();
    load.go_on();
    let before = load.versions();
    replicated(&cluster);

    cluster.nodes()[0].kill();
    assert_eq!(cluster.wait_for_failover(0, 0), 3);

    load.go_on();
    let ended = load.end();
    ended.assert_kept(&before);
    ended.assert_unnoticed_unless(&victims);
    assert_eq!((writer.moved(), reader.moved()), (1, 1));
    let late = Gateway::of(&cluster);
    assert_eq!(
        late.load(key(0)),
        writer.load(key(0)),
        "with a dead node among its seeds"
    );
}

#[test]
fn a_master_that_hangs_is_left_and_not_believed_when_it_wakes() {
    let cluster = RedisCluster::start();
    let (writer, reader) = two_gateways(&cluster);
    let load = Load::begin(&writer, &reader);
    let victims: Vec<bool> = load
        .rows()
        .iter()
        .map(|row| cluster.owner(row.slot()) == 0)
        .collect();
    load.go_on();
    let before = load.versions();
    replicated(&cluster);

    cluster.node(0).freeze();
    for gateway in [&writer, &reader] {
        until("a failover", || gateway.moved() == 1);
    }
    load.go_on();
    let asleep = load.versions();
    cluster.node(0).thaw();
    load.go_on();

    let ended = load.end();
    ended.assert_kept(&before);
    ended.assert_kept(&asleep);
    ended.assert_unnoticed_unless(&victims);
}

fn two_gateways(cluster: &RedisCluster) -> (Arc<Gateway>, Arc<Gateway>) {
    (
        Arc::new(Gateway::of(cluster)),
        Arc::new(Gateway::of(cluster)),
    )
}

/// Waits until the replica of the first master has what this has now.
#[track_caller]
fn replicated(cluster: &RedisCluster) {
    let offset = |node: usize| -> u64 {
        let told: String = cluster.node(node).ask(&["INFO", "replication"]);
        let line = told
            .lines()
            .find_map(|line| line.strip_prefix("master_repl_offset:"));
        line.and_then(|offset| offset.parse().ok()).unwrap()
    };
    let now = offset(0);
    until("a replica that caught up", || offset(3) >= now);
}

impl Ended {
    #[track_caller]
    fn assert_unnoticed(&self) {
        self.assert_unnoticed_unless(&vec![false; self.failures.len()]);
    }

    /// Nobody met a failure, but for the rows that were hit.
    #[track_caller]
    fn assert_unnoticed_unless(&self, hit: &[bool]) {
        for (failures, _) in self.failures.iter().zip(hit).filter(|(_, hit)| !**hit) {
            assert!(failures.is_empty(), "{failures:?}");
        }
    }

    /// No row is older than it was.
    #[track_caller]
    fn assert_kept(&self, before: &[u64]) {
        assert!(
            self.versions
                .iter()
                .zip(before)
                .all(|(now, before)| now >= before)
        );
    }
}
