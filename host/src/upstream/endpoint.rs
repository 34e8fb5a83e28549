//! Where an upstream is, as the user writes it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use http::Uri;
use http::header::{HOST, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::config::Address;

/// `http://host:port[/base]`, `https://…`, `h2c://…` or `unix:/path`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(super) place: Place,
    pub(super) spoken: Spoken,
    // Without a trailing slash; empty for requests that are passed on as they are.
    base: String,
    // For requests that name no host themselves.
    host: HeaderValue,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    /// The host without the brackets of an IPv6 address.
    Tcp {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

/// What the scheme says about the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spoken {
    /// In the clear.
    Plain,
    /// HTTP/2 in the clear, without asking first.
    PlainHttp2,
    /// Over TLS.
    Secure,
}

/// The text is no endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EndpointError {
    /// Anything but the forms there are.
    #[error(
        "expected `http://host:port`, `https://host:port` or `h2c://host:port`, with a base path if needed, or `unix:/path`"
    )]
    Malformed,
    /// Something after the colon that nobody can connect to.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// A scheme that is not spoken.
    #[error("only `http://`, `https://`, `h2c://` and `unix:` are supported")]
    Scheme,
    /// User, password or query, which would be silently dropped.
    #[error("an endpoint has neither a user nor a query")]
    Surplus,
}

impl Endpoint {
    /// The target of a request as this upstream is to see it.
    pub(super) fn target(&self, uri: &Uri) -> Uri {
        let asked = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        if self.base.is_empty() && uri.authority().is_none() {
            return uri.clone();
        }
        // Both halves are valid already, so the whole is.
        format!("{}{asked}", self.base)
            .parse()
            .unwrap_or_else(|_| uri.clone())
    }

    /// Whether whoever listens at this address is who is asked here. Names are compared as they are written; only every
    /// address of this machine is known to have its loopback among them.
    pub(crate) fn is_at(&self, address: &Address) -> bool {
        match (&self.place, address) {
            (Place::Unix(path), Address::Unix(other)) => path == other,
            (Place::Tcp { host, port }, Address::Tcp(text)) => {
                let (listener, at) = text.rsplit_once(':').unwrap_or_default();
                let listener = listener.trim_matches(['[', ']']);
                let is_same = host.eq_ignore_ascii_case(listener)
                    || (is_unspecified(listener) && is_loopback(host));
                is_same && at.parse() == Ok(*port)
            }
            _ => false,
        }
    }

    /// HTTP/1.0 clients may name no host; every HTTP/1.1 request has to (RFC 9112 3.2).
    pub(super) fn name_host(&self, headers: &mut HeaderMap) {
        headers.entry(HOST).or_insert_with(|| self.host.clone());
    }

    /// The scheme that requests over HTTP/2 name.
    pub(super) const fn scheme(&self) -> Scheme {
        match self.spoken {
            Spoken::Secure => Scheme::HTTPS,
            Spoken::Plain | Spoken::PlainHttp2 => Scheme::HTTP,
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            let place = path.is_absolute().then_some(Place::Unix(path));
            return Ok(Self {
                place: place.ok_or(EndpointError::Malformed)?,
                spoken: Spoken::Plain,
                base: String::new(),
                host: HeaderValue::from_static("localhost"),
            });
        }
        let uri: Uri = text.parse().map_err(|_| EndpointError::Malformed)?;
        let authority = uri.authority().ok_or(EndpointError::Malformed)?;
        let (spoken, port) = match uri.scheme_str() {
            Some("http") => (Spoken::Plain, 80),
            Some("h2c") => (Spoken::PlainHttp2, 80),
            Some("https") => (Spoken::Secure, 443),
            Some(_) => return Err(EndpointError::Scheme),
            None => return Err(EndpointError::Malformed),
        };
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(EndpointError::Surplus);
        }
        let host = HeaderValue::try_from(authority.as_str());
        Ok(Self {
            place: Place::Tcp {
                host: authority.host().trim_matches(['[', ']']).to_owned(),
                port: written_port(authority)?.unwrap_or(port),
            },
            spoken,
            base: uri.path().trim_end_matches('/').to_owned(),
            host: host.map_err(|_| EndpointError::Malformed)?,
        })
    }
}

fn is_unspecified(host: &str) -> bool {
    host.parse()
        .is_ok_and(|address: IpAddr| address.is_unspecified())
}

fn is_loopback(host: &str) -> bool {
    let is_loopback = |address: IpAddr| address.is_loopback();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_loopback)
}

/// The port that an authority without a user names; `None` when it names none. `Authority::port` has no other answer for
/// one that is wrong.
fn written_port(authority: &Authority) -> Result<Option<u16>, EndpointError> {
    let after_host = authority.as_str().strip_prefix(authority.host());
    let Some(port) = after_host.and_then(|rest| rest.strip_prefix(':')) else {
        return Ok(None);
    };
    let is_number = port.bytes().all(|digit| digit.is_ascii_digit());
    let port = port.parse().ok().filter(|port| is_number && *port != 0);
    port.map(Some).ok_or(EndpointError::Port)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (&self.place, self.spoken) {
            (Place::Unix(path), _) => return write!(f, "unix:{}", path.display()),
            (_, Spoken::Plain) => "http",
            (_, Spoken::PlainHttp2) => "h2c",
            (_, Spoken::Secure) => "https",
        };
        // A host was made of an authority, which is visible ASCII.
        let host = self.host.to_str().unwrap_or_default();
        write!(f, "{scheme}://{host}{}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_put_in_front() {
        let target = |endpoint: &str, uri: &str| {
            let endpoint: Endpoint = endpoint.parse().unwrap();
            endpoint.target(&uri.parse().unwrap()).to_string()
        };

        assert_eq!(target("http://a:80", "/x?y"), "/x?y");
        assert_eq!(target("http://a:80/", "/x?y"), "/x?y");
        assert_eq!(target("http://a:80/base/", "/x?y"), "/base/x?y");
        assert_eq!(target("http://a:80", "http://other/x"), "/x");
        assert_eq!(target("unix:/run/a.sock", "/x"), "/x");
    }

    #[test]
    fn an_endpoint_is_shown_as_it_was_written() {
        for text in [
            "http://a",
            "https://[::1]:8443/base",
            "h2c://a:1",
            "unix:/run/a",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_scheme_has_its_own_port_and_an_address_no_brackets() {
        let place = |text: &str| match text.parse::<Endpoint>().unwrap().place {
            Place::Tcp { host, port } => (host, port),
            Place::Unix(path) => (path.display().to_string(), 0),
        };

        assert_eq!(place("http://a"), ("a".into(), 80));
        assert_eq!(place("https://[::1]"), ("::1".into(), 443));
        assert_eq!(place("h2c://a:7"), ("a".into(), 7));
    }

    #[test]
    fn own_addresses_are_known_in_every_form_that_leaves_no_doubt() {
        let is_at = |endpoint: &str, address: &str| {
            let endpoint: Endpoint = endpoint.parse().unwrap();
            endpoint.is_at(&address.parse().unwrap())
        };

        for (endpoint, address) in [
            ("http://127.0.0.1:8090", "127.0.0.1:8090"),
            ("https://[::1]:8090/base", "[::1]:8090"),
            ("http://Gateway", "gateway:80"),
            ("http://127.0.0.1:8090", "0.0.0.0:8090"),
            ("h2c://localhost:8090", "[::]:8090"),
            ("unix:/run/a.sock", "unix:/run/a.sock"),
        ] {
            assert!(is_at(endpoint, address), "{endpoint} {address}");
        }
        for (endpoint, address) in [
            ("http://127.0.0.1:8091", "127.0.0.1:8090"),
            ("http://127.0.0.2:8090", "127.0.0.1:8090"),
            ("http://10.0.0.7:8090", "0.0.0.0:8090"),
            ("http://localhost:8090", "127.0.0.1:8090"),
            ("unix:/run/a.sock", "unix:/run/b.sock"),
            ("http://127.0.0.1:80", "127.0.0.1:0"),
        ] {
            assert!(!is_at(endpoint, address), "{endpoint} {address}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_not_that_of_the_scheme() {
        for port in ["99999", "65536", "abc", "0", "+80", ""] {
            for host in ["a", "127.0.0.1", "[::1]"] {
                let text = format!("http://{host}:{port}");
                assert_eq!(
                    text.parse::<Endpoint>().unwrap_err(),
                    EndpointError::Port,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        let error = |text: &str| text.parse::<Endpoint>().unwrap_err();

        assert_eq!(error("localhost:80"), EndpointError::Malformed);
        assert_eq!(error("/a"), EndpointError::Malformed);
        assert_eq!(error("unix:a"), EndpointError::Malformed);
        assert_eq!(error("ftp://a"), EndpointError::Scheme);
        assert_eq!(error("http://u:p@a"), EndpointError::Surplus);
        assert_eq!(error("http://a/?b"), EndpointError::Surplus);
    }
}
