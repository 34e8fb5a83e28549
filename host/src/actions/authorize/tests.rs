use http::{HeaderName, Request};

use super::*;
use crate::desk::Reserved;
use crate::hygiene::{self, Refusal};
use crate::server::Scheme;

const NGINX: [(&str, &str); 4] = [
    ("x-original-uri", "/a%20b?c=d"),
    ("x-original-method", "POST"),
    ("x-forwarded-host", "site.test:8443"),
    ("x-forwarded-proto", "https"),
];

const CADDY: [(&str, &str); 4] = [
    ("x-forwarded-uri", "/a%20b?c=d"),
    ("x-forwarded-method", "POST"),
    ("x-forwarded-host", "site.test:8443"),
    ("x-forwarded-proto", "https"),
];

const INGRESS: [(&str, &str); 2] = [
    ("x-original-url", "https://site.test:8443/a%20b?c=d"),
    ("x-original-method", "POST"),
];

#[test]
fn each_proxy_is_understood_in_its_own_words() {
    for (headers, wording) in [
        (&NGINX[..], Wording::Nginx),
        (&INGRESS, Wording::Nginx),
        (&CADDY, Wording::Any),
    ] {
        let (asked, request) = ask("/authorize", headers).unwrap();

        assert_eq!(request, "POST site.test:8443 /a%20b?c=d");
        assert_eq!((asked.scheme, asked.wording), (Scheme::Https, wording));
    }
}

#[test]
fn path_behind_the_prefix_is_the_original_one() {
    let proto = [("x-forwarded-proto", "http")];
    for (sent, original) in [
        ("/authorize/", "/"),
        ("/authorize//x%2fy?q", "//x%2fy?q"),
        ("/authorize/authorize/a", "/authorize/a"),
    ] {
        let (asked, request) = ask_at("/authorize/*", sent, &proto).unwrap();

        assert_eq!(request, format!("GET gateway.test {original}"));
        assert_eq!((asked.scheme, asked.wording), (Scheme::Http, Wording::Any));
    }
}

#[test]
fn part_that_is_not_told_is_named() {
    for headers in [&NGINX[..], &CADDY] {
        for missing in 0..headers.len() {
            let mut told = headers.to_vec();
            let (name, _) = told.remove(missing);

            let error = ask("/authorize", &told).unwrap_err();

            // Without a URI nobody knows which proxy it is.
            let name = name.replace("x-original-uri", "x-forwarded-uri");
            assert!(error.to_string().starts_with(&name), "{name}: {error}");
            assert_eq!(error.reason(), "original-missing");
        }
    }
}

#[test]
fn nothing_of_a_client_is_taken_beside_the_word_of_its_proxy() {
    for (headers, claimed) in [
        (&NGINX[..], "x-forwarded-uri"),
        (&NGINX, "x-forwarded-method"),
        (&NGINX, "x-original-uri"),
        (&CADDY, "x-original-uri"),
        (&CADDY, "x-original-url"),
        (&CADDY, "x-original-method"),
        (&CADDY, "x-forwarded-method"),
        (&CADDY, "x-forwarded-host"),
        (&INGRESS, "x-original-uri"),
        (&INGRESS, "x-original-method"),
    ] {
        let told = [headers, &[(claimed, "/public")]].concat();

        let error = ask("/authorize", &told).unwrap_err();

        assert_eq!(error.reason(), "original-ambiguous", "{told:?}: {error}");
    }
    let envoy = [
        ("x-forwarded-proto", "http"),
        ("x-forwarded-uri", "/public"),
    ];
    let error = ask_at("/authorize/*", "/authorize/admin", &envoy).unwrap_err();
    assert_eq!(error.reason(), "original-ambiguous");
}

#[test]
fn two_headers_of_nginx_may_say_the_same() {
    let told = [&INGRESS[..], &[("x-original-uri", "/a%20b?c=d")]].concat();

    assert!(ask("/authorize", &told).is_ok());
}

#[test]
fn url_of_a_client_does_not_move_what_nginx_says_to_another_host() {
    for url in [
        "https://evil.test/a%20b?c=d",
        "http://site.test:8443/a%20b?c=d",
    ] {
        let told = [&NGINX[..], &[("x-original-url", url)]].concat();

        let error = ask("/authorize", &told).unwrap_err();

        assert_eq!(error.reason(), "original-ambiguous", "{url}: {error}");
    }
}

#[test]
fn what_is_no_request_is_malformed() {
    for (name, value) in [
        ("x-forwarded-uri", ""),
        ("x-forwarded-uri", "*"),
        ("x-forwarded-uri", "http://site.test/"),
        ("x-forwarded-uri", "/a#b"),
        ("x-forwarded-uri", "/a b"),
        ("x-forwarded-method", "G T"),
        ("x-forwarded-method", ""),
        ("x-forwarded-proto", "ftp"),
        ("x-forwarded-proto", "https,http"),
    ] {
        let error = ask("/authorize", &replaced(&CADDY, name, value)).unwrap_err();

        assert_eq!(error.reason(), "original-malformed", "{name}: {value}");
    }
    for url in [
        "/a",
        "//site.test/a",
        "https://site.test",
        "gopher://site.test/",
    ] {
        let error = ask("/authorize", &replaced(&INGRESS, "x-original-url", url)).unwrap_err();

        assert_eq!(error.reason(), "original-malformed", "{url}");
    }
}

#[test]
fn original_has_to_pass_the_door_like_any_request() {
    for (name, value, refusal) in [
        ("x-forwarded-uri", "/a/../b", Refusal::DotSegments),
        ("x-forwarded-uri", "/%2e%2e/b", Refusal::DotSegments),
        ("x-forwarded-method", "CONNECT", Refusal::Connect),
        ("x-forwarded-host", "a, b", Refusal::Host),
        ("x-forwarded-host", "user@a", Refusal::Host),
    ] {
        let error = ask("/authorize", &replaced(&CADDY, name, value)).unwrap_err();

        assert_eq!(error, OriginalError::Refused(refusal), "{name}: {value}");
    }
}

#[test]
fn word_of_a_stranger_is_not_taken() {
    let mut request = parts("/authorize", &CADDY);

    let stated = Stated::heard(
        request.extensions.remove(),
        &request.headers,
        &Reserved::default(),
    );

    assert_eq!(
        Inquiry::Headers.open(stated, &mut request),
        Err(OriginalError::Untrusted)
    );
}

#[test]
fn mapped_header_is_let_pass_in_its_own_spelling_only() {
    let mut reserved = Reserved::default();
    reserved.add_request(&HeaderName::from_static("x-user-id"));
    for (name, is_own) in [
        ("x-user-id", true),
        ("x-other", true),
        ("x_user_id", false),
        ("xuserid", false),
    ] {
        let mut request = parts("/", &[(name, "mallory")]);
        Stated::note(&mut request);

        let taken = Stated::heard(request.extensions.remove(), &request.headers, &reserved);

        assert_eq!(
            taken.err(),
            (!is_own).then_some(OriginalError::Forged),
            "{name}"
        );
    }
}

#[test]
fn mapped_header_in_another_spelling_cannot_be_hidden_by_naming_it_in_connection() {
    let mut reserved = Reserved::default();
    reserved.add_request(&HeaderName::from_static("x-user-id"));
    let forged = [("x_user_id", "mallory"), ("connection", "close, X_User_Id")];
    let mut request = parts("/", &forged);
    Stated::note(&mut request);
    hygiene::clean(&mut request).unwrap();

    let taken = Stated::heard(request.extensions.remove(), &request.headers, &reserved);

    assert!(!request.headers.contains_key("x_user_id"));
    assert_eq!(taken.err(), Some(OriginalError::Forged));
}

#[test]
fn redirect_is_a_401_to_nginx_and_keeps_its_target() {
    for (wording, status, expected) in [
        (Wording::Nginx, 302, 401),
        (Wording::Nginx, 303, 401),
        (Wording::Nginx, 403, 403),
        (Wording::Nginx, 200, 200),
        (Wording::Any, 302, 302),
    ] {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let target = HeaderValue::from_static("/login/");
        response.headers_mut().insert(LOCATION, target.clone());

        reword(&mut response, wording);

        assert_eq!(response.status(), expected);
        assert_eq!(response.headers()[LOCATION], target);
    }
}

#[test]
fn route_with_parameters_has_no_place_for_the_original_path() {
    assert_eq!(Inquiry::of_route("/authorize"), Some(Inquiry::Headers));
    assert_eq!(Inquiry::of_route("/a/*"), Some(Inquiry::Path("/a".into())));
    assert_eq!(Inquiry::of_route("/:name"), None);
    assert_eq!(Inquiry::of_route("/:name/*"), None);
}

fn ask(pattern: &str, headers: &[(&str, &str)]) -> Result<(Asked, String), OriginalError> {
    ask_at(pattern, "/authorize", headers)
}

/// What is asked about, and the request that it becomes.
fn ask_at(
    pattern: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Result<(Asked, String), OriginalError> {
    let mut request = parts(target, headers);
    Stated::note(&mut request);
    let stated = Stated::heard(
        request.extensions.remove(),
        &request.headers,
        &Reserved::default(),
    );
    let inquiry = Inquiry::of_route(pattern).unwrap();

    let asked = inquiry.open(stated, &mut request)?;

    let host = request.headers["host"].to_str().unwrap();
    Ok((asked, format!("{} {host} {}", request.method, request.uri)))
}

fn replaced<'a>(
    headers: &[(&'a str, &'a str)],
    name: &str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let replace = |(known, old)| (known, if known == name { value } else { old });
    headers.iter().copied().map(replace).collect()
}

fn parts(target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::get(target).header("host", "gateway.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}
