//! `HttpAction`: forwards to an upstream. The work is done by [`crate::upstream`].

use abi::config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::upstream::Endpoint;

/// Where to forward to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HttpConfig {
    /// `http://host:port`, with a base path to put in front if needed, or `unix:/path`. WebSocket upgrades pass.
    upstream_endpoint: String,
}

impl HttpConfig {
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Faults> {
        let parsed = self.upstream_endpoint.parse();
        parsed.map_err(|error| {
            let found = &self.upstream_endpoint;
            Faults::at("upstreamEndpoint", format!("{error}, found `{found}`"))
        })
    }
}
