use std::path::Path;

use abi::config::{ConfigPath, Secret};
use abi::testing::TestGateway;
use serde_json::json;

use super::*;
use crate::clock::SystemClock;
use crate::session::Secrets;
use crate::storage::Durability;

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

#[test]
fn what_is_opened_as_before_is_the_same_storage() {
    let before = Arc::new(storages());
    let file = tempfile::tempdir().unwrap();
    open_all(&before, file.path());

    let after = after(&before);
    open_all(&after, file.path());

    for name in [None, Some("Memory"), Some("Redis")] {
        let [one, other] = [&before, &after].map(|storages| rows(storages, name));
        assert!(Arc::ptr_eq(&one, &other), "{name:?}");
    }
}

#[test]
fn what_is_opened_otherwise_is_another_storage() {
    let before = Arc::new(storages());
    let _handle = before.memory("Memory", &MemoryConfig::default()).unwrap();

    let after = after(&before);
    let smaller = MemoryConfig {
        max_entries: 7,
        ..MemoryConfig::default()
    };
    let _handle = after.memory("Memory", &smaller).unwrap();

    let [one, other] = [&before, &after].map(|storages| rows(storages, Some("Memory")));
    assert!(!Arc::ptr_eq(&one, &other));
}

#[test]
fn a_file_that_is_open_may_be_renamed_and_not_be_written_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let before = Arc::new(storages());
    let _handle = before.file("File", &file(directory.path())).unwrap();

    let otherwise = FileConfig {
        durability: Durability::EverySecond,
        ..file(directory.path())
    };

    let renamed = after(&before).file("Sessions", &file(directory.path()));
    assert!(renamed.is_ok());
    assert_eq!(
        after(&before)
            .file("File", &otherwise)
            .unwrap_err()
            .to_string(),
        "durability: takes a restart: the file stays open while a new configuration is read"
    );
}

#[test]
fn what_nobody_opens_again_ends_with_those_before() {
    let directory = tempfile::tempdir().unwrap();
    let before = Arc::new(storages());
    drop(before.file("File", &file(directory.path())).unwrap());

    let after = after(&before);
    drop(before);

    let again = FileStorage::open(&file(directory.path()), Arc::new(SystemClock::new()));
    assert!(again.is_ok(), "{again:?}");
    assert!(after.own().is_empty());
}

#[test]
fn a_check_opens_no_file_and_finds_its_storage() {
    let directory = tempfile::tempdir().unwrap();
    let services = TestGateway::new().with_purpose(Purpose::Check).services();
    let storages = Storages::new(services, Arc::new(SystemClock::new()), Arc::default());

    let _handle = storages.file("File", &file(directory.path())).unwrap();

    assert!(storages.find(Some("File"), &Keyring::plain()).is_ok());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn two_storages_in_one_directory_are_a_fault_whatever_it_is_opened_for() {
    for purpose in [Purpose::Check, Purpose::Serve] {
        let directory = tempfile::tempdir().unwrap();
        let services = TestGateway::new().with_purpose(purpose).services();
        let storages = Storages::new(services, Arc::new(SystemClock::new()), Arc::default());
        let _one = storages.file("One", &file(directory.path())).unwrap();

        let faults = storages.file("Other", &file(directory.path())).unwrap_err();

        assert_eq!(
            faults.to_string(),
            "path: is the directory of `One`, and a storage needs one of its own"
        );
    }
}

#[test]
fn threads_are_shared_by_those_who_want_as_many() {
    let storages = storages();
    let shared = |threads| storages.runtime(NonZeroUsize::new(threads).unwrap());

    assert!(shared(1).is_some_and(|runtime| Arc::ptr_eq(&runtime, &storages.runtime)));
    assert!(shared(2).is_none());
}

fn open_all(storages: &Storages, directory: &Path) {
    storages.memory("Memory", &MemoryConfig::default()).unwrap();
    storages.redis("Redis", &redis(json!({}))).unwrap();
    storages.file("File", &file(directory)).unwrap();
}

fn rows(storages: &Storages, name: Option<&str>) -> Arc<dyn Rows> {
    storages.find(name, &Keyring::plain()).unwrap().rows
}

fn file(directory: &Path) -> FileConfig {
    FileConfig {
        path: ConfigPath::new(directory),
        ..FileConfig::default()
    }
}

fn after(before: &Arc<Storages>) -> Storages {
    Storages::after(before, TestGateway::new().services(), Arc::default())
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
