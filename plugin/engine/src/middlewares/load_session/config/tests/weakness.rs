//! What a start warns of.

use super::*;

#[test]
fn one_line_names_every_weak_default() {
    let warning = weakness(json!({})).unwrap();

    assert_eq!(warning.lines().count(), 1);
    for key in [
        "cookieHTTPOnly",
        "cookieSecure",
        "storage",
        "secrets",
        "expiration",
    ] {
        assert!(warning.contains(&format!("{key} is ")), "{key}: {warning}");
    }
    assert!(
        warning.ends_with("`preset: hardened` is a safe start"),
        "{warning}"
    );
}

#[test]
fn nothing_weak_is_nothing_said() {
    let written = json!({
        "storage": "Redis", "cookieHTTPOnly": true, "cookieSecure": true, "secrets": [SECRET], "expiration": "1d",
    });

    assert_eq!(weakness(written), None);
    let hardened = json!({ "preset": "hardened", "storage": "Redis", "secrets": [SECRET] });
    assert_eq!(weakness(hardened), None);
}

#[test]
fn weak_choices_are_named_like_weak_defaults() {
    for (written, text) in [
        (
            json!({ "cookieSameSite": "None", "cookieSecure": true }),
            "cookieSameSite is None, so other sites can send requests in the user's name",
        ),
        (
            json!({ "cookieDomain": "example.com" }),
            "cookieDomain is set, so every host below it gets the cookie",
        ),
        (
            json!({ "keyLookup": ["cookie:a", "query:s"] }),
            "keyLookup has a query, so ids are in histories and logs",
        ),
        (
            json!({ "strategy": "cookieCache", "secrets": [SECRET], "cookieCache": { "encoding": "jwt" } }),
            "cookieCache.encoding is jwt, so whoever has the browser can read the session",
        ),
        (
            json!({ "cookieExpiration": "30m" }),
            "autoRenewAfter is not below cookieExpiration, so no session is ever renewed",
        ),
    ] {
        let warning = weakness(written).unwrap();

        assert!(warning.contains(text), "{text}: {warning}");
    }
}

#[test]
fn sessions_that_only_the_remembered_renew_are_renewed() {
    let written = json!({
        "storage": "Redis", "cookieHTTPOnly": true, "cookieSecure": true, "secrets": [SECRET], "expiration": "1d",
        "autoRenewAfter": "1d", "rememberMe": "30d",
    });

    assert_eq!(weakness(written), None);
}

#[test]
fn cookies_that_are_not_used_are_not_spoken_of() {
    let warning = weakness(json!({ "keyLookup": "header:X-Session" })).unwrap();

    assert!(!warning.contains("cookie"), "{warning}");
}

fn weakness(written: Value) -> Option<String> {
    let warnings = settled(written).warnings.into_iter();
    let mut found = warnings.filter(|line| line.starts_with("weak configuration: "));
    found.next()
}
