//! The rules that a configuration is held to, against a browser: what we accept it keeps, what we refuse it drops.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::{Answer, Chromium, Gateway, Upstream};
use engine::cookie::{
    CookieDomain, CookieName, CookiePath, CookieRules, MAX_AGE, MAX_PAIR, SameSite,
};
use engine::session::{SessionId, Timestamp};

use super::{app, url};

#[test]
fn browser_keeps_exactly_the_cookies_that_pass_the_check() {
    let (gateway, upstream) = app("");
    let mut chromium = Chromium::start();
    let all = every_combination();
    let mut kept = BTreeSet::new();

    // As many as a response may carry.
    for some in all.chunks(48) {
        let cookies: Vec<String> = some.iter().map(set_cookie).collect();
        set(&upstream, &cookies);
        chromium.visit(&url(&gateway, "www.app.localhost", "/app/set"));
        kept.extend(names(&mut chromium));
    }

    for rules in &all {
        let is_kept = kept.contains(rules.name.as_str());
        assert_eq!(is_kept, rules.check().is_ok(), "{}", set_cookie(rules));
    }
}

#[test]
fn browser_shares_cookies_of_exactly_the_domains_that_are_accepted() {
    let (gateway, upstream) = app("");
    let mut chromium = Chromium::start();
    for domain in [
        "example.com",
        "app.example.com",
        "example.co.uk",
        "example.test",
        "corp.internal",
        "app.localhost",
        "xn--bcher-kva.example.com",
        "octocat.github.io",
        "www.ck",
        "city.kawasaki.jp",
        "co.uk",
        "com.au",
        "github.io",
        "s3.amazonaws.com",
        "anything.ck",
        "other.kawasaki.jp",
        "xn--55qx5d.cn",
        "com",
        "internal",
    ] {
        let is_shared = is_shared(&mut chromium, (&gateway, &upstream), domain);

        assert_eq!(is_shared, CookieDomain::parse(domain).is_ok(), "{domain}");
    }
}

#[test]
fn browser_takes_localhost_for_a_domain_of_one_host() {
    let (gateway, upstream) = app("");
    let mut chromium = Chromium::start();
    set(&upstream, &["sid=x; Path=/; Domain=localhost".to_owned()]);

    chromium.visit(&url(&gateway, "localhost", "/app/set"));
    let at_localhost = names(&mut chromium);
    chromium.visit(&url(&gateway, "app.localhost", "/app"));
    let below = names(&mut chromium);

    assert!(CookieDomain::parse("localhost").is_ok());
    assert_eq!(at_localhost, ["sid"]);
    assert!(below.is_empty());
}

#[test]
fn limits_are_those_of_the_browser() {
    let (gateway, upstream) = app("");
    let mut chromium = Chromium::start();
    let value = "v".repeat(MAX_PAIR - 1);
    let [fits, too_long] = ["n", "nn"].map(|name| format!("{name}={value}"));
    let [path, long_path] = [1023, 1024].map(|length| format!("/{}", "p".repeat(length)));
    let days = |days: u64| format!("Max-Age={}", MAX_AGE.as_secs() + days * 86_400);
    set(
        &upstream,
        &[
            fits,
            too_long,
            format!("path=x; Path={path}"),
            format!("long_path=x; Path={long_path}"),
            format!("life=x; {}", days(0)),
            format!("long_life=x; {}", days(1)),
        ],
    );

    chromium.visit(&url(&gateway, "localhost", "/app/set"));
    let cookies = chromium.cookies();
    let of = |name: &str| cookies.iter().find(|cookie| cookie["name"] == name);
    let expiry = |name: &str| of(name).unwrap()["expiry"].as_u64().unwrap();

    assert!(of("n").is_some() && of("nn").is_none());
    assert!(CookiePath::parse(&path).is_ok() && of("path").is_none());
    assert!(
        CookiePath::parse(&long_path).is_err() && of("long_path").is_some(),
        "it was not ignored"
    );
    assert!(expiry("long_life").abs_diff(expiry("life")) < 60);
}

/// Each with a name of its own, so that no cookie takes the place of another.
fn every_combination() -> Vec<CookieRules> {
    let prefixes = [
        "",
        "__Secure-",
        "__Host-",
        "__Http-",
        "__Host-Http-",
        "__hOsT-",
        "__host",
    ];
    let mut all = Vec::new();
    for prefix in prefixes {
        for bits in 0..64 {
            let is = |bit: u8| bits & (1 << bit) != 0;
            let name = format!("{prefix}{}", all.len());
            all.push(CookieRules {
                name: CookieName::parse(&name).unwrap(),
                http_only: is(0),
                secure: is(1),
                same_site: [SameSite::Lax, SameSite::None][usize::from(is(2))],
                session_only: false,
                domain: is(3).then(|| CookieDomain::parse("app.localhost").unwrap()),
                path: CookiePath::parse(["/", "/app"][usize::from(is(4))]).unwrap(),
                partitioned: is(5),
            });
        }
    }
    all
}

fn set_cookie(rules: &CookieRules) -> String {
    let id = SessionId::parse(&[b'A'; 43]).unwrap();
    let cookie = rules.issue(&id, Duration::from_secs(3600), Timestamp::from_millis(0));
    // What is partitioned is written as secure in any case.
    match rules.secure {
        true => cookie,
        false => cookie.replace("; Secure", ""),
    }
}

/// Lets the application set these cookies at `/app/set`.
fn set(upstream: &Upstream, cookies: &[String]) {
    let answer = Answer::ok();
    let answer = cookies
        .iter()
        .fold(answer, |answer, cookie| answer.header("Set-Cookie", cookie));
    upstream.answer("/app/set", answer);
}

/// Whether a host below the domain can set a cookie for all of it.
fn is_shared(
    chromium: &mut Chromium,
    (gateway, upstream): (&Gateway, &Upstream),
    domain: &str,
) -> bool {
    set(upstream, &[format!("sid=x; Path=/; Domain={domain}")]);
    chromium.visit(&url(gateway, &format!("www.{domain}"), "/app/set"));
    chromium.visit(&url(gateway, &format!("www2.{domain}"), "/app"));
    !names(chromium).is_empty()
}

fn names(chromium: &mut Chromium) -> Vec<String> {
    let cookies = chromium.cookies().into_iter();
    cookies
        .map(|cookie| cookie["name"].as_str().unwrap().to_owned())
        .collect()
}
