//! What names a host.

use std::net::Ipv6Addr;

/// Whether this is `host` or `host:port` (RFC 9110, section 7.2). What else a Host may hold by its grammar, no name in DNS
/// and no address has.
pub(crate) fn is_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else {
        return false;
    };
    match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').is_some_and(|(address, port)| {
            address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || is_port(port))
        }),
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            is_name(name) && (port.is_empty() || is_port(port))
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_fine =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !name.is_empty() && name.bytes().all(is_fine)
}

/// `port` with its colon.
fn is_port(port: &str) -> bool {
    port.strip_prefix(':').is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in [
            "a",
            "A.test",
            "a_b.test.",
            "10.0.0.1:80",
            "[::1]",
            "[2001:db8::1]:65535",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
    }

    // Each of these, routers and servers cut in two at another place.
    #[test]
    fn what_could_be_read_as_two_hosts_is_none() {
        let strange = [
            "",
            ":80",
            "a:",
            "a:x",
            "a:x]",
            "a:]",
            "a]",
            "a:80:90",
            "a:65536",
            "a:+1",
            "a:b:c",
            "::",
            "::1",
            "[::1",
            "[x]",
            "[]",
            "[::1]x",
            "[::1]:",
            "[fe80::1%25eth0]",
            "a%3a80",
            "%",
            "a, b",
            "user@a",
            "a/b",
            "\u{e9}",
        ];
        for host in strange {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
        assert!(!is_host(b"a\xff"));
    }
}
