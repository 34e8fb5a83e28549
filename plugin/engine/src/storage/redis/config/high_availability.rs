//! What an operator may say about Sentinels.

use abi::config::{Faults, Secret};
use redis::RedisConnectionInfo;
use schemars::JsonSchema;
use serde::Deserialize;

use super::host;
use crate::storage::redis::connect::{Access, Address};
use crate::storage::redis::sentinel::{Route, Sentinels};

/// The Sentinels that know which server is the master.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct HighAvailabilityConfig {
    /// What the Sentinels call the master, such as `mymaster`.
    pub sentinel_name: String,
    /// The user of the Sentinels' access control list. Their default user when absent.
    pub sentinel_username: String,
    /// The password of the Sentinels, which is not that of the servers.
    pub sentinel_password: Secret,
    /// The Sentinels. One is enough to connect; more are for when it is away.
    pub nodes: Vec<SentinelConfig>,
    /// Whether rows are read from whichever server answers fastest, replicas included. A replica that is more than a
    /// second behind, or has lost its master, is not read from; what it does not have, and what was written a moment
    /// ago, is read from the master.
    pub route_by_latency: bool,
    /// Whether rows are read from all servers alike, replicas included, on the same terms. A row is always read from
    /// the same one, so that nobody sees it go back in time.
    pub route_randomly: bool,
}

impl Default for HighAvailabilityConfig {
    fn default() -> Self {
        Self {
            sentinel_name: String::new(),
            sentinel_username: String::new(),
            sentinel_password: Secret::new(""),
            nodes: Vec::new(),
            route_by_latency: false,
            route_randomly: false,
        }
    }
}

/// One Sentinel.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SentinelConfig {
    /// A name or an address.
    pub host: String,
    /// The port. 26379 when absent.
    #[serde(default = "default_port")]
    pub port: u16,
}

impl HighAvailabilityConfig {
    /// Checks everything. The sentinels let us in as `access` says, but as a user of their own.
    pub(super) fn checked(&self, access: &Access) -> Result<Sentinels, Faults> {
        let mut faults = Faults::default();
        if self.sentinel_name.is_empty() {
            faults.push("sentinelName", "must be what the sentinels call the master");
        }
        if self.nodes.is_empty() {
            faults.push("nodes", "must name at least one sentinel");
        }
        let addresses = self.addresses(&mut faults);
        let access = Access {
            login: self.login(&mut faults),
            ..access.clone()
        };
        let route = self.route(&mut faults);
        faults.or(Sentinels {
            name: self.sentinel_name.as_str().into(),
            addresses,
            access,
            route,
        })
    }

    fn addresses(&self, faults: &mut Faults) -> Vec<Address> {
        let mut addresses = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            match host::parse(&node.host) {
                Some((name, None)) if node.port != 0 => {
                    addresses.push(Address::tcp(name, node.port))
                }
                Some((_, None)) => {
                    faults.push(
                        format!("nodes[{index}].port"),
                        "must be between 1 and 65535",
                    );
                }
                Some((_, Some(_))) => {
                    faults.push(
                        format!("nodes[{index}].host"),
                        "the port is given as `port`",
                    );
                }
                None => {
                    faults.push(
                        format!("nodes[{index}].host"),
                        "must be a name or an address",
                    );
                }
            }
        }
        addresses
    }

    fn login(&self, faults: &mut Faults) -> RedisConnectionInfo {
        let mut login = RedisConnectionInfo::default();
        if !self.sentinel_password.is_empty() {
            login = login.set_password(self.sentinel_password.reveal());
        }
        if !self.sentinel_username.is_empty() {
            if self.sentinel_password.is_empty() {
                faults.push("sentinelUsername", "needs a sentinelPassword");
            }
            login = login.set_username(&self.sentinel_username);
        }
        login
    }

    fn route(&self, faults: &mut Faults) -> Route {
        match (self.route_by_latency, self.route_randomly) {
            (true, true) => {
                faults.push(
                    "routeRandomly",
                    "contradicts routeByLatency: rows are read one way",
                );
                Route::ToMaster
            }
            (true, false) => Route::ByLatency,
            (false, true) => Route::Randomly,
            (false, false) => Route::ToMaster,
        }
    }
}

const fn default_port() -> u16 {
    26379
}
