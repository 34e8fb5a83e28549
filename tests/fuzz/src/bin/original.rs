//! What a proxy asks `AuthorizeAction` about: the request in the proxy's own words, each told once, which could have
//! come to the door; and never another one because of what its client sent beside them.
#![no_main]
#![forbid(unsafe_code)]

use gateway::authorize::{Asked, Inquiry, OriginalError, Stated, Wording};
use gateway::hygiene;
use gateway::server::Scheme;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use libfuzzer_sys::fuzz_target;

// Lines: the first letter of each is that of its header. What stands in front of the first is the path behind the prefix.
fuzz_target!(|bytes: &[u8]| {
    let (below, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (&b""[..], bytes),
    };
    let sent = headers(rest);
    what_is_understood_was_said(&sent);
    what_is_in_the_path_is_all(below, &sent);
    for own in PROXIES {
        beside_its_proxy_nobody_is_heard(own, &sent);
    }
});

type Header = (HeaderName, HeaderValue);

fn what_is_understood_was_said(sent: &[Header]) {
    let mut request = question("/authorize", sent);
    let Ok(asked) = open(&Inquiry::Headers, &mut request) else {
        return;
    };
    is_welcome(&request);
    let said = |name: &str| {
        let mut values = sent.iter().filter(|(known, _)| known == name);
        let one = values.next().map(|(_, value)| value.as_bytes());
        one.filter(|_| values.next().is_none())
    };
    let uri = request.uri.to_string();
    let (method, target) = match asked.wording {
        Wording::Nginx => ("x-original-method", said("x-original-uri")),
        Wording::Any => ("x-forwarded-method", said("x-forwarded-uri")),
    };
    assert_eq!(said(method), Some(request.method.as_str().as_bytes()));
    let host = request.headers[HOST].to_str().expect("a host is a text");
    let Some(url) = said("x-original-url") else {
        assert_eq!(target, Some(uri.as_bytes()));
        assert_eq!(said("x-forwarded-host"), Some(host.as_bytes()));
        return;
    };
    assert!(target.is_none_or(|target| target == uri.as_bytes()));
    assert!(url.ends_with(format!("://{host}{uri}").as_bytes()));
}

fn what_is_in_the_path_is_all(below: &[u8], sent: &[Header]) {
    let Ok(below) = str::from_utf8(below) else {
        return;
    };
    let target = format!("/authorize/{below}");
    if target.parse::<http::Uri>().is_err() {
        return;
    }
    let mut request = question(&target, sent);
    let whole = request.uri.to_string();
    if open(&Inquiry::Path("/authorize".into()), &mut request).is_ok() {
        is_welcome(&request);
        assert_eq!(format!("/authorize{}", request.uri), whole);
        assert_eq!(request.headers[HOST], "gateway.test");
    }
}

/// The proxy sets its own headers, in place of a client's. What it does not know of it lets pass.
fn beside_its_proxy_nobody_is_heard(own: &[(&'static str, &'static str)], sent: &[Header]) {
    let own: Vec<Header> = own.iter().map(|pair| header(*pair)).collect();
    let beside = sent.iter().filter(|(name, _)| {
        let is_own = own.iter().any(|(known, _)| known == name);
        !is_own
    });
    let both: Vec<Header> = own.iter().chain(beside).cloned().collect();
    let mut alone = question("/authorize", &own);
    let expected = open(&Inquiry::Headers, &mut alone).expect("a proxy is understood");
    let mut request = question("/authorize", &both);
    if let Ok(asked) = open(&Inquiry::Headers, &mut request) {
        assert_eq!(asked, expected);
        assert_eq!((request.method, request.uri), (alone.method, alone.uri));
        assert_eq!(request.headers[HOST], alone.headers[HOST]);
        assert_eq!(asked.scheme, Scheme::Https);
    }
}

fn is_welcome(request: &Parts) {
    assert_eq!(hygiene::inspect(request), Ok(()));
}

fn open(inquiry: &Inquiry, request: &mut Parts) -> Result<Asked, OriginalError> {
    let before = request.clone();
    assert_eq!(
        inquiry.open(Err(OriginalError::Untrusted), request),
        Err(OriginalError::Untrusted)
    );
    assert_eq!(
        (&request.uri, &request.headers),
        (&before.uri, &before.headers)
    );
    Stated::note(request);
    let stated = request.extensions.remove().ok_or(OriginalError::Untrusted);
    inquiry.open(stated, request)
}

fn question(target: &str, headers: &[Header]) -> Parts {
    let mut request = Request::get(target).header(HOST, "gateway.test");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
        .body(())
        .expect("a target that was parsed")
        .into_parts()
        .0
}

fn headers(bytes: &[u8]) -> Vec<Header> {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let (first, value) = line.split_first()?;
            let name = NAMES.iter().find(|(letter, _)| letter == first)?.1;
            let value = HeaderValue::from_bytes(value).ok()?;
            Some((HeaderName::from_static(name), value))
        })
        .collect()
}

fn header((name, value): (&'static str, &'static str)) -> Header {
    (
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )
}

const NAMES: [(u8, &str); 8] = [
    (b'm', "x-original-method"),
    (b'u', "x-original-uri"),
    (b'l', "x-original-url"),
    (b'M', "x-forwarded-method"),
    (b'U', "x-forwarded-uri"),
    (b'h', "x-forwarded-host"),
    (b'p', "x-forwarded-proto"),
    (b'r', "x-rewrite-url"),
];

/// nginx as its manual has it, its ingress controller, and the others.
const PROXIES: [&[(&str, &str)]; 3] = [
    &[
        ("x-original-uri", "/a%20b?c=d"),
        ("x-original-method", "POST"),
        ("x-forwarded-host", "site.test:8443"),
        ("x-forwarded-proto", "https"),
    ],
    &[
        ("x-original-url", "https://site.test:8443/a%20b?c=d"),
        ("x-original-method", "POST"),
    ],
    &[
        ("x-forwarded-uri", "/a%20b?c=d"),
        ("x-forwarded-method", "POST"),
        ("x-forwarded-host", "site.test:8443"),
        ("x-forwarded-proto", "https"),
    ],
];
