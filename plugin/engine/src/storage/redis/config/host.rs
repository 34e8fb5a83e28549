//! The names of servers, as they are written.

use std::net::Ipv6Addr;

use schemars::JsonSchema;
use serde::Deserialize;

/// One server or several.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(
    untagged,
    expecting = "expected a text such as `127.0.0.1`, or a list of them"
)]
pub enum Hosts {
    /// The only one, or the only one that is named.
    One(String),
    /// Some servers of a Cluster.
    Some(Vec<String>),
}

impl From<&str> for Hosts {
    fn from(host: &str) -> Self {
        Self::One(host.to_owned())
    }
}

/// The name or address in `name`, `name:port`, `::1`, `[::1]` or `[::1]:port`, and the port. None for anything else.
pub(super) fn parse(text: &str) -> Option<(&str, Option<u16>)> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some((text, None));
    }
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':')?)),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map(str::parse).transpose().ok()?;
    let is_name =
        !host.is_empty() && !host.contains(['/', '@', ' ', '[', ']', ',']) && port != Some(0);
    is_name.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_host_is_understood() {
        let cases = [
            ("redis", Some(("redis", None))),
            ("redis:7000", Some(("redis", Some(7000)))),
            ("10.0.0.1", Some(("10.0.0.1", None))),
            ("::1", Some(("::1", None))),
            ("[::1]", Some(("::1", None))),
            ("[::1]:7000", Some(("::1", Some(7000)))),
            ("", None),
            ("redis:0", None),
            ("redis:x", None),
            ("redis:70000", None),
            ("redis://h", None),
            ("user@h", None),
            ("h1,h2", None),
            ("h1,h2:7000", None),
            ("[::1", None),
            ("[::1]7000", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
