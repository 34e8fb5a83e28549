//! What can happen to a cluster while people work.

use std::sync::Arc;

use abi::config::ConfigDuration;
use abi::storage::{Expected, Loaded, Storage as _, Unavailable, Written};

use super::bench::{Gateway, key, masters, slot, two_gateways};
use super::load::Load;
use crate::storage::RedisConfig;
use crate::storage::conformance::block_on;
use crate::storage::redis::RedisStorage;
use crate::storage::redis::server::{RedisCluster, RedisServer, until};

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
    let asked: u64 = (0..3).map(|node| cluster.node(node).calls("asking")).sum();
    assert!(asked > 0, "no row was met on its way");
    assert_eq!(
        (writer.moved(), reader.moved()),
        (0, 0),
        "no master was replaced"
    );
}

#[test]
fn a_node_that_is_back_may_have_lost_what_it_acknowledged() {
    let cluster = RedisCluster::start();
    let gateway = Gateway::of(&cluster);
    assert_eq!(gateway.moved(), 0, "the first connections are no return");

    let _: i64 = cluster.node(0).ask(&["CLIENT", "KILL", "TYPE", "normal"]);

    until("a return", || gateway.moved() == 1);
}

#[test]
fn a_cluster_that_is_down_is_not_waited_for() {
    let cluster = RedisCluster::start();
    let gateway = Gateway::of(&cluster);
    let slot = slot(&key(0)).to_string();
    for node in 0..6 {
        let node = cluster.node(node);
        let _: () = node.ask(&["CONFIG", "SET", "cluster-require-full-coverage", "yes"]);
        // Whoever has heard of it already knows of no such slot.
        let _ = node.try_ask::<()>(&["CLUSTER", "DELSLOTS", &slot]);
    }
    until("masters without a slot", || {
        (0..3).all(|node| {
            let told: String = cluster.node(node).ask(&["CLUSTER", "INFO"]);
            told.contains("cluster_state:fail")
        })
    });

    // The gateway would wait for an answer for a minute.
    assert_eq!(
        gateway.load(key(1)),
        Loaded::Unavailable(Unavailable::new("the cluster is down"))
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
    let victims = load.rows_of(&cluster, 0);
    load.go_on();
    let before = load.versions();
    replicated(&cluster);

    cluster.nodes()[0].kill();
    assert_eq!(cluster.wait_for_failover(0, 0), 3);

    load.go_on();
    let ended = load.end();
    ended.assert_kept(&before);
    ended.assert_unnoticed_unless(&victims);
    for gateway in [&writer, &reader] {
        assert_eq!(gateway.moved(), 1);
        until("copies that count", || gateway.storage.changes().is_heard());
    }
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
    let victims = load.rows_of(&cluster, 0);
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

#[test]
fn a_node_that_joins_serves_and_one_that_leaves_is_forgotten() {
    let cluster = RedisCluster::start();
    let (writer, reader) = two_gateways(&cluster);
    let load = Load::begin(&writer, &reader);
    let row = &load.rows()[0];
    let home = cluster.owner(row.slot());

    make_a_master_without_slots(&cluster, 5);
    cluster.migrate(row.slot(), 5).finish();
    load.go_on();
    for gateway in [&writer, &reader] {
        until("a way to the new node", || masters(gateway) == 4);
    }

    cluster.migrate(row.slot(), home).finish();
    load.go_on();
    for gateway in [&writer, &reader] {
        until("no way to a node without slots", || masters(gateway) == 3);
    }
    load.end().assert_unnoticed();
}

#[test]
fn a_cluster_that_comes_back_is_found_again() {
    let mut cluster = RedisCluster::start();
    let gateway = Gateway::of(&cluster);
    assert_eq!(gateway.write(key(0), Expected::Absent, 1), Written::Done);

    cluster.nodes().iter_mut().for_each(RedisServer::kill);
    until("an outage", || {
        matches!(gateway.load(key(0)), Loaded::Unavailable(_))
    });
    let early = RedisStorage::open(&cluster.config(), Arc::default()).unwrap();
    cluster.nodes().iter_mut().for_each(RedisServer::restart);

    until("the end of the outage", || {
        block_on(gateway.rows.probe().wait()) == Ok(())
    });
    until("the first connection", || {
        block_on(early.probe().wait()) == Ok(())
    });
    assert_eq!(
        gateway.write(key(0), Expected::Absent, 1),
        Written::Done,
        "nothing was on disk"
    );
}

#[test]
fn nodes_that_send_to_and_fro_run_into_the_deadline() {
    let cluster = RedisCluster::start();
    let hasty = RedisConfig {
        timeout: ConfigDuration::of_secs(1),
        ..cluster.config()
    };
    let gateway = Gateway::of(&cluster);
    let storage = RedisStorage::open(&hasty, Arc::default()).unwrap();
    until("a connection", || {
        block_on(storage.probe().wait()) == Ok(())
    });
    let slot = slot(&key(0));
    let from = cluster.owner(slot);
    let to = (from + 1) % 3;
    let (slot, id) = (
        slot.to_string(),
        cluster.node(to).ask::<String>(&["CLUSTER", "MYID"]),
    );
    let give = |node: usize| {
        let command = ["CLUSTER", "SETSLOT", &slot, "NODE", &id];
        cluster.node(node).ask::<()>(&command);
    };

    give(from);
    let late = Loaded::Unavailable(Unavailable::new("no answer within 1s"));
    assert_eq!(block_on(storage.load(&key(0)).wait()), late);

    give(to);
    assert_eq!(gateway.write(key(0), Expected::Absent, 1), Written::Done);
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

/// Makes a replica a stranger and invites it again. Without its last slot it would become a replica by itself.
#[track_caller]
fn make_a_master_without_slots(cluster: &RedisCluster, node: usize) {
    let stranger = cluster.node(node);
    stranger.ask::<()>(&["CLUSTER", "RESET", "HARD"]);
    stranger.ask::<()>(&["CONFIG", "SET", "cluster-allow-replica-migration", "no"]);
    let bus = stranger.ask::<Vec<String>>(&["CONFIG", "GET", "cluster-port"]);
    let port = stranger.address().port().to_string();
    let id: String = stranger.ask(&["CLUSTER", "MYID"]);
    cluster
        .node(0)
        .ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus[1]]);
    until("nodes that know each other", || {
        let told: String = stranger.ask(&["CLUSTER", "INFO"]);
        let is_known = |node| {
            let told: String = cluster.node(node).ask(&["CLUSTER", "NODES"]);
            told.lines()
                .any(|line| line.starts_with(&id) && line.contains(" master "))
        };
        told.contains("cluster_state:ok") && (0..5).all(is_known)
    });
}
