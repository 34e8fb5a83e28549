use abi::config::Faults;

use super::*;

/// Who sends, with which headers, and what comes of it.
struct Case {
    sender: &'static str,
    headers: &'static [(&'static str, &'static str)],
    client: &'static str,
    about: &'static str,
}

const DIRECT: &str = "http a.test";

#[test]
fn what_strangers_claim_is_dropped() {
    for headers in [
        &[
            ("x-forwarded-for", "9.9.9.9"),
            ("x-forwarded-for", "8.8.8.8"),
        ][..],
        &[
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.test"),
        ],
        &[("forwarded", "for=9.9.9.9;proto=https;host=evil.test")],
        &[("x-real-ip", "9.9.9.9"), ("x-forwarded-prefix", "/x")],
        // CGI and its heirs make one of these and the gateway's own.
        &[
            ("x_forwarded_for", "9.9.9.9"),
            ("x-forwarded_proto", "https"),
            ("xforwardedhost", "evil.test"),
            ("-x.real_ip-", "9.9.9.9"),
            ("forwarded_", "for=9.9.9.9"),
            ("x-forwarded-scheme", "https"),
        ],
        &[("forwarded", "for=\"")],
    ] {
        let (peer, written) = introduced("203.0.113.7", headers).unwrap();

        assert_eq!(peer.address, "203.0.113.7".parse().ok());
        assert!(!peer.is_trusted);
        let expected = [
            ("host", "a.test"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "a.test"),
            ("forwarded", "for=203.0.113.7;host=\"a.test\";proto=http"),
        ];
        assert_eq!(written, map(&expected), "{headers:?}");
    }
}

#[test]
fn a_header_that_only_begins_like_a_claim_stays() {
    let others = [
        ("x-forward", "a"),
        ("x-real-ips", "a"),
        ("forwarded-at", "a"),
        ("x", "a"),
    ];

    let (_, written) = introduced("203.0.113.7", &others).unwrap();

    for (name, value) in others {
        assert_eq!(text(&written, name), value, "{name}");
    }
}

#[test]
fn a_trusted_proxy_names_the_rightmost_address_that_is_not_one_itself() {
    let cases = [
        // Nothing said: the proxy asks for itself.
        case("10.0.0.1", &[], "10.0.0.1", DIRECT),
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "203.0.113.7")],
            "203.0.113.7, 10.0.0.1",
            DIRECT,
        ),
        // What the client claimed in front of its own address.
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "9.9.9.9, 203.0.113.7")],
            "203.0.113.7, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "10.0.0.9, 203.0.113.7")],
            "203.0.113.7, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[
                ("x-forwarded-for", "9.9.9.9"),
                ("x-forwarded-for", "203.0.113.7 , 10.0.0.2"),
            ],
            "203.0.113.7, 10.0.0.2, 10.0.0.1",
            DIRECT,
        ),
        // Somebody inside.
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")],
            "10.0.0.3, 10.0.0.2, 10.0.0.1",
            DIRECT,
        ),
        // With ports, in IPv6, in both.
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "203.0.113.7:4711")],
            "203.0.113.7, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "[2001:db8::7]:4711")],
            "2001:db8::7, 10.0.0.1",
            DIRECT,
        ),
        case(
            "fd00::1",
            &[("x-forwarded-for", "2001:db8::7")],
            "2001:db8::7, fd00::1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "::ffff:203.0.113.7")],
            "203.0.113.7, 10.0.0.1",
            DIRECT,
        ),
        // A proxy that does not know, says nonsense, or does not tell.
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "9.9.9.9, unknown")],
            "unknown, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "9.9.9.9, unix:")],
            "unknown, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "9.9.9.9, \u{fc}")],
            "unknown, 10.0.0.1",
            DIRECT,
        ),
        // Of a client, in front of what the proxy knows.
        case(
            "10.0.0.1",
            &[("x-forwarded-for", "\u{fc}, 203.0.113.7")],
            "203.0.113.7, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("x-forwarded-for", ", ,")],
            "10.0.0.1",
            DIRECT,
        ),
        // A unix socket has no address.
        case(
            "unix",
            &[("x-forwarded-for", "203.0.113.7")],
            "203.0.113.7",
            DIRECT,
        ),
    ];
    for case in cases {
        check(&case);
    }
}

#[test]
fn a_trusted_proxy_says_what_the_client_asked_for() {
    let client = "203.0.113.7, 10.0.0.1";
    let from = ("x-forwarded-for", "203.0.113.7");
    for (proto, host, about) in [
        ("https", "www.test", "https www.test"),
        ("HTTPS", "www.test:8443", "https www.test:8443"),
        ("wss", "[2001:db8::1]:80", "https [2001:db8::1]:80"),
        // Of a list, the entry of whoever is nearest.
        ("https, http", "evil.test, www.test", "http www.test"),
        ("\u{fc}, https", "\u{fc}, www.test", "https www.test"),
        // What is none is not believed.
        ("ftp", "a b", DIRECT),
        ("", "user@evil.test", DIRECT),
    ] {
        let headers = [
            from,
            ("x-forwarded-proto", proto),
            ("x-forwarded-host", host),
        ];
        let (peer, written) = introduced("10.0.0.1", &headers).unwrap();

        assert_eq!(text(&written, "x-forwarded-for"), client);
        assert_eq!(format!("{} {}", peer.scheme, text(&written, "host")), about);
        assert_eq!(text(&written, "x-forwarded-host"), text(&written, "host"));
        assert_eq!(text(&written, "x-forwarded-proto"), peer.scheme.as_str());
    }
}

#[test]
fn the_standard_header_is_read_as_well() {
    let cases = [
        case(
            "10.0.0.1",
            &[("forwarded", "for=203.0.113.7;proto=https;host=www.test")],
            "203.0.113.7, 10.0.0.1",
            "https www.test",
        ),
        // The claim of a client in front, a trusted hop behind, which saw other things.
        case(
            "10.0.0.1",
            &[
                (
                    "forwarded",
                    "for=9.9.9.9;proto=https;host=evil.test, for=203.0.113.7;host=\"www.test:80\"",
                ),
                ("forwarded", "For=10.0.0.2;proto=https;host=inner.test"),
            ],
            "203.0.113.7, 10.0.0.2, 10.0.0.1",
            "http www.test:80",
        ),
        case(
            "10.0.0.1",
            &[("forwarded", "for=\"[2001:db8::7]:4711\"")],
            "2001:db8::7, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("forwarded", "for=9.9.9.9, for=_hidden")],
            "unknown, 10.0.0.1",
            DIRECT,
        ),
        case(
            "10.0.0.1",
            &[("forwarded", "proto=https")],
            "unknown, 10.0.0.1",
            "https a.test",
        ),
        // Both kinds, one story.
        case(
            "10.0.0.1",
            &[
                ("forwarded", "for=203.0.113.7;proto=https"),
                ("x-forwarded-for", "9.9.9.9, 203.0.113.7:80"),
                ("x-forwarded-host", "www.test"),
            ],
            "203.0.113.7, 10.0.0.1",
            "https www.test",
        ),
    ];
    for case in cases {
        check(&case);
    }
}

#[test]
fn two_stories_are_refused() {
    for headers in [
        [
            ("x-forwarded-for", "203.0.113.7"),
            ("forwarded", "for=9.9.9.9"),
        ],
        [
            ("x-forwarded-for", "203.0.113.7"),
            ("forwarded", "for=unknown"),
        ],
        [
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=9.9.9.9;proto=http"),
        ],
        [
            ("x-forwarded-host", "a.test"),
            ("forwarded", "host=evil.test"),
        ],
        // A quote left open by a client.
        [
            ("forwarded", "for=9.9.9.9;x=\""),
            ("forwarded", "for=203.0.113.7"),
        ],
        [
            ("forwarded", "for=9.9.9.9;x=\", for=203.0.113.7"),
            ("x", "y"),
        ],
        [("forwarded", "for=\u{fc}"), ("x", "y")],
    ] {
        assert_eq!(
            introduced("10.0.0.1", &headers).unwrap_err(),
            Contradiction,
            "{headers:?}"
        );
    }
}

#[test]
fn forwarded_quotes_what_has_colons_and_follows_the_host_of_each_request() {
    let sender = Sender::new(peer("2001:db8::7"));
    for host in ["a.test", "b.test:80", "a.test"] {
        let mut headers = map(&[("host", host)]);

        sender.introduce(&mut headers, &trusted()).unwrap();

        let expected = format!("for=\"[2001:db8::7]\";host=\"{host}\";proto=http");
        assert_eq!(text(&headers, "forwarded"), expected);
    }
}

#[test]
fn a_request_without_host_is_introduced_without_one() {
    let mut headers = HeaderMap::new();

    Sender::new(peer("unix"))
        .introduce(&mut headers, &Networks::default())
        .unwrap();

    let expected = [
        ("x-forwarded-proto", "http"),
        ("forwarded", "for=unknown;proto=http"),
    ];
    assert_eq!(headers, map(&expected));
}

#[track_caller]
fn check(case: &Case) {
    let (peer, written) = introduced(case.sender, case.headers).unwrap();

    let first = case.client.split(", ").next().unwrap();
    assert_eq!(peer.address, first.parse().ok(), "{:?}", case.headers);
    assert!(peer.is_trusted);
    assert_eq!(
        text(&written, "x-forwarded-for"),
        case.client,
        "{:?}",
        case.headers
    );
    assert_eq!(
        format!("{} {}", peer.scheme, text(&written, "host")),
        case.about,
        "{:?}",
        case.headers
    );
    let nodes = case
        .client
        .split(", ")
        .map(|node| match node.contains(':') {
            true => format!("for=\"[{node}]\""),
            false => format!("for={node}"),
        });
    let nodes: Vec<_> = nodes.collect();
    let about = format!(";host=\"{}\";proto={}", text(&written, "host"), peer.scheme);
    let expected = [format!("{}{about}", nodes[0])]
        .into_iter()
        .chain(nodes[1..].to_vec());
    assert_eq!(
        text(&written, "forwarded"),
        expected.collect::<Vec<_>>().join(", ")
    );
}

const fn case(
    sender: &'static str,
    headers: &'static [(&'static str, &'static str)],
    client: &'static str,
    about: &'static str,
) -> Case {
    Case {
        sender,
        headers,
        client,
        about,
    }
}

fn introduced(sender: &str, headers: &[(&str, &str)]) -> Result<(Peer, HeaderMap), Contradiction> {
    let mut headers = map(headers);
    headers.insert(HOST, HeaderValue::from_static("a.test"));
    let introduced = Sender::new(peer(sender)).introduce(&mut headers, &trusted());
    introduced.map(|peer| (peer, headers))
}

fn peer(sender: &str) -> Peer {
    let address = sender.parse().ok();
    Peer {
        address,
        is_trusted: trusted().contains(address),
        ..Peer::unknown()
    }
}

fn trusted() -> Networks {
    let texts = ["10.0.0.0/8", "fd00::/8", "unix"].map(str::to_owned);
    let mut faults = Faults::default();
    let networks = Networks::parse("", &texts, &mut faults);
    assert!(faults.is_empty());
    networks
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers
        .get(name)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}
