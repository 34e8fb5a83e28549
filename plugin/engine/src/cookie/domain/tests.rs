use super::*;

#[test]
fn every_domain_is_accepted_or_has_its_fault() {
    use DomainError as E;

    let label = |label: &str| Err(E::Label(label.into()));
    let character = |char| Err(E::Character(char));
    let long = "a".repeat(64);
    let longest = format!("{}.com", ["a".repeat(61).as_str(); 4].join("."));
    let cases: [(&str, Result<&str, DomainError>); 63] = [
        // What people write.
        ("example.com", Ok("example.com")),
        ("app.example.com", Ok("app.example.com")),
        ("Example.COM", Ok("example.com")),
        ("example.co.uk", Ok("example.co.uk")),
        ("1.example.com", Ok("1.example.com")),
        ("3com.com", Ok("3com.com")),
        ("a-b.example.com", Ok("a-b.example.com")),
        ("a--b.example.com", Ok("a--b.example.com")),
        ("xn--bcher-kva.example.com", Ok("xn--bcher-kva.example.com")),
        ("XN--BCHER-KVA.de", Ok("xn--bcher-kva.de")),
        (longest.as_str(), Ok(&longest)),
        // Names that only some network knows.
        ("example.test", Ok("example.test")),
        ("sso.corp.internal", Ok("sso.corp.internal")),
        ("printer.local", Ok("printer.local")),
        ("app.localhost", Ok("app.localhost")),
        // Of one label.
        ("localhost", Ok("localhost")),
        ("LocalHost", Ok("localhost")),
        ("intranet", Err(E::SingleLabel)),
        ("com", Err(E::SingleLabel)),
        ("test", Err(E::SingleLabel)),
        ("xn--p1ai", Err(E::SingleLabel)),
        // Public suffixes: of registries, of companies, by a rule with a star, with an exception to it, encoded.
        ("co.uk", Err(E::PublicSuffix)),
        ("CO.UK", Err(E::PublicSuffix)),
        ("com.au", Err(E::PublicSuffix)),
        ("github.io", Err(E::PublicSuffix)),
        ("octocat.github.io", Ok("octocat.github.io")),
        ("s3.amazonaws.com", Err(E::PublicSuffix)),
        ("amazonaws.com", Ok("amazonaws.com")),
        ("pages.dev", Err(E::PublicSuffix)),
        ("anything.ck", Err(E::PublicSuffix)),
        ("www.ck", Ok("www.ck")),
        ("city.kawasaki.jp", Ok("city.kawasaki.jp")),
        ("other.kawasaki.jp", Err(E::PublicSuffix)),
        ("xn--55qx5d.cn", Err(E::PublicSuffix)),
        // Dots.
        ("", Err(E::Empty)),
        (".", Err(E::Dot)),
        (".example.com", Err(E::Dot)),
        ("..example.com", Err(E::Dot)),
        ("example.com.", Err(E::Dot)),
        ("example..com", Err(E::Dot)),
        // More or less than a domain.
        ("*.example.com", Err(E::Wildcard)),
        ("example.com:8080", Err(E::Port)),
        ("localhost:8090", Err(E::Port)),
        ("https://example.com", character(':')),
        ("example.com/app", character('/')),
        ("anna@example.com", character('@')),
        ("exam ple.com", character(' ')),
        (" example.com", character(' ')),
        ("example.com;Secure", character(';')),
        ("example.com\r\nX: y", character('\r')),
        ("my_app.example.com", character('_')),
        ("%65xample.com", character('%')),
        // Addresses, in every spelling that a URL knows.
        ("127.0.0.1", Err(E::Address)),
        ("::1", Err(E::Address)),
        ("[::1]", Err(E::Address)),
        ("[2001:db8::1]:8080", Err(E::Address)),
        ("127.1", Err(E::Address)),
        ("example.0x7f", Err(E::Address)),
        // Labels.
        ("-a.example.com", label("-a")),
        ("a-.example.com", label("a-")),
        ("xn--a.example.com", label("xn--a")),
        (
            "Bücher.example.com",
            Err(E::Unicode("xn--bcher-kva.example.com".into())),
        ),
        (&format!("{long}.com"), label(&long)),
    ];
    for (text, expected) in cases {
        let parsed = CookieDomain::parse(text);
        assert_eq!(
            parsed,
            expected.map(|domain| CookieDomain(domain.into())),
            "{text:?}"
        );
    }
}

#[test]
fn length_of_a_name_is_limited() {
    let long = format!("{}.com", ["a".repeat(62).as_str(); 4].join("."));

    assert_eq!(CookieDomain::parse(&long), Err(DomainError::TooLong(255)));
}
