//! What an operator may say about the connections to a service: a part of the configuration of every action that
//! forwards.

use std::sync::Arc;

use abi::config::{ConfigDuration, Faults};
use schemars::JsonSchema;
use serde::Deserialize;

use super::endpoint::Spoken;
use super::occupancy::Occupancy;
use super::tls::Tls;
use super::{Endpoint, Keep, Origin, Patience, Protocol, TlsConfig};
use crate::metrics::UpstreamCounters;

/// How to talk to a service.
// Unknown keys are refused by the schema: `flatten` and `deny_unknown_fields` exclude each other.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ConnectionConfig {
    /// `http1` or `http2`, in the clear without asking first. `auto`: HTTP/1.1 in the clear, what the service chooses
    /// over TLS.
    protocol: Protocol,
    /// How connections to `https://` endpoints are secured.
    tls: Option<TlsConfig>,
    /// Which connections are kept for the next request.
    idle: IdleConfig,
    /// How long the service may take, in place of `server.timeouts`.
    timeouts: TimeoutsConfig,
    /// Requests that an endpoint has at a time, from all threads of this gateway. The next one waits as long as for a
    /// connection, and is answered with 503 then. 0: any number.
    max_requests: u32,
}

/// Which connections are kept for the next request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct IdleConfig {
    /// How many, for each endpoint and thread of the gateway. 0: none, each request has a connection of its own.
    connections: u32,
    /// How long one is kept. Less than the service keeps it: whoever closes first decides whether a request is lost.
    timeout: ConfigDuration,
}

/// How long a service may take, in place of `server.timeouts`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct TimeoutsConfig {
    /// To accept a connection.
    connect: Option<ConfigDuration>,
    /// To answer once it has the request, and for each part of the body.
    read: Option<ConfigDuration>,
    /// To take the next part of a request body.
    write: Option<ConfigDuration>,
}

/// A configuration that has been checked against all endpoints it is for.
#[derive(Clone)]
pub(crate) struct Link {
    tls: Option<Tls>,
    protocol: Protocol,
    keep: Keep,
    patience: Patience,
    max_requests: u32,
}

impl Default for IdleConfig {
    fn default() -> Self {
        Self {
            connections: 1024,
            // Below the 60 s and 75 s after which common servers close.
            timeout: ConfigDuration::of_secs(55),
        }
    }
}

impl ConnectionConfig {
    /// Checks what is written for `endpoints`, and reads the files. `patience` is for what is not written.
    ///
    /// # Errors
    /// With everything that is wrong, by key.
    pub(crate) fn link(&self, endpoints: &[Endpoint], patience: Patience) -> Result<Link, Faults> {
        let mut faults = Faults::default();
        let is_spoken = |spoken| endpoints.iter().any(|endpoint| endpoint.spoken == spoken);
        if self.protocol == Protocol::Http1 && is_spoken(Spoken::PlainHttp2) {
            faults.push("protocol", "an endpoint says `h2c://`, which is HTTP/2");
        }
        let is_secure = is_spoken(Spoken::Secure);
        if self.tls.is_some() && !is_secure && !endpoints.is_empty() {
            faults.push(
                "tls",
                "does nothing without an endpoint that begins with `https://`",
            );
        }
        let tls = is_secure.then(|| {
            let config = self.tls.as_ref();
            let loaded = config.map_or_else(
                || TlsConfig::default().load(self.protocol),
                |config| config.load(self.protocol),
            );
            faults.absorb(loaded.map_err(|faults| faults.under("tls")))
        });
        faults.or(Link {
            tls: tls.flatten(),
            protocol: self.protocol,
            keep: Keep {
                idle: self.idle.connections as usize,
                idle_time: self.idle.timeout.get(),
            },
            patience: self.timeouts.or(patience),
            max_requests: self.max_requests,
        })
    }
}

impl TimeoutsConfig {
    fn or(&self, patience: Patience) -> Patience {
        let get =
            |written: Option<ConfigDuration>, other| written.map_or(other, ConfigDuration::get);
        Patience {
            connect: get(self.connect, patience.connect),
            read: get(self.read, patience.read),
            write: get(self.write, patience.write),
        }
    }
}

impl Link {
    /// A service that is reached like this.
    pub(crate) fn to(&self, endpoint: Endpoint) -> Origin {
        let is_secure = endpoint.spoken == Spoken::Secure;
        let protocol = match (endpoint.spoken, self.protocol) {
            (Spoken::PlainHttp2, _) => Protocol::Http2,
            (Spoken::Plain, Protocol::Either) => Protocol::Http1,
            (Spoken::Plain | Spoken::Secure, protocol) => protocol,
        };
        Origin {
            endpoint,
            tls: self.tls.clone().filter(|_| is_secure),
            protocol,
            keep: self.keep,
            patience: self.patience,
            occupancy: (self.max_requests > 0).then(|| Arc::new(Occupancy::new(self.max_requests))),
            counters: UpstreamCounters::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_nothing_is_a_fault() {
        assert_eq!(
            faults(json!({ "tls": {} }), "http://a"),
            "tls: does nothing without an endpoint that begins with `https://`"
        );
        assert_eq!(
            faults(json!({ "protocol": "http1" }), "h2c://a"),
            "protocol: an endpoint says `h2c://`, which is HTTP/2"
        );
    }

    #[test]
    fn files_that_are_no_certificates_are_faults_by_their_keys() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("empty.pem");
        std::fs::write(&file, "").unwrap();
        let tls = json!({ "caFile": file, "certFile": file, "serverName": "a b" });

        assert_eq!(
            faults(json!({ "tls": tls }), "https://a"),
            "tls.caFile: holds no certificate\n\
             tls.keyFile: is missing: certFile needs it\n\
             tls.serverName: must be a name or an address"
        );
    }

    #[test]
    fn trust_in_anybody_and_in_somebody_exclude_each_other() {
        let tls = json!({ "tls": { "caFile": "/a", "skipVerify": true } });

        assert_eq!(
            faults(tls, "https://a"),
            "tls.caFile: does nothing with skipVerify: true"
        );
    }

    fn faults(config: serde_json::Value, endpoint: &str) -> String {
        let config: ConnectionConfig = serde_json::from_value(config).unwrap();
        let link = config.link(&[endpoint.parse().unwrap()], Patience::default());
        link.err().unwrap().to_string()
    }
}
