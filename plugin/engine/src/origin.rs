//! Who a page belongs to: scheme, host and port (RFC 6454).

use std::fmt;
use std::net::Ipv6Addr;

use abi::Exchange;

/// An origin, in one spelling: the host in lower case, the port always known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    scheme: Scheme,
    host: Box<str>,
    port: u16,
}

/// How the origin is spoken to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Origin {
    /// Reads `https://host` or `https://host:port`, with nothing behind it.
    pub fn parse(text: &str) -> Option<Self> {
        let (origin, rest) = Self::split(text)?;
        rest.is_empty().then_some(origin)
    }

    /// The origin that an absolute URL begins with, and the rest, which is empty or begins with `/`, `?` or `#`.
    ///
    /// Anything on which two parsers of URLs could disagree is no origin: a user, a backslash, an escape, a host that
    /// is not ASCII, spaces and line breaks around or inside.
    pub fn split(url: &str) -> Option<(Self, &str)> {
        let (scheme, rest) = Scheme::split(url)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        Some((Self::of_authority(scheme, authority)?, rest))
    }

    /// The origin that the client of an exchange asked for. None when its host is nothing that a URL can name.
    pub fn of_request(exchange: &Exchange<'_>) -> Option<Self> {
        let scheme = Scheme::named(exchange.scheme())?;
        Self::of_authority(scheme, exchange.host())
    }

    fn of_authority(scheme: Scheme, authority: &str) -> Option<Self> {
        let (host, port) = match authority.rfind(':') {
            Some(colon) if !authority.ends_with(']') => {
                (&authority[..colon], read_port(&authority[colon + 1..])?)
            }
            _ => (authority, scheme.port()),
        };
        Some(Self {
            scheme,
            host: read_host(host)?,
            port,
        })
    }

    /// The host, in lower case; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// How it is spoken to.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The port, written or not.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The same host and port behind something that speaks TLS for it.
    pub fn over_tls(&self) -> Self {
        let port = match self.port {
            port if port == self.scheme.port() => Scheme::Https.port(),
            port => port,
        };
        Self {
            scheme: Scheme::Https,
            host: self.host.clone(),
            port,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            port if port == self.scheme.port() => Ok(()),
            port => write!(f, ":{port}"),
        }
    }
}

impl Scheme {
    fn named(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    fn split(url: &str) -> Option<(Self, &str)> {
        let (name, rest) = url.split_once("://")?;
        Some((Self::named(&name.to_ascii_lowercase())?, rest))
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

fn read_port(text: &str) -> Option<u16> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok())?
}

/// A name of ASCII labels, or an IPv6 address in brackets. Underscores are in names of hosts that people have.
fn read_host(text: &str) -> Option<Box<str>> {
    if let Some(address) = text.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]").into());
    }
    let is_label = |label: &str| {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(is_fine)
    };
    let is_host = text.len() <= MAX_HOST && text.split('.').all(is_label);
    is_host.then(|| text.to_ascii_lowercase().into())
}

/// RFC 1035, section 2.3.4, without the length byte in front and the root behind.
const MAX_HOST: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_has_one_spelling() {
        for (text, origin) in [
            ("https://example.com", "https://example.com"),
            ("HTTPS://Example.COM:443", "https://example.com"),
            ("http://example.com:443", "http://example.com:443"),
            ("http://127.0.0.1:08080", "http://127.0.0.1:8080"),
            ("http://[0::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), origin, "{text}");
        }
    }

    #[test]
    fn what_parsers_could_disagree_about_is_no_origin() {
        for text in [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "https:/example.com",
            "https:///example.com",
            "https://",
            "https://:443",
            "https://example.com:",
            "https://example.com:+443",
            "https://example.com:65536",
            "https://example.com.",
            "https://.example.com",
            "https://a@example.com",
            "https://example.com\\",
            "https://example%2ecom",
            "https://example。com",
            "https://exa\tmple.com",
            " https://example.com",
            "https://example.com ",
            "https://[::1",
            "https://[::1]a",
            "https://[v1.a]",
        ] {
            assert_eq!(Origin::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn rest_of_a_url_begins_behind_its_origin() {
        for rest in ["", "/", "/a?b#c", "?a", "#a", "/@evil.test"] {
            let url = format!("https://example.com:8443{rest}");

            let (origin, found) = Origin::split(&url).unwrap();

            assert_eq!((origin.port(), found), (8443, rest));
        }
    }

    #[test]
    fn behind_tls_the_usual_port_is_the_other_one() {
        for (plain, tls) in [
            ("http://a.test", "https://a.test"),
            ("http://a.test:8080", "https://a.test:8080"),
            ("https://a.test", "https://a.test"),
        ] {
            assert_eq!(Origin::parse(plain).unwrap().over_tls().to_string(), tls);
        }
    }
}
