mod conformance;
mod failover;
mod replicas;

use std::sync::Arc;
use std::time::Duration;

use abi::storage::{Expected, Key, Loaded, Row, Storage as _, Written};

use crate::storage::RedisConfig;
use crate::storage::conformance::block_on;
use crate::storage::redis::RedisStorage;
use crate::storage::redis::server::{RedisSentinels, RedisServer, until};

/// A storage as a gateway has one.
struct Gateway(RedisStorage);

impl Gateway {
    fn on(config: &RedisConfig) -> Self {
        let storage = RedisStorage::open(config, Arc::default()).unwrap();
        assert_eq!(block_on(storage.probe().wait()), Ok(()));
        Self(storage)
    }

    fn load(&self, key: Key) -> Loaded<Row> {
        block_on(self.0.load(&key).wait())
    }

    fn write(&self, key: Key, expected: Expected, row: Row) -> Written {
        block_on(self.0.write(&key, expected, row, HOUR).wait())
    }

    /// How many failovers the connections have followed.
    fn moved(&self) -> u64 {
        *self.0.moved().borrow()
    }
}

/// Whether the server has the row, by its own account.
fn has(server: &RedisServer, gateway: &Gateway, key: Key) -> bool {
    let name = gateway.0.target.names.of(&key);
    server.ask::<u64>(&["EXISTS", &name]) == 1
}

fn key(seed: u8) -> Key {
    Key::new([seed; 32])
}

fn row(version: u64) -> Row {
    Row {
        version,
        payload: b"payload".to_vec(),
    }
}

const HOUR: Duration = Duration::from_secs(3600);
