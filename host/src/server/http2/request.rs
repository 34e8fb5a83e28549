//! Gives a request of HTTP/2 the form that it has in HTTP/1.1, in which everybody looks at it.

use http::header::{COOKIE, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method};

use super::websocket::WebSocket;
use crate::http1::fields::MAX_FIELDS;
use crate::hygiene::{self, Refusal};

/// Joins what HTTP/2 splits and names what it has other names for. What comes out goes the way of every request.
/// Returns what a WebSocket's answer has to look like.
///
/// # Errors
/// When the parts contradict each other, or are more than HTTP/1.1 may have.
pub(in crate::server) fn adapt(request: &mut Parts) -> Result<Option<WebSocket>, Refusal> {
    if request.headers.values().any(has_blank_end) {
        return Err(Refusal::Blank);
    }
    join_cookies(&mut request.headers);
    if request.headers.len() > MAX_FIELDS {
        return Err(Refusal::Headers);
    }
    if request.method == Method::CONNECT {
        hygiene::name_host(request)?;
        return WebSocket::open(request);
    }
    hygiene::locate(request)?;
    Ok(None)
}

/// Whether a value begins or ends with a blank (RFC 9113, section 8.2.1). On HTTP/1.1 it would not be a part of it.
fn has_blank_end(value: &HeaderValue) -> bool {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let value = value.as_bytes();
    is_blank(value.first()) || is_blank(value.last())
}

/// RFC 9113, section 8.2.3: whoever looks at the first field alone would miss the session.
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs = headers.get_all(COOKIE);
    if crumbs.iter().nth(1).is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = crumbs.iter().map(HeaderValue::as_bytes).collect();
    // Header values, joined by what a header value may hold.
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::HOST;

    use super::*;

    #[test]
    fn crumbs_of_cookies_become_one_field() {
        let mut parts = parts(
            "http://a.test/x?y",
            &[("cookie", "a=1"), ("x", "1"), ("cookie", "b=2")],
        );

        adapt(&mut parts).unwrap();

        let cookies: Vec<_> = parts.headers.get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2"]);
    }

    #[test]
    fn a_value_neither_begins_nor_ends_with_a_blank() {
        for value in [" a", "a ", "\ta", "a\t", " "] {
            for name in ["x", "cookie"] {
                let refused = adapt(&mut parts("http://a.test/", &[(name, value)]));
                assert_eq!(refused.unwrap_err(), Refusal::Blank, "{name}: {value:?}");
            }
        }
        assert!(adapt(&mut parts("http://a.test/", &[("x", "a b"), ("y", "")])).is_ok());
    }

    #[test]
    fn authority_becomes_host_and_the_target_a_path() {
        let mut parts = parts("https://a.test:8443/x?y", &[]);

        adapt(&mut parts).unwrap();

        assert_eq!(parts.headers[HOST], "a.test:8443");
        assert_eq!(parts.uri, "/x?y");
    }

    #[test]
    fn host_may_repeat_the_authority_and_not_contradict_it() {
        let mut same = parts("http://A.test/", &[("host", "a.test")]);
        let mut other = parts("http://a.test/", &[("host", "b.test")]);

        assert!(adapt(&mut same).is_ok());
        assert_eq!(adapt(&mut other).unwrap_err(), Refusal::Host);
    }

    #[test]
    fn as_many_headers_are_let_in_as_in_http_1_and_crumbs_are_one() {
        let crumbs = ["cookie"; 300].map(|name| (name, "a=1"));
        let mut crumbly = parts("http://a.test/", &crumbs);
        let names: Vec<String> = (0..101).map(|number| format!("x-{number}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();

        assert!(adapt(&mut crumbly).is_ok());
        assert_eq!(
            adapt(&mut parts("http://a.test/", &many)).unwrap_err(),
            Refusal::Headers
        );
    }

    fn parts(target: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::get(target), |request, (name, value)| {
                request.header(*name, *value)
            });
        request.body(()).unwrap().into_parts().0
    }
}
