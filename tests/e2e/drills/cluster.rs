//! A Cluster, of which parts fail or move.

use std::collections::BTreeSet;

use engine::storage::server::{RedisCluster, RedisServer};

use super::Drill;

#[test]
fn killed_master_of_a_cluster_is_replaced_by_its_replica() {
    let mut cluster = RedisCluster::start();
    let slot = 0;
    let master = cluster.owner(slot);
    let mut drill = Drill::start("Cluster: kill -9 of a master", &cluster.settings());

    cluster.wait_for_replica(master);
    cluster.nodes()[master].kill();
    drill.newcomers_are_refused();
    cluster.wait_for_failover(slot, master);
    drill.recovers();

    drill.ends_well();
}

#[test]
fn frozen_master_of_a_cluster_is_left() {
    let cluster = RedisCluster::start();
    let slot = 0;
    let master = cluster.owner(slot);
    let mut drill = Drill::start("Cluster: SIGSTOP of a master", &cluster.settings());

    cluster.wait_for_replica(master);
    cluster.node(master).freeze();
    drill.newcomers_are_refused();
    drill.recovers();
    drill.goes_on();

    drill.ends_well();
}

#[test]
fn slots_move_to_another_master_and_nobody_notices() {
    let cluster = RedisCluster::start();
    let mut drill = Drill::start("Cluster: slots move", &cluster.settings());

    for slot in slots_in_use(&cluster, cluster.node(0)) {
        let migration = cluster.migrate(slot, 1);
        drill.everybody_is_served();
        migration.move_keys();
        drill.everybody_is_served();
        migration.finish();
    }
    drill.recovers();

    assert_eq!(drill.ends_well(), 0, "refused");
}

/// Some slots of a master that have rows in them.
fn slots_in_use(cluster: &RedisCluster, master: &RedisServer) -> Vec<u16> {
    let keys: Vec<String> = master.ask(&["KEYS", "session:*"]);
    let slots: BTreeSet<u16> = keys.iter().map(|key| cluster.slot(key)).collect();
    assert!(!slots.is_empty(), "no row is on the master");
    slots.into_iter().take(4).collect()
}
