use abi::testing::TestGateway;
use iri_string::types::{UriReferenceStr, UriStr};
use proptest::prelude::*;
use url::Url;

use super::*;

#[test]
fn path_of_this_site_is_kept() {
    for path in [
        "/",
        "/a",
        "/a/b/",
        "/a//b",
        "/a?b=c&d=%0A",
        "/a?next=//other.test",
        "/a#b?c",
        "/caf%C3%A9/a%2Fb",
        "/:id/@me;v=1/(a,b)",
        "/.well-known/x",
        "/a..b/...",
    ] {
        assert_eq!(ReturnTarget::local(path).unwrap().as_str(), path);
    }
}

#[test]
fn letters_that_no_url_has_are_encoded() {
    for (text, target) in [
        ("/café", "/caf%C3%A9"),
        ("/a b|c", "/a%20b%7Cc"),
        ("/a?q=[1]&r={\"x\"}", "/a?q=%5B1%5D&r=%7B%22x%22%7D"),
        ("/100%", "/100%25"),
        ("/a#b#c", "/a#b%23c"),
    ] {
        assert_eq!(ReturnTarget::local(text).unwrap().as_str(), target);
    }
}

#[test]
fn what_could_be_taken_for_another_site_is_no_target() {
    for text in [
        "",
        "a",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "/\\/evil.test",
        "/a\\b",
        "\\\\evil.test",
        "/%2f/evil.test",
        "/%2Fevil.test",
        "/%252fevil.test",
        "/%5cevil.test",
        "/%255Cevil.test",
        "/%2525255Cevil.test",
        "/\t/evil.test",
        "/%09/evil.test",
        "/%20/evil.test",
        "/ /evil.test",
        "/a\r\nSet-Cookie: x=y",
        "/a%0d%0aSet-Cookie:x=y",
        "/\u{a0}/evil.test",
        "/\u{2028}/evil.test",
        "/\0",
        "/%00",
        "/a/..//evil.test",
        "/./a",
        "/%2e%2e//evil.test",
        "/%2E/a",
        " /a",
        "?a",
        "#a",
        "javascript:alert(1)",
        "data:text/html,x",
    ] {
        assert_eq!(ReturnTarget::local(text), None, "{text:?}");
    }
}

#[test]
fn target_that_is_too_long_is_none() {
    let path = format!("/{}", "a".repeat(2047));

    assert!(ReturnTarget::local(&path).is_some());
    assert_eq!(ReturnTarget::local(&format!("{path}a")), None);
}

#[test]
fn other_origins_are_targets_only_when_they_are_listed() {
    let origins = origins(&["https://app.test", "https://*.apps.test:8443"]);
    for (text, expected) in [
        ("https://app.test", Some("https://app.test/")),
        ("HTTPS://APP.test:443/a?b", Some("https://app.test/a?b")),
        ("https://app.test?b", Some("https://app.test/?b")),
        (
            "https://one.apps.test:8443/",
            Some("https://one.apps.test:8443/"),
        ),
        (
            "https://a.b.apps.test:8443/",
            Some("https://a.b.apps.test:8443/"),
        ),
        // What this request asked for needs no list.
        ("http://here.test/a", Some("/a")),
        ("https://apps.test:8443/", None),
        ("https://evilapps.test:8443/", None),
        ("https://one.apps.test/", None),
        ("http://app.test/", None),
        ("https://app.test:8443/", None),
        ("https://app.test.evil.test/", None),
        ("https://app.test@evil.test/", None),
        ("https://app.test\\@evil.test/", None),
        ("https://app.test//evil.test", None),
        ("https://app.test/%5cevil.test", None),
        ("http://here.test//evil.test", None),
        ("https:app.test", None),
        ("//app.test/", None),
    ] {
        let target = origins.target(text, Some(&here()));

        assert_eq!(
            target.as_ref().map(ReturnTarget::as_str),
            expected,
            "{text}"
        );
    }
}

#[test]
fn origin_that_cannot_be_allowed_says_why() {
    let refused = |text: &str| text.parse::<ReturnOrigin>().unwrap_err();

    for text in ["app.test", "https://app.test/a", "*", "https://a.*.test"] {
        assert_eq!(refused(text), ReturnOriginError::Form(text.into()));
    }
    for text in ["https://*.com", "https://*.co.uk", "https://*.127.0.0.1"] {
        assert_eq!(refused(text), ReturnOriginError::TooWide(text.into()));
    }
}

#[test]
fn request_is_returned_to_with_its_query() {
    let gateway = TestGateway::new();
    for (target, expected) in [
        ("/a?b=c", "/a?b=c"),
        ("/a", "/a"),
        ("//evil.test?x", "/evil.test?x"),
        ("/%5cevil.test", "/"),
        ("/a?x=|", "/a?x=%7C"),
    ] {
        let mut exchange = gateway.exchange("GET", target);

        let returned = ReturnTarget::of_request(&exchange.lend());

        assert_eq!(returned.as_str(), expected, "{target}");
    }
}

#[test]
fn target_survives_being_a_parameter() {
    let target = ReturnTarget::local("/a?b=c&d=%2B+e#f").unwrap();

    let url = format!("http://here.test/login?to={}", target.in_query());

    let parameters = Url::parse(&url).unwrap();
    let (_, value) = parameters.query_pairs().next().unwrap();
    assert_eq!(value, target.as_str());
}

#[test]
fn no_known_payload_leads_off_this_site() {
    let mut accepted = 0;
    for payload in payloads() {
        accepted += usize::from(stays(&payload));
    }
    // Some are harmless paths. If none were, nothing at all would be accepted, and the test could not fail.
    assert!(accepted > 0);
}

proptest! {
    #[test]
    fn no_text_leads_off_this_site(text in "[/\\\\%0259fFcCeE.:@?#a \t\n\u{0}-\u{7f}éｅ。]{0,24}") {
        stays(&text);
    }

    #[test]
    fn no_text_behind_a_slash_leads_off_this_site(text in "/(\\PC|[/\\\\%.:@?#\t\r\n]){0,24}") {
        stays(&text);
    }

    #[test]
    fn no_text_behind_an_origin_leads_off_the_allowed_ones(
        text in "https?:[/\\\\]{1,3}(app\\.test|here\\.test|evil\\.test)(\\PC|[/\\\\%.:@?#\t]){0,16}",
    ) {
        stays(&text);
    }
}

/// Whether the text is a target. If so, browsers and parsers of RFC 3986 agree where it leads, and it is one of ours.
fn stays(text: &str) -> bool {
    let Some(target) = origins(&["https://app.test"]).target(text, Some(&here())) else {
        return false;
    };
    let base = Url::parse("http://here.test/login/x").unwrap();
    let browser = base.join(target.as_str()).unwrap();
    let origin = browser.origin().ascii_serialization();
    assert!(
        ["http://here.test", "https://app.test"].contains(&origin.as_str()),
        "{text:?} -> {target} -> {origin}"
    );
    assert!(browser.username().is_empty() && browser.password().is_none());

    let reference = UriReferenceStr::new(target.as_str()).unwrap();
    let resolved = reference.resolve_against(
        UriStr::new("http://here.test/login/x")
            .unwrap()
            .to_absolute(),
    );
    let resolved = resolved.to_string();
    assert_eq!(
        resolved.replace("https://app.test", "http://here.test"),
        format!(
            "http://here.test{}",
            target.as_str().trim_start_matches("https://app.test")
        ),
        "{text:?}"
    );
    true
}

/// The shapes that lists of open redirects are made of, with each way to write slashes, spaces and hosts in them.
fn payloads() -> Vec<String> {
    const SLASHES: &[&str] = &[
        "/",
        "//",
        "///",
        "////",
        "/////",
        "\\",
        "\\\\",
        "/\\",
        "\\/",
        "/\\/",
        "//\\",
        "/%2f",
        "/%5c",
        "/%2F%2f",
        "%2f%2f",
        "/%252f",
        "/%09/",
        "/%0a/",
        "/%0d%0a/",
        "/\t/",
        "/ /",
        "/.",
        "/./",
        "/../",
        "/.//",
        "/..//",
        "/%2e/",
        "/%2e%2e/",
        "/;/",
        ";//",
        ".//",
        "@",
        "/@",
        "//;@",
        "/http:",
        "/https://",
        "http:",
        "https:",
        "http:/",
        "https:/",
        "http://",
        "https://",
        "https:///",
        "https:\\\\",
        "HtTpS://",
        "h\tttps://",
        " https://",
        "\u{1}https://",
        "//https://",
        "javascript:",
        "javascript://",
        "Java\tScript:",
        "data:",
        "vbscript:",
        "view-source:",
        "ftp://",
        "blob:http://",
        "/x:1/:///%01javascript:",
        "<>//",
        "/<>//",
        "https://app.test",
        "https://app.test@",
        "https://app.test:80@",
        "https://app.test\\@",
        "https://app.test%2f@",
        "https://app.test%00@",
        "https://app.test#@",
        "https://app.test?@",
        "https://app.test.",
        "https://app.test%2e",
        "//app.test@",
        "//app.test:80@",
        "http://here.test//",
        "http://here.test/\\",
        "http://here.test/%5c",
        "http://here.test@",
        "http://;@",
        "//\u{ff0f}",
        "/\u{3002}",
        "/\u{2044}/",
        "/\u{feff}/",
        "\u{a0}//",
        "%00//",
        "%E3%80%82//",
    ];
    const HOSTS: &[&str] = &[
        "evil.test",
        "evil%2etest",
        "evil。test",
        "evil.test:80",
        "evil.test%00.app.test",
        "evil.test#.app.test",
        "evil.test?.app.test",
        "evil.test\\.app.test",
        "evil.test\tapp.test",
        "evil.test%23.app.test",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "%65%76%69%6c.test",
        "a@evil.test",
        "a:b@evil.test",
        "evil.test@app.test",
        "alert(1)",
        "evil.test/@app.test",
        "x+&@evil.test#+@app.test",
        "",
    ];
    const ENDS: &[&str] = &[
        "",
        "/",
        "//",
        "/%2e%2e",
        "/%2f..",
        "/%2f%2e%2e",
        "/..",
        "?@app.test",
        "#@app.test",
        "\\",
        "\r\nX: y",
    ];
    let mut payloads = Vec::new();
    for slashes in SLASHES {
        for host in HOSTS {
            payloads.extend(ENDS.iter().map(|end| format!("{slashes}{host}{end}")));
        }
    }
    payloads
}

fn origins(texts: &[&str]) -> ReturnOrigins {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn here() -> Origin {
    Origin::parse("http://here.test").unwrap()
}
