//! Real servers for tests: one, a master with replicas and sentinels, a Cluster.
//!
//! Each is a child in a directory of its own, is ready when its constructor returns, and ends with its value. Every
//! server listens on a unix socket: that is the test's own way in ([`RedisServer::ask`]), with a user of its own,
//! whatever happens to the ports, passwords and certificates that the storage under test has to deal with.

mod certificates;
mod cluster;
mod process;
mod sentinels;
mod setup;
mod single;
#[cfg(test)]
mod tests;

use std::thread;
use std::time::{Duration, Instant};

pub use certificates::Certificates;
pub use cluster::{Migration, RedisCluster};
pub use sentinels::RedisSentinels;
pub use setup::{HARNESS, Setup};
pub use single::RedisServer;

/// Waits for what only servers can bring about, however slow the machine is.
///
/// # Panics
/// When they do not.
#[track_caller]
pub(in crate::storage::redis) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// How long to wait for what must happen. Whoever waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
