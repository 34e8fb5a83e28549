//! A cluster and storages on it.

use std::sync::Arc;
use std::time::Duration;

use abi::storage::{Expected, Key, Loaded, Row, Storage as _, Written};

use crate::storage::RedisConfig;
use crate::storage::conformance::block_on;
use crate::storage::redis::RedisStorage;
use crate::storage::redis::server::RedisCluster;

/// A running cluster.
pub(super) struct Bench {
    pub(super) cluster: RedisCluster,
}

/// A storage as a gateway has one, asked from outside of any runtime.
pub(super) struct Gateway {
    pub(super) storage: RedisStorage,
}

impl Bench {
    pub(super) fn start() -> Self {
        Self {
            cluster: RedisCluster::start(),
        }
    }

    /// One more gateway, with all the patience that a busy machine may ask for.
    pub(super) fn storage(&self) -> Gateway {
        self.with(self.cluster.config())
    }

    pub(super) fn with(&self, config: RedisConfig) -> Gateway {
        let storage = RedisStorage::open(&config, Arc::default()).unwrap();
        assert_eq!(block_on(storage.probe().wait()), Ok(()));
        Gateway { storage }
    }
}

impl Gateway {
    pub(super) fn load(&self, key: Key) -> Loaded<Row> {
        block_on(self.storage.load(&key).wait())
    }

    pub(super) fn write(&self, key: Key, expected: Expected, row: Row) -> Written {
        block_on(self.storage.write(&key, expected, row, HOUR).wait())
    }
}

/// Keys of different slots.
pub(super) fn key(seed: u8) -> Key {
    Key::new([seed; 32])
}

pub(super) fn row(version: u64) -> Row {
    Row {
        version,
        payload: b"payload".to_vec(),
    }
}

const HOUR: Duration = Duration::from_secs(3600);
