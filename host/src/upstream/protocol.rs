//! Which HTTP an upstream speaks.

use schemars::JsonSchema;
use serde::Deserialize;

/// Which HTTP an upstream speaks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum Protocol {
    /// What the scheme says: HTTP/1.1 in the clear, what the upstream chooses over TLS.
    #[default]
    #[serde(rename = "auto")]
    Either,
    /// HTTP/1.1.
    #[serde(rename = "http1")]
    Http1,
    /// HTTP/2; in the clear without asking first (RFC 9113 3.3).
    #[serde(rename = "http2")]
    Http2,
}
