use super::*;
use crate::storage::redis::connect::Address;
use crate::storage::redis::sentinel::Route;

#[test]
fn nothing_given_means_the_local_server() {
    let target = target("{}").unwrap();

    assert_eq!(single(&target), &Address::tcp("127.0.0.1", 6379));
    assert_eq!(target.access.login.db(), 0);
    assert!(target.access.tls.is_none());
    assert_eq!(target.access.limit.as_secs(), 1);
    assert_eq!(target.names, Names::new("session:"));
    assert_eq!(target.timeout.as_secs(), 1);
    assert_eq!(target.connections, NonZeroU16::MIN);
    assert!(target.is_cached);
}

#[test]
fn parts_and_url_mean_the_same() {
    let parts = r#"{"host": "h", "port": 7, "username": "u", "password": "p", "databaseIndex": 3}"#;

    let (parts, url) = (
        target(parts).unwrap(),
        target(r#"{"url": "redis://u:p@h:7/3"}"#).unwrap(),
    );

    assert_eq!(single(&parts), single(&url));
    for target in [parts, url] {
        let login = target.access.login;
        assert_eq!(
            (login.username(), login.password(), login.db()),
            (Some("u"), Some("p"), 3)
        );
    }
}

#[test]
fn a_socket_may_have_a_user_and_a_database_in_its_url() {
    let login = target(r#"{"url": "unix:///s?db=3&user=u&pass=p"}"#)
        .unwrap()
        .access
        .login;

    assert_eq!(
        (login.username(), login.password(), login.db()),
        (Some("u"), Some("p"), 3)
    );
}

#[test]
fn a_host_may_be_a_socket_or_an_ipv6_address() {
    let address = |json| single(&target(json).unwrap()).clone();
    let socket = Address::Unix("/run/redis.sock".into());

    assert_eq!(address(r#"{"host": "/run/redis.sock"}"#), socket);
    assert_eq!(address(r#"{"url": "unix:///run/redis.sock"}"#), socket);
    assert_eq!(address(r#"{"host": "[::1]"}"#), Address::tcp("::1", 6379));
}

#[test]
fn a_cluster_may_be_found_through_any_of_its_servers() {
    let seeds = |json| match target(json).unwrap().servers {
        Servers::Cluster(seeds) => seeds,
        servers => panic!("{servers:?}"),
    };

    assert_eq!(
        seeds(r#"{"mode": "cluster", "host": ["a", "b:7000", "[::1]:7001"], "port": 7}"#),
        [
            Address::tcp("a", 7),
            Address::tcp("b", 7000),
            Address::tcp("::1", 7001)
        ]
    );
    assert_eq!(
        seeds(r#"{"mode": "cluster", "url": "redis://u:p@a:7"}"#),
        [Address::tcp("a", 7)]
    );
}

#[test]
fn sentinels_have_a_user_and_a_port_of_their_own() {
    let target = target(
        r#"{"mode": "sentinel", "username": "u", "password": "p", "databaseIndex": 3,
            "highAvailability": {"sentinelName": "m", "sentinelUsername": "su", "sentinelPassword": "sp",
            "nodes": [{"host": "a"}, {"host": "[::1]", "port": 7}], "routeRandomly": true}}"#,
    )
    .unwrap();

    let Servers::Sentinel(sentinels) = &target.servers else {
        panic!("{:?}", target.servers)
    };
    assert_eq!(&*sentinels.name, "m");
    assert_eq!(
        sentinels.addresses,
        [Address::tcp("a", 26379), Address::tcp("::1", 7)]
    );
    assert_eq!(sentinels.route, Route::Randomly);
    for (login, expected) in [
        (&target.access.login, (Some("u"), Some("p"), 3)),
        (&sentinels.access.login, (Some("su"), Some("sp"), 0)),
    ] {
        assert_eq!((login.username(), login.password(), login.db()), expected);
    }
}

#[test]
fn a_url_or_a_key_asks_for_tls() {
    let secured = [
        r#"{"url": "rediss://h:7", "tls": {"skipVerify": true}}"#,
        r#"{"url": "valkeys://h:7", "tls": {"skipVerify": true}}"#,
        r#"{"url": "redis://h:7", "tls": {"enabled": true, "skipVerify": true}}"#,
        r#"{"host": "h", "port": 7, "tls": {"enabled": true, "skipVerify": true}}"#,
    ];
    for json in secured {
        let target = target(json).unwrap();
        assert_eq!(single(&target), &Address::tcp("h", 7), "{json}");
        assert!(target.access.tls.is_some(), "{json}");
    }
}

#[test]
fn every_fault_is_told_at_once_and_at_its_key() {
    let cases = [
        (r#"{"host": ""}"#, vec!["host"]),
        (
            r#"{"host": "redis://h", "port": 0, "prefix": "", "connections": 65}"#,
            vec!["prefix", "connections", "port", "host"],
        ),
        (r#"{"host": "h:7"}"#, vec!["host"]),
        (r#"{"host": ["a", "b"]}"#, vec!["host"]),
        (r#"{"host": "/run/redis.sock", "port": 1}"#, vec!["port"]),
        (r#"{"username": "u"}"#, vec!["username"]),
        (
            r#"{"url": "redis://h", "host": "h", "databaseIndex": 0}"#,
            vec!["host", "databaseIndex"],
        ),
        (r#"{"url": "http://h"}"#, vec!["url"]),
        (r#"{"url": "redis://h/?protocol=resp3"}"#, vec!["url"]),
        (r#"{"url": "rediss://h/#insecure"}"#, vec!["url"]),
        (r#"{"url": "redis://u@h"}"#, vec!["url"]),
        (r#"{"url": "unix:///s?user=u"}"#, vec!["url"]),
        (r#"{"url": "unix:///s?user=u&pass="}"#, vec!["url"]),
        (r#"{"url": "unix:///s?database=2&password=x"}"#, vec!["url"]),
        (r#"{"url": "unix:///s?db=1&db=2"}"#, vec!["url"]),
        (r#"{"url": "unix:///s?db=-1"}"#, vec!["url"]),
        (r#"{"url": "unix:///s?protocol=resp3"}"#, vec!["url"]),
        (r#"{"url": "redis://h:0"}"#, vec!["url"]),
        (r#"{"url": "redis://h1,h2"}"#, vec!["url"]),
        (r#"{"url": "redis://h/-1"}"#, vec!["url"]),
        (r#"{"host": "h1,h2"}"#, vec!["host"]),
        (r#"{"highAvailability": {}}"#, vec!["highAvailability"]),
        (
            r#"{"localCache": {"enabled": false, "entries": 1, "maxStaleness": "1s"}}"#,
            vec!["localCache.entries", "localCache.maxStaleness"],
        ),
        (r#"{"mode": "sentinel"}"#, vec!["highAvailability"]),
        (
            r#"{"mode": "sentinel", "host": "h", "port": 1, "url": "redis://h", "highAvailability": {}}"#,
            vec![
                "host",
                "port",
                "url",
                "highAvailability.sentinelName",
                "highAvailability.nodes",
            ],
        ),
        (
            r#"{"mode": "sentinel", "highAvailability": {
                "sentinelName": "m", "sentinelUsername": "u", "routeByLatency": true, "routeRandomly": true,
                "nodes": [{"host": "a"}, {"host": "a:1"}, {"host": ""}, {"host": "b", "port": 0}]}}"#,
            vec![
                "highAvailability.nodes[1].host",
                "highAvailability.nodes[2].host",
                "highAvailability.nodes[3].port",
                "highAvailability.sentinelUsername",
                "highAvailability.routeRandomly",
            ],
        ),
        (
            r#"{"mode": "cluster", "host": "/s", "databaseIndex": 1}"#,
            vec!["databaseIndex", "host"],
        ),
        (r#"{"mode": "cluster", "url": "redis://h/1"}"#, vec!["url"]),
        (r#"{"mode": "cluster", "host": ["a", "b:0"]}"#, vec!["host"]),
        (
            r#"{"host": "/s", "tls": {"enabled": true}}"#,
            vec!["tls.enabled"],
        ),
        (
            r#"{"tls": {"caFile": "a", "certFile": "b", "serverName": "c", "skipVerify": true, "minimumVersion": "TLS1.2"}}"#,
            vec![
                "tls.caFile",
                "tls.certFile",
                "tls.serverName",
                "tls.skipVerify",
                "tls.minimumVersion",
            ],
        ),
        (
            r#"{"tls": {"enabled": true, "skipVerify": true, "caFile": "/none", "certFile": "/none", "serverName": "a b"}}"#,
            vec!["tls.caFile", "tls.keyFile", "tls.serverName"],
        ),
        (
            r#"{"tls": {"enabled": true, "caFile": "/none", "keyFile": "/none"}}"#,
            vec!["tls.caFile", "tls.certFile"],
        ),
    ];
    for (json, expected) in cases {
        let faults = target(json).unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, expected, "{json}");
    }
}

#[test]
fn no_fault_and_no_debug_shows_a_password() {
    let config = r#"{"url": "redis://u:hunter2@h:x/", "password": "hunter2"}"#;

    let faults = target(config).unwrap_err();

    let config: RedisConfig = serde_json::from_str(config).unwrap();
    assert!(!format!("{faults} {faults:?} {config:?}").contains("hunter2"));
    let target = target(r#"{"password": "hunter2"}"#).unwrap();
    assert!(!format!("{target:?}").contains("hunter2"));
}

#[test]
fn a_misspelt_key_is_refused() {
    let misspelt = [
        r#"{"databseIndex": 1}"#,
        r#"{"mode": "double"}"#,
        r#"{"tls": {"verify": true}}"#,
        r#"{"localCache": {"size": 1}}"#,
        r#"{"connections": 0}"#,
    ];
    for json in misspelt {
        assert!(serde_json::from_str::<RedisConfig>(json).is_err(), "{json}");
    }
}

fn single(target: &Target) -> &Address {
    match &target.servers {
        Servers::Single(address) => address,
        servers => panic!("{servers:?}"),
    }
}

fn target(json: &str) -> Result<Target, Faults> {
    serde_json::from_str::<RedisConfig>(json).unwrap().target()
}
