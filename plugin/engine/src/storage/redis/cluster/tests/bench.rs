//! A cluster, and gateways that keep their rows on it.

use std::sync::Arc;
use std::time::Duration;

use abi::storage::{Expected, Key, Loaded, Written};
use abi::testing::TestGateway;

use crate::clock::SystemClock;
use crate::session::{Keyring, State};
use crate::storage::cache::{Cached, Capacity};
use crate::storage::conformance::block_on;
use crate::storage::redis::RedisStorage;
use crate::storage::redis::cluster::slot::Slot;
use crate::storage::redis::deployment::Deployment;
use crate::storage::redis::server::RedisCluster;
use crate::storage::{Encoded, RedisConfig, Rows, Versioned};

/// What one gateway has: a storage, and copies of its rows that count for so long that only what the servers tell can
/// keep them true.
pub(super) struct Gateway {
    pub(super) storage: Arc<RedisStorage>,
    pub(super) rows: Arc<dyn Rows>,
}

impl Gateway {
    /// With all the patience that a busy machine may ask for.
    pub(super) fn of(cluster: &RedisCluster) -> Self {
        Self::with(&cluster.config())
    }

    pub(super) fn with(config: &RedisConfig) -> Self {
        let storage = Arc::new(RedisStorage::open(config, Arc::default()).unwrap());
        let services = TestGateway::new().services();
        let keyring = Keyring::plain();
        let rows = Encoded::new(Arc::clone(&storage), "Redis", keyring, &services);
        let capacity = Capacity {
            entries: 10_000,
            max_staleness: HOUR,
        };
        let desk = (Arc::new(SystemClock::new()) as _, &services);
        let rows = <Cached<_>>::new(rows, ("Redis", capacity), storage.changes(), desk);
        assert_eq!(block_on(rows.probe().wait()), Ok(()));
        Self {
            storage,
            rows: Arc::new(rows),
        }
    }

    pub(super) fn load(&self, key: Key) -> Loaded<Versioned> {
        block_on(self.rows.load(key.into()).wait())
    }

    pub(super) fn write(&self, key: Key, expected: Expected, version: u64) -> Written {
        let written = self.rows.write(key.into(), expected, row(version), HOUR);
        block_on(written.wait())
    }

    /// How often another node took over.
    pub(super) fn moved(&self) -> u64 {
        *self.storage.moved().borrow()
    }
}

pub(super) fn key(seed: u64) -> Key {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Key::new(bytes)
}

pub(super) fn slot(key: &Key) -> u16 {
    let name = crate::storage::redis::name::Names::new("session:").of(key);
    u16::try_from(Slot::of(name.as_bytes()).index()).unwrap()
}

pub(super) fn row(version: u64) -> Versioned {
    Versioned {
        version,
        state: State::Revoked,
    }
}

pub(super) fn two_gateways(cluster: &RedisCluster) -> (Arc<Gateway>, Arc<Gateway>) {
    (
        Arc::new(Gateway::of(cluster)),
        Arc::new(Gateway::of(cluster)),
    )
}

pub(super) fn masters(gateway: &Gateway) -> usize {
    addresses(gateway).len()
}

/// Where the gateway finds the masters.
pub(super) fn addresses(gateway: &Gateway) -> Vec<String> {
    let Deployment::Cluster(cluster) = &gateway.storage.deployment else {
        panic!("not a cluster");
    };
    let routes = cluster.routes.borrow();
    let masters = routes.map().masters().iter();
    masters.map(|master| master.address.to_string()).collect()
}

pub(super) const HOUR: Duration = Duration::from_secs(3600);
