use http::{Request, Version};

use super::*;

#[test]
fn an_ordinary_request_passes() {
    for target in [
        "/",
        "/a/b?c=../d",
        "/.well-known/x",
        "/a..b/...",
        "/a%2fb",
        "/a.",
        "http://a/x",
    ] {
        assert_eq!(
            inspect(&request(target, &[("host", "a")])),
            Ok(()),
            "{target}"
        );
    }
}

#[test]
fn ambiguous_requests_are_refused() {
    let host = ("host", "a");
    let both = [
        host,
        ("content-length", "1"),
        ("transfer-encoding", "chunked"),
    ];

    assert_eq!(inspect(&request("/", &[])), Err(Refusal::Host));
    assert_eq!(inspect(&request("/", &[host, host])), Err(Refusal::Host));
    assert_eq!(inspect(&request("/", &[("host", "")])), Err(Refusal::Host));
    assert_eq!(
        inspect(&request("/", &[("host", "a, b")])),
        Err(Refusal::Host)
    );
    assert_eq!(
        inspect(&request("/", &[("host", "user@a")])),
        Err(Refusal::Host)
    );
    assert_eq!(inspect(&request("/", &both)), Err(Refusal::Length));
    assert_eq!(inspect(&request("*", &[host])), Err(Refusal::Target));
}

#[test]
fn dot_segments_are_refused_in_every_spelling() {
    for path in [
        "/.",
        "/a/../b",
        "/a/..",
        "/a/./b",
        "/%2e%2e/a",
        "/a/%2E./b",
        "/a/.%2e",
        "/a/..;x=1/b",
        "/a/;/..;/b",
        "/a%2f..%2fb",
        "/a%2F%2e%2E",
        "/a%5c..%5cb",
        "/a\\..\\b",
    ] {
        assert_eq!(
            inspect(&request(path, &[("host", "a")])),
            Err(Refusal::DotSegments),
            "{path}"
        );
    }
}

#[test]
fn path_does_not_end_for_the_upstream_before_it_ends_for_the_gateway() {
    let refused = inspect(&request("/admin%00.png", &[("host", "a")]));

    assert_eq!(refused, Err(Refusal::Nul));
}

#[test]
fn a_tunnel_to_anywhere_is_refused() {
    let mut parts = request("/", &[("host", "a")]);
    parts.method = Method::CONNECT;

    assert_eq!(inspect(&parts), Err(Refusal::Connect));
}

#[test]
fn http_1_0_needs_no_host() {
    let mut parts = request("/", &[]);
    parts.version = Version::HTTP_10;

    assert_eq!(inspect(&parts), Ok(()));
}

#[test]
fn headers_of_the_connection_are_removed_in_both_directions() {
    let hop = [
        ("connection", "close, X-Secret"),
        ("connection", "x-other"),
        ("x-secret", "1"),
        ("x-other", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("te", "gzip"),
        ("upgrade", "h2c"),
        ("x-kept", "1"),
    ];

    let mut inbound = headers(&hop);
    clean_headers(&mut inbound);
    let mut outbound = headers(&hop);
    strip_response(&mut outbound);

    assert_eq!(inbound, headers(&[("x-kept", "1")]));
    assert_eq!(outbound, headers(&[("x-kept", "1")]));
}

#[test]
fn a_header_of_the_connection_is_removed_where_it_is_the_only_one() {
    for name in &HOP_BY_HOP {
        let mut headers = headers(&[(name.as_str(), "a"), ("x-other", "b")]);

        strip_response(&mut headers);

        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-other"], "{name}");
    }
}

#[test]
fn a_header_that_is_named_beside_what_is_no_text_is_removed_all_the_same() {
    let mut headers = headers(&[("x-secret", "1"), ("x-kept", "1")]);
    let line = HeaderValue::from_bytes(b"\xff, X-Secret, \xff").unwrap();
    headers.insert(CONNECTION, line);

    clean_headers(&mut headers);

    let left: Vec<_> = headers.keys().collect();
    assert_eq!(left, ["x-kept"]);
}

#[test]
fn connection_cannot_name_host_length_and_passages() {
    let kept = [
        ("host", "a"),
        ("content-length", "5"),
        ("cdn-loop", "cdn.test"),
    ];
    let mut map = headers(&kept);
    let named = "Host, Content-Length, CDN-Loop".parse().unwrap();
    map.insert(CONNECTION, named);

    clean_headers(&mut map);

    assert_eq!(map, headers(&kept));
}

// Behind a proxy that passes on what its client says of the connection, the client would be taken for the proxy.
#[test]
fn connection_cannot_name_what_a_proxy_says_of_its_client() {
    let said = [
        ("forwarded", "for=192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-uri", "/a"),
        ("x-real-ip", "192.0.2.1"),
    ];
    let names = said.map(|(name, _)| name).join(", ");
    let mut map = headers(&said);
    map.insert(CONNECTION, names.parse().unwrap());

    clean_headers(&mut map);

    assert_eq!(map, headers(&said));
}

#[test]
fn only_trailers_survive_of_te_and_expect_does_not() {
    let mut map = headers(&[
        ("te", "gzip, Trailers"),
        ("expect", "100-continue"),
        ("trailer", "x-sum"),
    ]);

    clean_headers(&mut map);

    assert_eq!(map, headers(&[("te", "trailers"), ("trailer", "x-sum")]));
}

#[test]
fn te_says_trailers_on_any_of_its_lines() {
    let mut map = headers(&[("te", "deflate"), ("te", "trailers")]);

    clean_headers(&mut map);

    assert_eq!(map, headers(&[("te", "trailers")]));
}

#[test]
fn nothing_but_the_opening_of_a_websocket_may_change_the_protocol() {
    let opening = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "foo, WebSocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let with = |(name, value): (&'static str, &'static str)| {
        let others = opening.into_iter().filter(|(other, _)| *other != name);
        request("/", &others.chain([(name, value)]).collect::<Vec<_>>())
    };
    let mut old = request("/", &opening);
    old.version = Version::HTTP_10;
    let mut posted = request("/", &opening);
    posted.method = Method::POST;

    let wanted = upgrade_of(request("/", &opening));
    let others = [
        with(("connection", "keep-alive")),
        with(("upgrade", "h2c")),
        with(("content-length", "5")),
        with(("transfer-encoding", "chunked")),
        request("/", &opening[..2]),
        old,
        posted,
    ];

    assert_eq!(wanted.unwrap(), "websocket");
    for other in others {
        let text = format!("{other:?}");
        assert_eq!(upgrade_of(other), None, "{text}");
    }
}

#[test]
fn settings_of_another_protocol_do_not_pass() {
    let mut map = headers(&[("http2-settings", "AAMAAABk"), ("x-kept", "1")]);

    clean_headers(&mut map);

    assert_eq!(map, headers(&[("x-kept", "1")]));
}

#[test]
fn a_contradicted_length_is_dropped_from_a_response() {
    let mut map = headers(&[("content-length", "3"), ("transfer-encoding", "chunked")]);

    strip_response(&mut map);

    assert!(map.is_empty());
}

#[test]
fn trailers_say_nothing_that_headers_alone_may_say() {
    let mut map = headers(&[
        ("x-sum", "1"),
        ("host", "a"),
        ("content-length", "3"),
        ("authorization", "Basic x"),
        ("x-forwarded-for", "9.9.9.9"),
        ("forwarded", "for=9.9.9.9"),
    ]);

    strip_trailers(&mut map);

    assert_eq!(map, headers(&[("x-sum", "1")]));
}

fn request(target: &str, pairs: &[(&str, &str)]) -> Parts {
    let (mut parts, ()) = Request::builder()
        .uri(target)
        .body(())
        .unwrap()
        .into_parts();
    parts.headers = headers(pairs);
    parts
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    pairs
        .collect::<Vec<(HeaderName, HeaderValue)>>()
        .into_iter()
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

fn upgrade_of(mut request: Parts) -> Option<HeaderValue> {
    clean(&mut request).unwrap();
    request.headers.remove(UPGRADE)
}

fn clean_headers(headers: &mut HeaderMap) {
    let mut request = request("/", &[]);
    std::mem::swap(&mut request.headers, headers);
    clean(&mut request).unwrap();
    *headers = request.headers;
}
