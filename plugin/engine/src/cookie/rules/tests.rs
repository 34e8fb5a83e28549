use super::*;

/// A cookie as it would be set, and why browsers would drop it; nothing where they keep it.
const CASES: &[(&str, &[&str])] = &[
    // Without a promise in the name.
    ("sid", &[]),
    (
        "sid; HttpOnly; SameSite=Strict; Secure; Path=/app; Domain=example.com; Partitioned",
        &[],
    ),
    ("sid; Path=/app", &[]),
    ("sid; Domain=example.com", &[]),
    ("sid; HttpOnly", &[]),
    ("sid; SameSite=Lax", &[]),
    ("sid; SameSite=Strict", &[]),
    ("_Host-sid; Domain=example.com", &[]),
    ("Host-sid; Domain=example.com", &[]),
    ("__HttpOnly-sid", &[]),
    // SameSite=None.
    ("sid; SameSite=None; Secure", &[]),
    (
        "sid; SameSite=None",
        &["SameSite=None needs a secure cookie, or browsers drop it"],
    ),
    // Partitioned. SameSite=None is what it is for, and no browser asks for it.
    ("sid; Partitioned; Secure; SameSite=None", &[]),
    ("sid; Partitioned; Secure", &[]),
    ("sid; Partitioned; Secure; SameSite=Strict", &[]),
    ("__Host-sid; Partitioned; Secure; SameSite=None", &[]),
    (
        "sid; Partitioned",
        &["a partitioned cookie has to be secure, or browsers drop it"],
    ),
    (
        "sid; Partitioned; SameSite=None",
        &[
            "SameSite=None needs a secure cookie, or browsers drop it",
            "a partitioned cookie has to be secure, or browsers drop it",
        ],
    ),
    // __Secure-
    ("__Secure-sid; Secure", &[]),
    ("__Secure-sid; Secure; Domain=example.com; Path=/app", &[]),
    (
        "__Secure-sid",
        &["a cookie named __Secure-… has to be secure, or browsers drop it"],
    ),
    (
        "__SECURE-sid",
        &["a cookie named __Secure-… has to be secure, or browsers drop it"],
    ),
    (
        "__Secure-",
        &["a cookie named __Secure-… has to be secure, or browsers drop it"],
    ),
    // __Host-
    ("__Host-sid; Secure", &[]),
    ("__Host-sid; Secure; HttpOnly; SameSite=Lax", &[]),
    ("__host-sid; Secure", &[]),
    (
        "__Host-sid",
        &["a cookie named __Host-… has to be secure, or browsers drop it"],
    ),
    (
        "__Host-sid; Secure; Path=/app",
        &["a cookie named __Host-… needs the path /, or browsers drop it"],
    ),
    (
        "__Host-sid; Secure; Path=//",
        &["a cookie named __Host-… needs the path /, or browsers drop it"],
    ),
    (
        "__Host-sid; Secure; Domain=example.com",
        &["a cookie named __Host-… must not have a domain, or browsers drop it"],
    ),
    (
        "__hOsT-sid; Secure; Domain=localhost",
        &["a cookie named __Host-… must not have a domain, or browsers drop it"],
    ),
    (
        "__Host-sid; Path=/app; Domain=example.com; SameSite=None; Partitioned",
        &[
            "SameSite=None needs a secure cookie, or browsers drop it",
            "a partitioned cookie has to be secure, or browsers drop it",
            "a cookie named __Host-… has to be secure, or browsers drop it",
            "a cookie named __Host-… needs the path /, or browsers drop it",
            "a cookie named __Host-… must not have a domain, or browsers drop it",
        ],
    ),
    // __Http-
    ("__Http-sid; Secure; HttpOnly", &[]),
    (
        "__Http-sid; Secure; HttpOnly; Domain=example.com; Path=/app",
        &[],
    ),
    (
        "__Http-sid; Secure",
        &["a cookie named __Http-… has to be HttpOnly, or browsers drop it"],
    ),
    (
        "__Http-sid; HttpOnly",
        &["a cookie named __Http-… has to be secure, or browsers drop it"],
    ),
    (
        "__HTTP-sid",
        &[
            "a cookie named __Http-… has to be secure, or browsers drop it",
            "a cookie named __Http-… has to be HttpOnly, or browsers drop it",
        ],
    ),
    // __Host-Http-
    ("__Host-Http-sid; Secure; HttpOnly", &[]),
    (
        "__Host-Http-sid; Secure",
        &["a cookie named __Host-Http-… has to be HttpOnly, or browsers drop it"],
    ),
    (
        "__Host-Http-sid; Secure; HttpOnly; Domain=example.com",
        &["a cookie named __Host-Http-… must not have a domain, or browsers drop it"],
    ),
    (
        "__host-http-sid; Path=/app",
        &[
            "a cookie named __Host-Http-… has to be secure, or browsers drop it",
            "a cookie named __Host-Http-… has to be HttpOnly, or browsers drop it",
            "a cookie named __Host-Http-… needs the path /, or browsers drop it",
        ],
    ),
    ("__Host-Https; Secure", &[]),
];

#[test]
fn cookie_is_accepted_or_every_reason_against_it_is_told() {
    for (cookie, expected) in CASES {
        let errors = rules(cookie).check().err().unwrap_or_default();
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();

        assert_eq!(texts, *expected, "{cookie}");
    }
}

#[test]
fn name_has_to_leave_room_for_the_id() {
    let longest = MAX_PAIR - SessionId::ENCODED_LEN;

    assert_eq!(rules(&"n".repeat(longest)).check(), Ok(()));
    assert_eq!(
        rules(&"n".repeat(longest + 1)).check(),
        Err(vec![CookieRulesError::NameTooLong(longest + 1)])
    );
}

#[test]
fn every_error_names_the_attribute_to_change() {
    let blamed = |cookie: &str| {
        let errors = rules(cookie).check().err().unwrap_or_default();
        errors
            .iter()
            .map(CookieRulesError::attribute)
            .collect::<Vec<_>>()
    };

    use CookieAttribute as A;
    assert_eq!(
        blamed("__Host-Http-sid; Domain=a.b; Path=/a"),
        [A::Secure, A::HttpOnly, A::Path, A::Domain]
    );
    assert_eq!(
        blamed("sid; SameSite=None; Partitioned"),
        [A::SameSite, A::Partitioned]
    );
    assert_eq!(blamed(&"n".repeat(5000)), [A::Name]);
}

/// Reads a row of the table. What is not said is as in the configuration's defaults.
fn rules(cookie: &str) -> CookieRules {
    let mut parts = cookie.split("; ");
    let mut rules = CookieRules {
        name: CookieName::parse(parts.next().unwrap()).unwrap(),
        http_only: false,
        secure: false,
        same_site: SameSite::Lax,
        session_only: false,
        domain: None,
        path: CookiePath::default(),
        partitioned: false,
    };
    for part in parts {
        match part.split_once('=').unwrap_or((part, "")) {
            ("Domain", domain) => rules.domain = Some(CookieDomain::parse(domain).unwrap()),
            ("HttpOnly", "") => rules.http_only = true,
            ("Partitioned", "") => rules.partitioned = true,
            ("Path", path) => rules.path = CookiePath::parse(path).unwrap(),
            ("SameSite", "Lax") => rules.same_site = SameSite::Lax,
            ("SameSite", "None") => rules.same_site = SameSite::None,
            ("SameSite", "Strict") => rules.same_site = SameSite::Strict,
            ("Secure", "") => rules.secure = true,
            _ => panic!("{part} in {cookie}"),
        }
    }
    rules
}
