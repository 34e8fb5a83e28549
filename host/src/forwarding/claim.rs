//! What a trusted proxy says about a client.

use std::net::IpAddr;

use http::header::{FORWARDED, GetAll};
use http::{HeaderMap, HeaderValue};

use super::rfc7239::{self, Element};
use super::{Contradiction, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, node};
use crate::authority::is_host;
use crate::config::Networks;
use crate::server::Scheme;

/// What is believed.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Claim {
    /// The client, then the proxies on the way to the sender, who is not among them. `None` is somebody whom a proxy
    /// did not know. Empty when the sender asks for itself.
    pub(super) hops: Vec<Option<IpAddr>>,
    pub(super) scheme: Option<Scheme>,
    pub(super) host: Option<HeaderValue>,
}

impl Claim {
    /// Reads both kinds of headers.
    pub(super) fn read(headers: &HeaderMap, trusted: &Networks) -> Result<Self, Contradiction> {
        let ours = Self::of_x_headers(headers, trusted);
        if !headers.contains_key(FORWARDED) {
            return Ok(ours);
        }
        ours.agree_with(Self::of_forwarded(headers, trusted)?)
    }

    fn of_x_headers(headers: &HeaderMap, trusted: &Networks) -> Self {
        let nodes: Vec<_> = entries(headers.get_all(X_FORWARDED_FOR))
            .map(node::address)
            .collect();
        // The last one is of whoever is nearest.
        let last = |name| entries(headers.get_all(name)).last();
        Self {
            hops: believed(&nodes, trusted),
            scheme: last(X_FORWARDED_PROTO).and_then(scheme),
            host: last(X_FORWARDED_HOST).and_then(host),
        }
    }

    fn of_forwarded(headers: &HeaderMap, trusted: &Networks) -> Result<Self, Contradiction> {
        let mut elements = Vec::new();
        for line in headers.get_all(FORWARDED) {
            let line = line.to_str().map_err(|_| Contradiction)?;
            elements.extend(rfc7239::elements(line).ok_or(Contradiction)?);
        }
        let address = |element: &Element| element.node.as_deref().and_then(node::address);
        let nodes: Vec<_> = elements.iter().map(address).collect();
        let hops = believed(&nodes, trusted);
        // Who wrote down the client wrote down as well what it asked for.
        let first = elements.len() - hops.len();
        let about = elements.into_iter().nth(first).unwrap_or_default();
        Ok(Self {
            hops,
            scheme: about.proto.as_deref().and_then(scheme),
            host: about.host.as_deref().and_then(host),
        })
    }

    fn agree_with(self, other: Self) -> Result<Self, Contradiction> {
        let hops = match (self.hops.first(), other.hops.first()) {
            (Some(ours), Some(theirs)) if ours != theirs => return Err(Contradiction),
            (None, _) => other.hops,
            _ => self.hops,
        };
        Ok(Self {
            hops,
            scheme: either(self.scheme, other.scheme)?,
            host: either(self.host, other.host)?,
        })
    }
}

/// From the right, as long as trusted proxies vouch: the first one that is not trusted is the client, and what it says
/// about itself does not count.
fn believed(nodes: &[Option<IpAddr>], trusted: &Networks) -> Vec<Option<IpAddr>> {
    let is_proxy = |node: &Option<IpAddr>| node.is_some_and(|node| trusted.contains(Some(node)));
    let client = nodes.iter().rposition(|node| !is_proxy(node));
    nodes[client.unwrap_or(0)..].to_vec()
}

fn either<T: PartialEq>(one: Option<T>, other: Option<T>) -> Result<Option<T>, Contradiction> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Err(Contradiction),
        (one, other) => Ok(one.or(other)),
    }
}

/// Some proxies name the scheme of a WebSocket.
fn scheme(text: &str) -> Option<Scheme> {
    match text.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some(Scheme::Http),
        "https" | "wss" => Some(Scheme::Https),
        _ => None,
    }
}

fn host(text: &str) -> Option<HeaderValue> {
    is_host(text.as_bytes())
        .then(|| HeaderValue::from_str(text).ok())
        .flatten()
}

/// The members of a list, over all lines of a header. What is no text is nobody, and still takes its place: its own, and
/// not that of what a proxy wrote behind it in the same line.
fn entries(lines: GetAll<'_, HeaderValue>) -> impl DoubleEndedIterator<Item = &str> {
    lines
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(|entry| str::from_utf8(entry).unwrap_or(NOBODY))
        .map(|entry| entry.trim_matches([' ', '\t']))
        .filter(|entry| !entry.is_empty())
}

const NOBODY: &str = "unknown";
