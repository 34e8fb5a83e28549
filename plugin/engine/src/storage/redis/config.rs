//! What an operator may say about a Redis or Valkey server.

use abi::config::{ConfigDuration, Faults, Secret};
use redis::io::tcp::TcpSettings;
use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::target::Target;

/// Sessions in Redis or Valkey, shared by all gateways that use the same server and prefix.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RedisConfig {
    /// A name, an address (`[::1]` for IPv6) or the absolute path of a unix socket. `127.0.0.1` when absent.
    pub host: Option<String>,
    /// The port. 6379 when absent.
    pub port: Option<u16>,
    /// `redis://`, `valkey://` or `unix://` with everything in it, instead of host, port, username, password and
    /// databaseIndex.
    pub url: Secret,
    /// The user of the server's access control list. The server's default user when absent.
    pub username: String,
    /// The password of the user.
    pub password: Secret,
    /// Which database of the server. 0 when absent.
    pub database_index: Option<u32>,
    /// What the name of every key begins with. Keeps sessions apart from what else is on the server.
    pub prefix: String,
    /// How long a command may take as a whole. A request waits no longer than this for its session.
    pub timeout: ConfigDuration,
    /// How long one attempt to connect may take.
    pub connect_timeout: ConfigDuration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            url: Secret::new(""),
            username: String::new(),
            password: Secret::new(""),
            database_index: None,
            prefix: "session:".into(),
            timeout: ConfigDuration::of_secs(1),
            connect_timeout: ConfigDuration::of_secs(1),
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
        let server = if self.url.is_empty() {
            self.parts(&mut faults)
        } else {
            self.parsed_url(&mut faults)
        };
        let server = faults
            .or(server)?
            .ok_or_else(|| Faults::at("url", NOT_AN_ADDRESS))?;
        let settings = server
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP2);
        Ok(Target {
            server: server
                .set_redis_settings(settings)
                .set_tcp_settings(TcpSettings::default().set_nodelay(true)),
            prefix: self.prefix.clone(),
            timeout: self.timeout.get(),
            connect_timeout: self.connect_timeout.get(),
        })
    }

    fn parts(&self, faults: &mut Faults) -> Option<ConnectionInfo> {
        let address = self.address(faults)?;
        let mut settings =
            RedisConnectionInfo::default().set_db(self.database_index.unwrap_or(0).into());
        if !self.password.is_empty() {
            settings = settings.set_password(self.password.reveal());
        }
        if !self.username.is_empty() {
            if self.password.is_empty() {
                faults.push("username", "needs a password");
            }
            settings = settings.set_username(&self.username);
        }
        Some(
            address
                .into_connection_info()
                .ok()?
                .set_redis_settings(settings),
        )
    }

    fn address(&self, faults: &mut Faults) -> Option<ConnectionAddr> {
        let host = self.host.as_deref().unwrap_or("127.0.0.1");
        if host.starts_with('/') {
            if self.port.is_some() {
                faults.push("port", "a unix socket has none");
            }
            return Some(ConnectionAddr::Unix(host.into()));
        }
        let name = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if name.is_empty() || name.contains(['/', '@', ' ', '[', ']']) {
            faults.push(
                "host",
                "must be a name, an address or the absolute path of a unix socket",
            );
        }
        if self.port == Some(0) {
            faults.push("port", "must be between 1 and 65535");
        }
        Some(ConnectionAddr::Tcp(name.into(), self.port.unwrap_or(6379)))
    }

    fn parsed_url(&self, faults: &mut Faults) -> Option<ConnectionInfo> {
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
        // The cause is dropped: it may quote the address, and with it the password.
        let server = self.url.reveal().into_connection_info().ok();
        if server.is_none() {
            faults.push("url", NOT_AN_ADDRESS);
        }
        server
    }
}

const NOT_AN_ADDRESS: &str =
    "must be redis://, valkey:// or unix:// with a host or a path; TLS (rediss://) is not offered";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_given_means_the_local_server() {
        let target = target("{}").unwrap();

        assert_eq!(
            target.server.addr(),
            &ConnectionAddr::Tcp("127.0.0.1".into(), 6379)
        );
        assert_eq!(target.server.redis_settings().db(), 0);
        assert_eq!(target.prefix, "session:");
        assert_eq!(target.timeout.as_secs(), 1);
        assert_eq!(target.connect_timeout.as_secs(), 1);
    }

    #[test]
    fn parts_and_url_mean_the_same() {
        let parts =
            r#"{"host": "h", "port": 7, "username": "u", "password": "p", "databaseIndex": 3}"#;

        let (parts, url) = (
            target(parts).unwrap(),
            target(r#"{"url": "redis://u:p@h:7/3"}"#).unwrap(),
        );

        assert_eq!(parts.server.addr(), url.server.addr());
        for server in [parts.server, url.server] {
            let settings = server.redis_settings();
            assert_eq!(
                (settings.username(), settings.password(), settings.db()),
                (Some("u"), Some("p"), 3)
            );
        }
    }

    #[test]
    fn a_host_may_be_a_socket_or_an_ipv6_address() {
        let address = |json| target(json).unwrap().server.addr().clone();

        assert_eq!(
            address(r#"{"host": "/run/redis.sock"}"#),
            ConnectionAddr::Unix("/run/redis.sock".into())
        );
        assert_eq!(
            address(r#"{"url": "unix:///run/redis.sock"}"#),
            ConnectionAddr::Unix("/run/redis.sock".into())
        );
        assert_eq!(
            address(r#"{"host": "[::1]"}"#),
            ConnectionAddr::Tcp("::1".into(), 6379)
        );
    }

    #[test]
    fn every_fault_is_told_at_once_and_at_its_key() {
        let cases = [
            (r#"{"host": ""}"#, vec!["host"]),
            (
                r#"{"host": "redis://h", "port": 0, "prefix": ""}"#,
                vec!["prefix", "host", "port"],
            ),
            (r#"{"host": "/run/redis.sock", "port": 1}"#, vec!["port"]),
            (r#"{"username": "u"}"#, vec!["username"]),
            (
                r#"{"url": "redis://h", "host": "h", "databaseIndex": 0}"#,
                vec!["host", "databaseIndex"],
            ),
            (r#"{"url": "http://h"}"#, vec!["url"]),
            (r#"{"url": "rediss://h"}"#, vec!["url"]),
        ];
        for (json, expected) in cases {
            let faults = target(json).unwrap_err();
            let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
            assert_eq!(paths, expected, "{json}");
        }
    }

    #[test]
    fn no_fault_and_no_debug_shows_a_password() {
        let config = r#"{"url": "redis://u:hunter2@h:x/", "password": "hunter2"}"#;

        let faults = target(config).unwrap_err();

        let config: RedisConfig = serde_json::from_str(config).unwrap();
        assert!(!format!("{faults} {faults:?} {config:?}").contains("hunter2"));
        let target = target(r#"{"password": "hunter2"}"#).unwrap();
        assert!(!format!("{target:?}").contains("hunter2"));
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(serde_json::from_str::<RedisConfig>(r#"{"databseIndex": 1}"#).is_err());
        assert!(serde_json::from_str::<RedisConfig>(r#"{"mode": "cluster"}"#).is_err());
    }

    fn target(json: &str) -> Result<Target, Faults> {
        serde_json::from_str::<RedisConfig>(json).unwrap().target()
    }
}
