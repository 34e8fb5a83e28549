//! What an operator may say about Redis or Valkey servers.

mod high_availability;
mod host;
mod local_cache;
mod server;
mod tls;

use std::num::NonZeroU16;

use abi::config::{ConfigDuration, Faults, Secret};
use redis::RedisConnectionInfo;
use schemars::JsonSchema;
use serde::Deserialize;

pub use self::high_availability::{HighAvailabilityConfig, SentinelConfig};
pub use self::host::Hosts;
pub use self::local_cache::LocalCacheConfig;
use self::server::Given;
pub use self::tls::{TlsConfig, TlsVersion};
use super::connect::{Access, Address, Tls};
use super::keys::Keys;
use super::name::Names;
use super::sentinel::Sentinels;
use super::target::{Servers, Target};

/// Sessions in Redis or Valkey, shared by all gateways that use the same servers and prefix.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RedisConfig {
    /// How the servers work together. `single` when absent.
    pub mode: Mode,
    /// A name, an address (`[::1]` for IPv6) or the absolute path of a unix socket. `127.0.0.1` when absent. With
    /// `mode: cluster`, also a list of some of its servers, each with a port of its own if need be (`a:7000`).
    pub host: Option<Hosts>,
    /// The port. 6379 when absent.
    pub port: Option<u16>,
    /// `redis://`, `rediss://`, `valkey://`, `valkeys://` or `unix://` with everything in it, instead of host, port,
    /// username, password and databaseIndex.
    pub url: Secret,
    /// The user of the server's access control list. The server's default user when absent.
    pub username: String,
    /// The password of the user.
    pub password: Secret,
    /// Which database of the server. 0 when absent, and always in a Cluster.
    pub database_index: Option<u32>,
    /// What the name of every key begins with. Keeps sessions apart from what else is on the server.
    pub prefix: String,
    /// How many connections each master gets from each thread of the gateway, and as many more from what watches the
    /// master; from 1 to 64. One carries hundreds of thousands of commands a second.
    #[schemars(range(max = 64))]
    pub connections: NonZeroU16,
    /// How long a command may take as a whole; a request may need several. A server that is silent for as long is left,
    /// after 600 ms at least and 5 s at most.
    pub timeout: ConfigDuration,
    /// How long one attempt to connect may take.
    pub connect_timeout: ConfigDuration,
    /// How connections are secured.
    pub tls: TlsConfig,
    /// Where the Sentinels are. Only with `mode: sentinel`.
    pub high_availability: Option<HighAvailabilityConfig>,
    /// Copies of rows in this process.
    pub local_cache: LocalCacheConfig,
}

/// How the servers work together.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// A Cluster: every server has a part of the rows.
    Cluster,
    /// One server, with replicas, and Sentinels that know which one it is.
    Sentinel,
    /// One server.
    #[default]
    Single,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            mode: Mode::Single,
            host: None,
            port: None,
            url: Secret::new(""),
            username: String::new(),
            password: Secret::new(""),
            database_index: None,
            prefix: "session:".into(),
            connections: NonZeroU16::MIN,
            timeout: ConfigDuration::of_secs(1),
            connect_timeout: ConfigDuration::of_secs(1),
            tls: TlsConfig::default(),
            high_availability: None,
            local_cache: LocalCacheConfig::default(),
        }
    }
}

impl RedisConfig {
    /// Checks everything and says where to connect.
    pub(super) fn target(&self) -> Result<Target, Faults> {
        let mut faults = Faults::default();
        if self.prefix.is_empty() {
            faults.push(
                "prefix",
                "must not be empty: nothing would tell sessions from other keys",
            );
        }
        if self.connections.get() > MAX_CONNECTIONS {
            faults.push("connections", "must be between 1 and 64");
        }
        let given = self.server(&mut faults);
        let is_secured = given.is_secured || self.tls.enabled;
        let tls = match is_secured {
            true => self.tls.checked(&given.addresses).map(Some),
            false => self.tls.unused().map(|()| None),
        };
        let tls = faults
            .absorb(tls.map_err(|found| found.under("tls")))
            .flatten();
        let is_cached = self.local_cache.checked();
        let is_cached = faults.absorb(is_cached.map_err(|found| found.under("localCache")));
        let servers = self.servers(&given, tls.as_ref(), &mut faults);
        let target = servers.map(|servers| Target {
            servers,
            access: Access {
                login: given.login,
                tls,
                limit: self.connect_timeout.get(),
                keys: match self.url.is_empty() {
                    true => Keys::Parts,
                    false => Keys::Url,
                },
            },
            names: Names::new(&self.prefix),
            timeout: self.timeout.get(),
            connections: self.connections,
            is_cached: is_cached.unwrap_or_default(),
        });
        // Without servers there is a fault that says why.
        faults.or(target)?.ok_or_else(Faults::default)
    }

    fn servers(&self, given: &Given, tls: Option<&Tls>, faults: &mut Faults) -> Option<Servers> {
        if self.mode != Mode::Sentinel && self.high_availability.is_some() {
            faults.push("highAvailability", "needs mode: sentinel");
        }
        match self.mode {
            Mode::Single => given.addresses.first().cloned().map(Servers::Single),
            Mode::Sentinel => self.sentinels(tls, faults).map(Servers::Sentinel),
            Mode::Cluster => self.cluster(given, faults),
        }
    }

    fn sentinels(&self, tls: Option<&Tls>, faults: &mut Faults) -> Option<Sentinels> {
        let Some(given) = &self.high_availability else {
            faults.push("highAvailability", "is missing: mode: sentinel needs it");
            return None;
        };
        let checked = given.checked(&Access {
            login: RedisConnectionInfo::default(),
            tls: tls.cloned(),
            limit: self.connect_timeout.get(),
            keys: Keys::Sentinels,
        });
        faults.absorb(checked.map_err(|found| found.under("highAvailability")))
    }

    fn cluster(&self, given: &Given, faults: &mut Faults) -> Option<Servers> {
        if given.login.db() != 0 {
            let key = match self.database_index {
                Some(_) => "databaseIndex",
                None => "url",
            };
            faults.push(key, "must not name a database: a Cluster has only one, 0");
        }
        if given
            .addresses
            .iter()
            .any(|seed| matches!(seed, Address::Unix(_)))
        {
            faults.push(
                "host",
                "must be names or addresses: a Cluster has no unix sockets",
            );
        }
        Some(Servers::Cluster(given.addresses.clone()))
    }
}

const MAX_CONNECTIONS: u16 = 64;

#[cfg(test)]
mod tests;
