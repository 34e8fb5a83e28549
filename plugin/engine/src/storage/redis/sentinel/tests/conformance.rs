//! The suite that every storage passes, with rows read from replicas, on servers that its tests share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Weak};

use abi::testing::TestGateway;

use super::*;
use crate::clock::ManualClock;
use crate::session::Keyring;
use crate::storage::conformance::Subject;
use crate::storage::{Encoded, Rows};

crate::conformance_suite!(GuardedSubject::open);

struct GuardedSubject {
    rows: Arc<Encoded<RedisStorage>>,
    _sentinels: Arc<RedisSentinels>,
}

impl GuardedSubject {
    fn open() -> Self {
        let sentinels = shared();
        let mut config = sentinels.config();
        // Rows of its own: a reset of one test must not count those of another.
        config.prefix = format!("{}:", SUBJECTS.fetch_add(1, Ordering::Relaxed));
        if let Some(availability) = &mut config.high_availability {
            availability.route_randomly = true;
        }
        let Gateway(storage) = Gateway::on(&config);
        let services = TestGateway::new().services();
        let rows = Encoded::new(storage, "Redis", Keyring::plain(), &services);
        Self {
            rows: Arc::new(rows),
            _sentinels: sentinels,
        }
    }
}

impl Subject for GuardedSubject {
    fn rows(&self) -> Arc<dyn Rows> {
        self.rows.clone()
    }

    fn clock(&self) -> Option<&ManualClock> {
        None
    }
}

/// They take seconds to start. They end with the last test that uses them.
fn shared() -> Arc<RedisSentinels> {
    static SHARED: Mutex<Weak<RedisSentinels>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let sentinels = Arc::new(RedisSentinels::start());
        *shared = Arc::downgrade(&sentinels);
        sentinels
    })
}

static SUBJECTS: AtomicU64 = AtomicU64::new(0);
