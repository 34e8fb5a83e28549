//! A master with replicas, of which the Sentinels choose another.

use engine::storage::server::RedisSentinels;

use super::Drill;

#[test]
fn killed_master_is_replaced_by_the_replica_that_the_sentinels_choose() {
    let mut sentinels = RedisSentinels::start();
    let master = sentinels.master();
    let mut drill = Drill::start("Sentinel: kill -9 of the master", &sentinels.settings());

    sentinels.servers()[master].kill();
    drill.newcomers_are_refused();
    sentinels.wait_for_failover(master);
    drill.recovers();

    drill.ends_well();
}

#[test]
fn frozen_master_is_left_and_not_gone_back_to() {
    let mut sentinels = RedisSentinels::start();
    let master = sentinels.master();
    let mut drill = Drill::start("Sentinel: SIGSTOP of the master", &sentinels.settings());

    sentinels.servers()[master].freeze();
    drill.newcomers_are_refused();
    sentinels.wait_for_failover(master);
    drill.recovers();
    drill.goes_on();
    sentinels.servers()[master].thaw();
    drill.everybody_is_served();

    drill.ends_well();
}

#[test]
fn gateways_go_on_while_sentinels_are_away() {
    let mut sentinels = RedisSentinels::start();
    let mut drill = Drill::start("Sentinel: no Sentinel left", &sentinels.settings());

    for sentinel in sentinels.sentinels() {
        sentinel.kill();
    }
    drill.everybody_is_served();
    for sentinel in sentinels.sentinels() {
        sentinel.restart();
    }
    drill.recovers();

    assert_eq!(drill.ends_well(), 0, "refused");
}

#[test]
fn replicas_that_are_read_from_show_what_was_written_before() {
    for routing in ["routeByLatency", "routeRandomly"] {
        let sentinels = RedisSentinels::start();
        let mut settings = sentinels.settings();
        settings["highAvailability"][routing] = true.into();
        // Copies would be asked before replicas.
        settings["localCache"] = serde_json::json!({ "enabled": false });
        let mut drill = Drill::start(routing, &settings);

        drill.goes_on();
        drill.recovers();

        assert_eq!(drill.ends_well(), 0, "refused");
    }
}
