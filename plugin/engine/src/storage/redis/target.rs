//! Where to connect, checked.

use std::fmt;
use std::time::Duration;

use redis::ConnectionInfo;

/// A server and how long to wait for it. Only made from a configuration without faults.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) server: ConnectionInfo,
    pub(super) prefix: String,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
}

/// Shows the address and no credentials.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.server.addr())
    }
}
