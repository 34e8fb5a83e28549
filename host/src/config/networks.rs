//! `trustedProxies:` whose word is taken about a client.

use std::net::IpAddr;

use abi::config::Faults;
use ipnet::IpNet;

/// The addresses of proxies in front of the gateway. Nobody is one unless configured.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Networks {
    networks: Vec<IpNet>,
    has_unix: bool,
}

impl Networks {
    /// Whether nobody is in them.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.has_unix
    }

    /// Whether the other end of a connection is in them; it has no address on a unix socket. An IPv4 address is the same
    /// in its IPv6 form, as sockets for both families show it.
    pub fn contains(&self, peer: Option<IpAddr>) -> bool {
        let Some(peer) = peer.map(|peer| peer.to_canonical()) else {
            return self.has_unix;
        };
        self.networks.iter().any(|network| network.contains(&peer))
    }

    /// Reads `address/prefix`, an address alone, or `unix`.
    pub fn parse(key: &str, texts: &[String], faults: &mut Faults) -> Self {
        let mut parsed = Self::default();
        for (index, text) in texts.iter().enumerate() {
            match network(text) {
                Some(network) => parsed.networks.push(network),
                None if text == UNIX => parsed.has_unix = true,
                None => faults.push(
                    format!("{key}[{index}]"),
                    format!(
                        "expected a network such as `10.0.0.0/8`, an address or `{UNIX}`, found `{text}`"
                    ),
                ),
            }
        }
        parsed
    }
}

fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address)
}

/// Everybody who connects over a unix socket.
const UNIX: &str = "unix";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_holds_its_addresses_in_both_forms() {
        let networks = parsed(&["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]).unwrap();

        for address in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "192.0.2.1"] {
            assert!(networks.contains(address.parse().ok()), "{address}");
        }
        for address in ["11.0.0.1", "2001:db9::1", "192.0.2.2"] {
            assert!(!networks.contains(address.parse().ok()), "{address}");
        }
        assert!(!networks.contains(None));
    }

    #[test]
    fn unix_sockets_are_in_by_their_own_word() {
        let networks = parsed(&["unix"]).unwrap();

        assert!(networks.contains(None) && !networks.is_empty());
        assert!(!networks.contains("127.0.0.1".parse().ok()));
    }

    #[test]
    fn nobody_is_in_none() {
        let networks = Networks::default();

        assert!(networks.is_empty() && !networks.contains(None));
        assert!(!networks.contains("127.0.0.1".parse().ok()));
    }

    #[test]
    fn anything_else_is_a_fault_that_says_where() {
        let faults = parsed(&["10.0.0.0/8", "10.0.0.0/33", "proxy.test"]).unwrap_err();

        let expected = "expected a network such as `10.0.0.0/8`, an address or `unix`, found";
        assert_eq!(
            faults.to_string(),
            format!("trusted[1]: {expected} `10.0.0.0/33`\ntrusted[2]: {expected} `proxy.test`")
        );
    }

    fn parsed(texts: &[&str]) -> Result<Networks, Faults> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        let mut faults = Faults::default();
        let networks = Networks::parse("trusted", &texts, &mut faults);
        faults.or(networks)
    }
}
