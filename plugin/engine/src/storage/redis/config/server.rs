//! Which servers are named, and who we are to them: by parts or by a URL.

use abi::config::Faults;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use url::Url;

use super::host::{self, Hosts};
use super::{Mode, RedisConfig};
use crate::storage::redis::connect::Address;

/// What parts and URL say alike.
#[derive(Default)]
pub(super) struct Given {
    /// Empty when there was a fault.
    pub(super) addresses: Vec<Address>,
    pub(super) login: RedisConnectionInfo,
    pub(super) is_secured: bool,
}

impl RedisConfig {
    pub(super) fn server(&self, faults: &mut Faults) -> Given {
        match self.url.is_empty() {
            _ if self.mode == Mode::Sentinel => self.unnamed(faults),
            true => Given {
                addresses: self.addresses(faults),
                login: self.login(faults),
                is_secured: false,
            },
            false => self.parsed_url(faults),
        }
    }

    /// Sentinels know where the servers are.
    fn unnamed(&self, faults: &mut Faults) -> Given {
        for (key, is_given) in [
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("url", !self.url.is_empty()),
        ] {
            if is_given {
                faults.push(
                    key,
                    "does nothing with mode: sentinel; its nodes are in highAvailability",
                );
            }
        }
        Given {
            login: self.login(faults),
            ..Given::default()
        }
    }

    fn addresses(&self, faults: &mut Faults) -> Vec<Address> {
        if self.port == Some(0) {
            faults.push("port", "must be between 1 and 65535");
        }
        match &self.host {
            None => vec![Address::tcp("127.0.0.1", self.port())],
            Some(Hosts::One(path)) if path.starts_with('/') => self.socket(path, faults),
            Some(Hosts::One(host)) => self.address(host, faults).into_iter().collect(),
            Some(Hosts::Some(_)) if self.mode != Mode::Cluster => {
                faults.push("host", "a list needs mode: cluster");
                Vec::new()
            }
            Some(Hosts::Some(hosts)) if hosts.is_empty() => {
                faults.push("host", "must name at least one server");
                Vec::new()
            }
            Some(Hosts::Some(hosts)) => hosts
                .iter()
                .filter_map(|host| self.address(host, faults))
                .collect(),
        }
    }

    fn socket(&self, path: &str, faults: &mut Faults) -> Vec<Address> {
        if self.port.is_some() {
            faults.push("port", "a unix socket has none");
        }
        vec![Address::Unix(path.into())]
    }

    fn address(&self, host: &str, faults: &mut Faults) -> Option<Address> {
        let (is_alone, fault) = match &self.host {
            Some(Hosts::Some(_)) => (
                false,
                "must be names or addresses, each with or without a port",
            ),
            _ => (
                true,
                "must be a name, an address or the absolute path of a unix socket",
            ),
        };
        match host::parse(host) {
            Some((_, Some(_))) if is_alone => faults.push("host", "the port is given as `port`"),
            Some((name, port)) => {
                return Some(Address::tcp(name, port.unwrap_or_else(|| self.port())));
            }
            None => faults.push("host", fault),
        }
        None
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(6379)
    }

    fn login(&self, faults: &mut Faults) -> RedisConnectionInfo {
        let mut login =
            RedisConnectionInfo::default().set_db(self.database_index.unwrap_or(0).into());
        if !self.password.is_empty() {
            login = login.set_password(self.password.reveal());
        }
        if !self.username.is_empty() {
            if self.password.is_empty() {
                faults.push("username", "needs a password");
            }
            login = login.set_username(&self.username);
        }
        login
    }

    fn parsed_url(&self, faults: &mut Faults) -> Given {
        for (part, is_given) in [
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("username", !self.username.is_empty()),
            ("password", !self.password.is_empty()),
            ("databaseIndex", self.database_index.is_some()),
        ] {
            if is_given {
                faults.push(part, "is part of url; give one or the other");
            }
        }
        parse(self.url.reveal()).unwrap_or_else(|fault| {
            faults.push("url", fault);
            Given::default()
        })
    }
}

/// The causes are dropped: they may quote the address, and with it the password.
fn parse(url: &str) -> Result<Given, &'static str> {
    let mut url = redis::parse_redis_url(url).ok_or(NOT_AN_ADDRESS)?;
    // What these say elsewhere is said by keys here, and must not be lost in silence.
    if url.fragment().is_some() || !has_only_known_options(&url) {
        return Err(NOT_AN_ADDRESS);
    }
    let is_secured = matches!(url.scheme(), "rediss" | "valkeys");
    if is_secured {
        url.set_scheme("redis").map_err(|()| NOT_AN_ADDRESS)?;
    }
    let server = url.into_connection_info().map_err(|_| NOT_AN_ADDRESS)?;
    let login = server.redis_settings();
    // Without one the client library logs nobody in.
    if login.username().is_some() && login.password().unwrap_or_default().is_empty() {
        return Err("has a user, who needs a password");
    }
    if u32::try_from(login.db()).is_err() {
        return Err("has a database that is no number from 0 on");
    }
    Ok(Given {
        addresses: vec![address(&server)?],
        login: login.clone(),
        is_secured,
    })
}

/// The client library knows these for sockets, and passes over all others.
fn has_only_known_options(url: &Url) -> bool {
    let options: Vec<_> = url.query_pairs().map(|(name, _)| name).collect();
    let is_known = |name: &str| url.scheme() == "unix" && ["db", "user", "pass"].contains(&name);
    let are_known = options.iter().all(|name| is_known(name));
    let are_different = (1..options.len()).all(|at| !options[..at].contains(&options[at]));
    are_known && are_different && (url.query().is_none() || !options.is_empty())
}

fn address(server: &ConnectionInfo) -> Result<Address, &'static str> {
    match server.addr() {
        ConnectionAddr::Tcp(_, 0) => Err("has a port that is not between 1 and 65535"),
        ConnectionAddr::Tcp(host, port) if host::parse(host).is_some() => {
            Ok(Address::tcp(host, *port))
        }
        ConnectionAddr::Unix(path) => Ok(Address::Unix(path.clone())),
        _ => Err(NOT_AN_ADDRESS),
    }
}

const NOT_AN_ADDRESS: &str = "must be redis://, rediss://, valkey://, valkeys:// or unix:// with a host or a path, \
                              and without options that have keys of their own; unix:// may have db, user and \
                              pass";
