use abi::config::Secret;
use abi::testing::TestGateway;
use serde_json::json;

use super::*;
use crate::clock::SystemClock;
use crate::session::Secrets;

#[test]
fn equal_secrets_share_their_copies_and_others_do_not() {
    let storages = storages();
    let _handle = storages.redis("Redis", &redis(json!({}))).unwrap();
    let open = |keyring| storages.find(Some("Redis"), &keyring).unwrap().rows;

    let (first, same) = (open(sealed("first")), open(sealed("first")));
    let (other, plain) = (open(sealed("other")), open(Keyring::plain()));

    assert!(Arc::ptr_eq(&first, &same));
    assert!(!Arc::ptr_eq(&first, &other) && !Arc::ptr_eq(&first, &plain));
}

#[test]
fn without_a_local_cache_there_are_no_copies() {
    let storages = storages();
    for (enabled, has_copies) in [(true, true), (false, false)] {
        let config = redis(json!({ "localCache": { "enabled": enabled } }));
        let _handle = storages.redis("Redis", &config).unwrap();

        let backing = storages.find(Some("Redis"), &Keyring::plain()).unwrap();

        assert_eq!(backing.has_copies, has_copies);
        assert!(backing.failovers.is_some());
    }
}

#[test]
fn only_what_outlives_the_process_is_shared_with_others() {
    let storages = storages();
    let directory = tempfile::tempdir().unwrap();
    let kept = json!({ "path": directory.path() });
    let _handles = (
        storages.memory("Memory", &MemoryConfig::default()).unwrap(),
        storages.file("Temporary", &FileConfig::default()).unwrap(),
        storages
            .file("Kept", &serde_json::from_value(kept).unwrap())
            .unwrap(),
        storages.redis("Redis", &redis(json!({}))).unwrap(),
    );

    let names = [
        None,
        Some("Memory"),
        Some("Temporary"),
        Some("Kept"),
        Some("Redis"),
    ];
    let shared = names.map(|name| storages.find(name, &Keyring::plain()).unwrap().is_shared);

    assert_eq!(shared, [false, false, false, true, true]);
}

#[test]
fn copies_that_would_be_trusted_for_too_long_are_a_fault_beside_all_others() {
    let config = redis(json!({ "prefix": "", "localCache": { "maxStaleness": "2m" } }));

    let faults = storages().redis("Redis", &config).unwrap_err();

    let text = faults.to_string();
    assert!(text.contains("localCache.maxStaleness: `2m`"), "{text}");
    assert!(text.contains("prefix: "), "{text}");
}

#[test]
fn an_unknown_name_is_a_fault() {
    let faults = storages().find(Some("Nobody"), &Keyring::plain());

    assert_eq!(
        faults.err().unwrap().to_string(),
        "storage: no storage is called `Nobody`; `storages` names none at all"
    );
}

fn storages() -> Storages {
    let services = TestGateway::new().services();
    Storages::new(services, Arc::new(SystemClock::new()), Arc::default())
}

/// Nobody listens there: what is opened goes on trying, and no test waits for it.
fn redis(mut config: serde_json::Value) -> RedisConfig {
    config["host"] = "/nowhere/redis.sock".into();
    serde_json::from_value(config).unwrap()
}

fn sealed(seed: &str) -> Keyring {
    let secret = Secret::new(seed.repeat(8));
    Keyring::sealed(Secrets::parse(&[secret]).unwrap().unwrap())
}
