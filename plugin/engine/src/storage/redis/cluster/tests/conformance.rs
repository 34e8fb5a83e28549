//! The suite that every storage passes, on a cluster that its tests share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use abi::testing::TestGateway;

use crate::clock::ManualClock;
use crate::session::Keyring;
use crate::storage::conformance::{Subject, block_on};
use crate::storage::redis::RedisStorage;
use crate::storage::redis::server::RedisCluster;
use crate::storage::{Encoded, RedisConfig, Rows};

crate::conformance_suite!(ClusterSubject::open);

struct ClusterSubject {
    rows: Arc<Encoded<RedisStorage>>,
    _cluster: Arc<RedisCluster>,
}

impl ClusterSubject {
    fn open() -> Self {
        let cluster = shared();
        // Rows of its own: a reset of one test must not count those of another.
        let number = SUBJECTS.fetch_add(1, Ordering::Relaxed);
        let config = RedisConfig {
            prefix: format!("{number}:"),
            ..cluster.config()
        };
        let storage = RedisStorage::open(&config, Arc::default()).unwrap();
        let services = TestGateway::new().services();
        let rows = Encoded::new(storage, "Redis", Keyring::plain(), &services);
        assert_eq!(block_on(rows.probe().wait()), Ok(()));
        Self {
            rows: Arc::new(rows),
            _cluster: cluster,
        }
    }
}

impl Subject for ClusterSubject {
    fn rows(&self) -> Arc<dyn Rows> {
        self.rows.clone()
    }

    fn clock(&self) -> Option<&ManualClock> {
        None
    }
}

/// A cluster takes seconds to start. It ends with the last test that uses it.
fn shared() -> Arc<RedisCluster> {
    static SHARED: Mutex<Weak<RedisCluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let cluster = Arc::new(RedisCluster::start());
        *shared = Arc::downgrade(&cluster);
        cluster
    })
}

static SUBJECTS: AtomicU64 = AtomicU64::new(0);
