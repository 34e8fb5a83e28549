//! Who asks.

use std::fmt;
use std::net::IpAddr;

/// Who asks, as far as the gateway knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The address of the client: that of the connection, or the one that a trusted proxy names. `None` on a unix
    /// socket, and when a proxy does not know.
    pub address: Option<IpAddr>,
    /// How the client speaks to whoever it reaches first.
    pub scheme: Scheme,
    /// Whether the request was sent by one of `trustedProxies`, whose word about the client is taken.
    pub is_trusted: bool,
}

/// In the clear or over TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Peer {
    /// Somebody nobody vouches for, who speaks in the clear.
    pub const fn unknown() -> Self {
        Self {
            address: None,
            scheme: Scheme::Http,
            is_trusted: false,
        }
    }
}

impl Scheme {
    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
