//! One server, which crashes, freezes, fills up, changes its mind or cannot be reached.

use std::time::Duration;

use e2e::{Proxy, Redis, until};
use engine::storage::server::{RedisServer, Setup};
use serde_json::Value;

use super::{Drill, people, site};

#[test]
fn killed_server_comes_back_with_every_session() {
    let mut redis = Redis::new();
    let mut drill = Drill::start("kill -9 and restart", &redis.server().settings());

    redis.kill();
    drill.everybody_is_refused();
    drill.goes_on();
    redis.start();
    drill.recovers();

    drill.ends_well();
}

#[test]
fn logout_that_was_lost_in_a_restart_is_made_again() {
    let mut server = RedisServer::with(Setup::default());
    let upstream = people::upstream();
    let gateway = site(&upstream, &server.settings()).run();
    let mut browser = people::log_in(&gateway, "anna");
    let elsewhere = browser.clone();
    // All that the server will know after it has started anew.
    server.ask::<()>(&["SAVE"]);
    let logout = browser.send(people::write("destroy"));
    assert_eq!(logout.status(), 200);

    server.restart();

    until("the session is over again", || {
        let answer = elsewhere.clone().get("/who");
        answer.status() == 200 && answer.json()["headers"].get("x-user-id").is_none()
    });
}

#[test]
fn frozen_server_is_refused_in_time_and_taken_back() {
    let redis = Redis::new();
    let mut drill = Drill::start("SIGSTOP", &redis.server().settings());

    redis.freeze();
    // Answered while the server is still frozen, so by a deadline and not by the server.
    drill.everybody_is_refused();
    drill.goes_on();
    redis.thaw();
    drill.recovers();

    drill.ends_well();
}

#[test]
fn partition_is_refused_in_time_and_healed() {
    let redis = Redis::with(Setup::default().tcp());
    let proxy = Proxy::to(redis.server().address());
    let mut drill = Drill::start("partition", &through(&proxy));

    proxy.partition();
    drill.everybody_is_refused();
    drill.goes_on();
    proxy.mend();
    drill.recovers();

    drill.ends_well();
}

#[test]
fn slow_network_makes_nobody_a_stranger() {
    let redis = Redis::with(Setup::default().tcp());
    let proxy = Proxy::to(redis.server().address());
    let mut drill = Drill::start("50 ms more in each direction", &through(&proxy));

    proxy.delay(Duration::from_millis(50));
    drill.everybody_is_served();
    drill.goes_on();
    proxy.mend();
    drill.recovers();

    drill.ends_well();
}

#[test]
fn gateway_that_is_cut_off_does_not_keep_the_other_from_serving() {
    let redis = Redis::with(Setup::default().tcp());
    let proxy = Proxy::to(redis.server().address());
    let settings = [&redis.server().settings(), &through(&proxy)];
    let mut drill = Drill::with("one of two gateways cut off", &settings);

    proxy.cut();
    drill.everybody_is_answered(1, 503);
    drill.everybody_is_answered(0, 200);
    proxy.mend();
    drill.recovers();

    drill.ends_well();
}

#[test]
fn connections_that_the_server_closes_are_made_again() {
    let redis = Redis::new();
    let mut drill = Drill::start("CLIENT KILL", &redis.server().settings());

    for _ in 0..5 {
        redis.run(&["CLIENT", "KILL", "TYPE", "normal"]);
        drill.everybody_is_served();
    }
    drill.recovers();

    drill.ends_well();
}

#[test]
fn full_server_refuses_to_write_and_goes_on_reading() {
    let redis = Redis::new();
    let mut drill = Drill::start("maxmemory", &redis.server().settings());

    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    drill.newcomers_are_refused();
    drill.goes_on();
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    drill.recovers();

    drill.ends_well();
}

#[test]
fn server_that_cannot_save_refuses_to_write_and_goes_on_reading() {
    let redis = Redis::new();
    let mut drill = Drill::start("MISCONF", &redis.server().settings());

    redis.server().break_saving();
    drill.newcomers_are_refused();
    drill.readers_are_served();
    drill.goes_on();
    redis.server().mend_saving();
    drill.recovers();

    drill.ends_well();
}

#[test]
fn password_that_is_wrong_for_a_while_costs_no_session() {
    let redis = Redis::with(Setup::default().password("right"));
    let mut drill = Drill::start("wrong password", &redis.server().settings());

    redis.run(&["ACL", "SETUSER", "default", "resetpass", ">other"]);
    redis.run(&["CLIENT", "KILL", "TYPE", "normal"]);
    drill.everybody_is_refused();
    redis.run(&["ACL", "SETUSER", "default", ">right"]);
    drill.recovers();

    drill.ends_well();
}

#[test]
fn server_that_turns_into_a_replica_is_no_place_to_write() {
    let redis = Redis::new();
    let mut drill = Drill::start("made a read-only replica", &redis.server().settings());

    // Of nobody: a master that answers would replace what is there.
    redis.run(&["REPLICAOF", "127.0.0.1", "1"]);
    drill.newcomers_are_refused();
    drill.goes_on();
    redis.run(&["REPLICAOF", "NO", "ONE"]);
    drill.recovers();

    drill.ends_well();
}

fn through(proxy: &Proxy) -> Value {
    let address = proxy.address();
    serde_json::json!({ "host": address.ip(), "port": address.port() })
}
