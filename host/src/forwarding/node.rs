//! Addresses as proxies write them.

use std::net::{IpAddr, SocketAddr};

/// Reads `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`, with or without a port. `None` for what names nobody:
/// `unknown`, an obfuscated name such as `_hidden` (RFC 7239, section 6), and anything malformed.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.parse::<IpAddr>().ok();
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse().ok().map(IpAddr::V6)
    };
    let with_port = || {
        let address = text.parse::<SocketAddr>().ok()?;
        // A zone means something on the machine that wrote it and nowhere else.
        (!text.contains('%')).then(|| address.ip())
    };
    let address = bare().or_else(bracketed).or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_is_read() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:c000:201]:80", "192.0.2.1"),
        ] {
            assert_eq!(address(text), expected.parse().ok(), "{text}");
        }
    }

    #[test]
    fn anything_else_names_nobody() {
        for text in [
            "",
            "unknown",
            "_hidden",
            "_hidden:80",
            "unix:",
            "localhost",
            "192.0.2",
            "192.0.2.01",
            "192.0.2.1:",
            "192.0.2.1:_port",
            "192.0.2.1:99999",
            "192.0.2.1 ",
            "2001:db8::1]:80",
            "[2001:db8::1",
            "[192.0.2.1]",
            "fe80::1%eth0",
            "[fe80::1%1]:80",
            "0x7f.1",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
