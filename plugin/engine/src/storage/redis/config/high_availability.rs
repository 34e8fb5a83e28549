//! What an operator may say about Sentinels.

use abi::config::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// The Sentinels that know which server is the master.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
    /// Whether rows are read from whichever server answers fastest, replicas included.
    pub route_by_latency: bool,
    /// Whether rows are read from any server, replicas included.
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

const fn default_port() -> u16 {
    26379
}
