//! What happens when another server becomes the master, and when sentinels are away.

use abi::config::{ConfigDuration, Secret};

use super::*;
use crate::storage::redis::server::{Certificates, Setup};

#[test]
fn a_failover_by_hand_is_followed_before_the_old_master_knows_of_it() {
    let sentinels = RedisSentinels::start();
    let gateway = Gateway::on(&sentinels.config());

    sentinels.fail_over();
    until("a failover", || gateway.moved() == 1);

    let master = sentinels.wait_for_failover(0);
    assert_written(&gateway, 1);
    let mut sentinels = sentinels;
    assert!(has(&sentinels.servers()[master], &gateway, key(1)));
}

#[test]
fn every_sentinel_would_tell_us_of_a_failover() {
    let mut sentinels = RedisSentinels::start();
    let _gateway = Gateway::on(&sentinels.config());

    for sentinel in sentinels.sentinels() {
        until("a subscription", || {
            let clients: String = sentinel.ask(&["CLIENT", "LIST"]);
            clients.contains(" sub=1 ")
        });
    }
}

#[test]
fn a_killed_master_is_replaced() {
    let mut sentinels = RedisSentinels::start();
    let gateway = Gateway::on(&sentinels.config());
    assert_written(&gateway, 1);

    sentinels.servers()[0].kill();

    until("a failover", || gateway.moved() == 1);
    assert_written(&gateway, 2);
    sentinels.wait_for_failover(0);
}

#[test]
fn a_frozen_master_is_left_and_not_believed_when_it_wakes() {
    let mut sentinels = RedisSentinels::start();
    let gateway = Gateway::on(&sentinels.config());

    sentinels.servers()[0].freeze();
    until("a failover", || gateway.moved() == 1);
    sentinels.servers()[0].thaw();

    let master = sentinels.wait_for_failover(0);
    assert_written(&gateway, 1);
    assert!(has(&sentinels.servers()[master], &gateway, key(1)));
    assert_eq!(gateway.moved(), 1);
}

#[test]
fn a_master_that_is_back_may_have_lost_what_it_acknowledged() {
    let mut sentinels = RedisSentinels::start();
    let gateway = Gateway::on(&sentinels.config());
    assert_written(&gateway, 1);
    assert_eq!(gateway.moved(), 0, "the first connection is no return");

    let _: i64 = sentinels.servers()[0].ask(&["CLIENT", "KILL", "TYPE", "normal"]);

    until("a return", || gateway.moved() == 1);
}

#[test]
fn without_sentinels_the_master_that_was_known_goes_on() {
    let mut sentinels = RedisSentinels::start();
    let gateway = Gateway::on(&sentinels.config());

    for sentinel in sentinels.sentinels() {
        sentinel.kill();
    }

    assert_written(&gateway, 1);
    let _: i64 = sentinels.servers()[0].ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_written(&gateway, 2);
}

#[test]
fn one_sentinel_is_enough_to_begin() {
    let mut sentinels = RedisSentinels::start();
    for sentinel in &mut sentinels.sentinels()[..2] {
        sentinel.kill();
    }

    assert_written(&Gateway::on(&sentinels.config()), 1);
}

#[test]
fn servers_and_sentinels_have_passwords_and_certificates() {
    let certificates = Certificates::issue();
    let sentinels = RedisSentinels::with(
        Setup::default()
            .password("of-servers")
            .mutual_tls(&certificates),
        Setup::default()
            .password("of-sentinels")
            .mutual_tls(&certificates),
    );

    assert_written(&Gateway::on(&sentinels.config()), 1);
}

#[test]
fn why_no_master_is_known_is_told() {
    let guard = Setup::default().password("right");
    let sentinels = RedisSentinels::with(Setup::default(), guard);
    let mut config = sentinels.config();
    config.timeout = ConfigDuration::of_secs(2);
    let availability = config.high_availability.as_mut().unwrap();
    availability.sentinel_name = "other".into();
    assert_eq!(
        refused(&config),
        "no sentinel knows the master: it knows no master called `other`"
    );

    let availability = config.high_availability.as_mut().unwrap();
    availability.sentinel_password = Secret::new("wrong");
    assert_eq!(
        refused(&config),
        "no sentinel knows the master: the server refused the user or password: \
         change `sentinelUsername` and `sentinelPassword`"
    );
}

fn refused(config: &RedisConfig) -> String {
    let storage = RedisStorage::open(config, Arc::default()).unwrap();
    block_on(storage.probe().wait()).unwrap_err().to_string()
}

/// Writes a row that was never written, as often as it takes: a connection may be lost at any moment.
fn assert_written(gateway: &Gateway, seed: u8) {
    until("a write", || {
        match gateway.write(key(seed), Expected::Absent, row(1)) {
            Written::Done => true,
            Written::Conflict => gateway.load(key(seed)) == Loaded::Found(row(1)),
            Written::Unavailable(_) => false,
        }
    });
}
