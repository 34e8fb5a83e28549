use std::collections::BTreeMap;

use super::*;

#[test]
fn an_append_only_server_has_its_data_again_after_a_crash() {
    let mut server = RedisServer::with(Setup::default().append_only());
    let _: () = server.ask(&["SET", "key", "value"]);

    server.kill();
    server.restart();

    assert_eq!(server.ask::<String>(&["GET", "key"]), "value");
}

#[test]
fn a_server_counts_what_it_was_asked() {
    let server = RedisServer::start();

    for _ in 0..3 {
        let _: Option<String> = server.ask(&["GET", "key"]);
    }

    assert_eq!((server.calls("get"), server.calls("set")), (3, 0));
}

#[test]
fn a_frozen_server_goes_on_where_it_was() {
    let server = RedisServer::start();
    let _: () = server.ask(&["SET", "key", "value"]);

    server.freeze();
    server.thaw();

    assert_eq!(server.ask::<String>(&["GET", "key"]), "value");
}

#[test]
fn settings_are_those_of_a_storage() {
    let certificates = Certificates::issue();
    let server = RedisServer::with(Setup::default().tls(&certificates).password("right"));

    let settings: BTreeMap<String, serde_json::Value> =
        serde_json::from_value(server.settings()).unwrap();

    assert_eq!(
        Vec::from_iter(settings.keys()),
        ["host", "password", "port", "tls"]
    );
}

#[test]
fn sentinels_replace_a_master_that_was_killed() {
    let guarded = Setup::default().password("right");
    let mut sentinels = RedisSentinels::with(guarded.clone(), guarded);
    assert_eq!(sentinels.master(), 0);

    sentinels.servers()[0].kill();
    let master = sentinels.wait_for_failover(0);

    let _: () = sentinels.servers()[master].ask(&["SET", "key", "value"]);
}

#[test]
fn a_slot_moves_with_its_keys() {
    let cluster = RedisCluster::start();
    let slot = cluster.slot("key");
    let from = cluster.owner(slot);
    let to = (from + 1) % 3;
    let _: () = cluster.node(from).ask(&["SET", "key", "value"]);

    let migration = cluster.migrate(slot, to);
    migration.move_keys();
    let asked = cluster.node(from).try_ask::<String>(&["GET", "key"]);
    migration.finish();

    assert!(asked.unwrap_err().to_string().contains("Ask"), "ASK");
    assert_eq!(cluster.owner(slot), to);
    assert_eq!(cluster.node(to).ask::<String>(&["GET", "key"]), "value");
}

#[test]
fn a_replica_takes_over_from_a_node_that_was_killed() {
    let mut cluster = RedisCluster::with(Setup::default().password("right"));
    let slot = cluster.slot("key");
    let owner = cluster.owner(slot);

    cluster.nodes()[owner].kill();

    assert_eq!(cluster.wait_for_failover(slot, owner), owner + 3);
}

#[test]
fn a_cluster_and_sentinels_speak_tls_among_each_other() {
    let setup = Setup::default().mutual_tls(&Certificates::issue());

    let _cluster = RedisCluster::with(setup.clone());
    let _sentinels = RedisSentinels::with(setup.clone(), setup);
}
