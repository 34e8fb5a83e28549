//! The ways in which a cluster can be reached.

use std::sync::Arc;

use abi::config::{ConfigDuration, Secret};
use abi::storage::{Expected, Loaded, Storage as _, Unavailable, Written};

use super::bench::{Gateway, addresses, key, row, two_gateways};
use super::load::Load;
use crate::storage::RedisConfig;
use crate::storage::conformance::block_on;
use crate::storage::redis::server::{Certificates, RedisCluster, RedisServer, Setup, until};
use crate::storage::redis::{Mode, RedisStorage};

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
    // Without copies there is nothing to be heard, and another protocol.
    let mut config = cluster.config();
    config.local_cache.enabled = false;
    let other = Gateway::with(&config);
    for seed in 0..64 {
        assert_eq!(other.load(key(seed)), Loaded::Found(row(1)));
    }
}

#[test]
fn a_prefix_with_braces_keeps_all_rows_at_one_master() {
    let cluster = RedisCluster::start();
    let gateway = Gateway::with(&RedisConfig {
        prefix: "{session}:".into(),
        ..cluster.config()
    });

    for seed in 0..16 {
        let written = gateway.write(key(seed), Expected::Absent, 1);
        assert_eq!(written, Written::Done);
    }

    let rows = |node| cluster.node(node).ask::<u64>(&["DBSIZE"]);
    let mut rows: Vec<_> = (0..3).map(rows).collect();
    rows.sort_unstable();
    assert_eq!(rows, [0, 0, 16]);
    assert_eq!(block_on(gateway.rows.probe().wait()), Ok(()));
    assert_eq!(block_on(gateway.rows.reset().wait()), Ok(16));
}

#[test]
fn nodes_are_reached_by_the_names_they_announce() {
    let cluster = RedisCluster::start();
    for node in 0..6 {
        let set = |key, value| cluster.node(node).ask::<()>(&["CONFIG", "SET", key, value]);
        set("cluster-announce-hostname", "localhost");
        set("cluster-preferred-endpoint-type", "hostname");
    }
    until("names that all nodes know", || {
        (0..6).all(|node| {
            let told: String = cluster.node(node).ask(&["CLUSTER", "NODES"]);
            told.matches(",localhost").count() == 6
        })
    });

    let gateway = Gateway::of(&cluster);

    for seed in 0..16 {
        assert_eq!(gateway.write(key(seed), Expected::Absent, 1), Written::Done);
    }
    assert!(
        addresses(&gateway)
            .iter()
            .all(|address| address.starts_with("localhost:"))
    );
}

#[test]
fn nodes_without_a_name_are_where_the_asked_one_is() {
    let cluster = RedisCluster::start();
    for node in 0..6 {
        let key = "cluster-preferred-endpoint-type";
        cluster
            .node(node)
            .ask::<()>(&["CONFIG", "SET", key, "unknown-endpoint"]);
    }
    let (writer, reader) = two_gateways(&cluster);
    let load = Load::begin(&writer, &reader);
    let slot = load.rows()[0].slot();

    cluster
        .migrate(slot, (cluster.owner(slot) + 1) % 3)
        .finish();
    load.go_on();

    load.end().assert_unnoticed();
    assert!(
        addresses(&writer)
            .iter()
            .all(|address| address.starts_with("127.0.0.1:"))
    );
}

#[test]
fn several_connections_to_each_node_carry_the_rows() {
    let cluster = RedisCluster::with(Setup::default().password("secret"));
    let config = RedisConfig {
        connections: 3.try_into().unwrap(),
        ..cluster.config()
    };
    let (writer, reader) = (Gateway::with(&config), Gateway::with(&config));
    let load = Load::begin(&writer.into(), &reader.into());

    load.go_on();

    load.end().assert_unnoticed();
}

#[test]
fn the_documented_permissions_are_enough() {
    let rule = "gateway on >secret resetchannels ~session:* +get +set +getrange +eval +evalsha +del +ping +scan \
                +unlink +client|tracking +cluster|slots +cluster|nodes +asking";
    let cluster = RedisCluster::with(Setup::default().user(rule));
    let config = RedisConfig {
        username: "gateway".into(),
        password: Secret::new("secret"),
        ..cluster.config()
    };
    let gateway = Arc::new(Gateway::with(&config));
    let load = Load::begin(&gateway, &gateway);
    let slot = load.rows()[0].slot();
    let migration = cluster.migrate(slot, (cluster.owner(slot) + 1) % 3);
    load.go_on();
    migration.finish();
    load.go_on();

    let rows = load.rows().len();
    load.end().assert_unnoticed();
    assert!(gateway.storage.changes().is_heard());
    let removed = block_on(gateway.rows.reset().wait());
    assert_eq!(removed, Ok(rows as u64));
}

#[test]
fn a_cluster_behind_tls_is_reached_behind_tls() {
    let certificates = Certificates::issue();
    let cluster = RedisCluster::with(Setup::default().tls(&certificates));
    let (writer, reader) = two_gateways(&cluster);
    let load = Load::begin(&writer, &reader);
    let slot = load.rows()[0].slot();

    cluster
        .migrate(slot, (cluster.owner(slot) + 1) % 3)
        .finish();
    load.go_on();

    load.end().assert_unnoticed();
}

#[test]
fn a_server_that_is_no_cluster_is_told() {
    let server = RedisServer::with(Setup::default().tcp());
    let config = RedisConfig {
        mode: Mode::Cluster,
        timeout: ConfigDuration::of_secs(1),
        ..server.config()
    };
    let storage = RedisStorage::open(&config, Arc::default()).unwrap();

    until("the reason", || {
        let told = block_on(storage.probe().wait());
        told == Err(Unavailable::new("the server is not part of a cluster"))
    });
}

#[test]
fn a_cluster_where_one_server_is_wanted_is_told() {
    let cluster = RedisCluster::start();
    let config = RedisConfig {
        mode: Mode::Single,
        ..cluster.node(0).config()
    };
    let storage = RedisStorage::open(&config, Arc::default()).unwrap();
    let reason = "the server is part of a cluster: `mode: cluster` is for that";
    let reason = Loaded::Unavailable(Unavailable::new(reason));

    until("the reason", || {
        (0..16).any(|seed| block_on(storage.load(&key(seed)).wait()) == reason)
    });
}
