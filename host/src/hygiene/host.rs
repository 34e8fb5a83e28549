//! Whom a request is for.

use std::net::Ipv6Addr;

use http::header::HOST;
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Method, Uri, Version};

use super::Refusal;

/// Makes `Host` say what a target with an authority says, and a path of the target. HTTP/2 names all hosts so (RFC 9113,
/// section 8.3.1), and a client of HTTP/1.1 may: there the target counts (RFC 9112, section 3.2.2), and whoever stands in
/// front or behind could take the other for it.
///
/// # Errors
/// When they differ, or when something else than HTTP is asked for.
pub(crate) fn locate(request: &mut Parts) -> Result<(), Refusal> {
    if request.method == Method::CONNECT || request.uri.authority().is_none() {
        return Ok(());
    }
    let scheme = request.uri.scheme();
    if !scheme.is_some_and(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme)) {
        return Err(Refusal::Target);
    }
    name_host(request)?;
    let path = request.uri.path_and_query().cloned();
    request.uri = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    Ok(())
}

/// As [`locate`], and the target stays.
pub(crate) fn name_host(request: &mut Parts) -> Result<(), Refusal> {
    let Some(authority) = request.uri.authority() else {
        return Ok(());
    };
    let authority = authority.as_str();
    match request.headers.get(HOST) {
        Some(host) if host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) => Ok(()),
        Some(_) => Err(Refusal::Host),
        None => {
            let host = HeaderValue::from_str(authority).map_err(|_| Refusal::Host)?;
            request.headers.insert(HOST, host);
            Ok(())
        }
    }
}

pub(super) fn has_one_host(request: &Parts) -> bool {
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host.as_bytes()),
        // HTTP/1.0 knows no Host.
        (None, _) => request.version == Version::HTTP_10,
        (Some(_), Some(_)) => false,
    }
}

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
    use http::Request;

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

    #[test]
    fn a_target_may_repeat_the_host_and_not_contradict_it() {
        let mut same = parts("http://A.test/x?y", Some("a.test"));
        let mut other = parts("http://a.test/", Some("b.test"));
        let mut alone = parts("http://a.test", None);

        assert_eq!(locate(&mut same), Ok(()));
        assert_eq!(locate(&mut other), Err(Refusal::Host));
        assert_eq!(locate(&mut alone), Ok(()));
        assert_eq!(same.uri, "/x?y");
        assert_eq!(
            (alone.uri, &alone.headers[HOST]),
            (Uri::from_static("/"), &HeaderValue::from_static("a.test"))
        );
    }

    #[test]
    fn a_target_of_another_scheme_is_none() {
        let mut ftp = parts("ftp://a.test/x", Some("a.test"));

        assert_eq!(locate(&mut ftp), Err(Refusal::Target));
    }

    fn parts(target: &str, host: Option<&str>) -> Parts {
        let mut request = Request::get(target);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        request.body(()).unwrap().into_parts().0
    }
}
