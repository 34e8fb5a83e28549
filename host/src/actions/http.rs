//! `HttpAction`: forwards to an upstream. The work is done by [`crate::upstream`].

use abi::config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::upstream::{ConnectionConfig, Endpoint, EndpointError, Origin, Patience};

/// Where to forward to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub(crate) struct HttpConfig {
    /// `http://host:port`, `https://host:port` or `h2c://host:port` (HTTP/2 in the clear), with a base path to put in
    /// front if needed, or `unix:/path`. WebSocket upgrades pass.
    upstream_endpoint: String,
    #[serde(flatten)]
    connection: ConnectionConfig,
}

impl HttpConfig {
    /// The service to forward to. `patience` is for timeouts that are not written.
    ///
    /// # Errors
    /// With everything that is wrong, by key.
    pub(crate) fn origin(&self, patience: Patience) -> Result<Origin, Faults> {
        let mut faults = Faults::default();
        let endpoint = faults.absorb(endpoint(&self.upstream_endpoint, "upstreamEndpoint"));
        let link = self.connection.link(endpoint.as_slice(), patience);
        match (endpoint, faults.absorb(link)) {
            (Some(endpoint), Some(link)) => Ok(link.to(endpoint)),
            _ => Err(faults),
        }
    }
}

/// Reads an endpoint that is written at `key`.
pub(super) fn endpoint(text: &str, key: &str) -> Result<Endpoint, Faults> {
    text.parse()
        .map_err(|error: EndpointError| Faults::at(key, format!("{error}, found `{text}`")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use schemars::schema_for;
    use serde_json::{Value, json};

    use super::*;
    use crate::config::shape;

    #[test]
    fn a_misspelt_key_is_a_fault_beside_the_one_that_was_meant() {
        let faults = settle(json!({ "upstreamEndpoint": "http://a", "protocl": "http2" }));

        assert_eq!(
            faults.unwrap_err().to_string(),
            "protocl: unknown key, did you mean `protocol`? known are upstreamEndpoint, protocol, tls, idle, timeouts, maxRequests"
        );
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let config = json!({ "upstreamEndpoint": "ftp://a", "protocol": "http3", "idle": { "timeout": "soon" } });

        let faults = settle(config).unwrap_err().to_string();

        assert!(
            faults.contains("protocol: `http3` is not one of them"),
            "{faults}"
        );
        assert!(faults.contains("idle.timeout: "), "{faults}");
    }

    #[test]
    fn endpoint_that_is_none_is_named() {
        let config = settle(json!({ "upstreamEndpoint": "ftp://a" })).unwrap();
        let config: HttpConfig = serde_json::from_value(config).unwrap();

        let faults = config.origin(Patience::default()).unwrap_err();

        let expected = "upstreamEndpoint: only `http://`, `https://`, `h2c://` and `unix:` are supported, found `ftp://a`";
        assert_eq!(faults.to_string(), expected);
    }

    fn settle(config: Value) -> Result<Value, Faults> {
        shape::settle(&schema_for!(HttpConfig).to_value(), config, Path::new("/"))
    }
}
