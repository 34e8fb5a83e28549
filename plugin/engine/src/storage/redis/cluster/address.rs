//! Where a node of a cluster listens, as the nodes themselves say it.

use crate::storage::redis::connect::Address;

/// What a node that was reached at the host `asked` says about another: no host at all means that same one, as behind
/// a load balancer that tells nodes apart by their ports. None when the node does not know it itself.
pub(super) fn told(host: &str, port: i64, asked: &str) -> Option<Address> {
    let host = match host {
        "" => asked,
        "?" => return None,
        host => host,
    };
    let port = u16::try_from(port).ok().filter(|port| *port != 0)?;
    Some(Address::tcp(host, port))
}

/// What a redirect says: `host:port`, where the host of IPv6 has no brackets.
pub(super) fn parse(text: &str, asked: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    told(host, port.parse().ok()?, asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_both_kinds_of_addresses_are_understood() {
        for (text, host) in [
            ("10.0.0.1:6381", "10.0.0.1"),
            ("::1:6381", "::1"),
            ("node.example:6381", "node.example"),
            (":6381", "asked.example"),
        ] {
            let address = parse(text, "asked.example");

            assert_eq!(address, Some(Address::tcp(host, 6381)));
        }
    }

    #[test]
    fn what_leads_nowhere_is_no_address() {
        for text in [
            "",
            "host",
            "?:6381",
            "host:",
            "host:0",
            "host:65536",
            "host:-1",
        ] {
            assert_eq!(parse(text, "asked"), None, "{text}");
        }
    }
}
