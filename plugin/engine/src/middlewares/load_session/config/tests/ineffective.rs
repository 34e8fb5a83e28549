//! What a start says of keys that change nothing.

use super::*;

#[test]
fn keys_that_another_switches_off_are_named() {
    for (written, expected) in [
        (
            json!({ "disableAutoRenew": true, "autoRenewAfter": "5s" }),
            "autoRenewAfter, as disableAutoRenew is true",
        ),
        (
            json!({ "inactivity": "3h", "expiration": "1h" }),
            "inactivity (`3h`), as cookieExpiration (`2h`) ends every session before it",
        ),
        (
            json!({ "inactivity": "1h", "expiration": "1h" }),
            "inactivity (`1h`), as expiration (`1h`) ends every session before it",
        ),
        (
            json!({ "rememberMe": "30d", "cookieSessionOnly": true }),
            "rememberMe in browsers, as cookieSessionOnly ends the cookie with them",
        ),
        (
            json!({ "keyLookup": "header:X-Session", "cookiePath": "/app", "cookieSameSite": "Strict" }),
            "cookieSameSite, as keyLookup has no cookie; cookiePath, as keyLookup has no cookie",
        ),
    ] {
        let expected = format!("without effect: {expected}");
        assert_eq!(ineffective(written.clone()), Some(expected), "{written}");
    }
}

#[test]
fn keys_that_have_an_effect_are_not_named() {
    for written in [
        json!({ "inactivity": "1h", "expiration": "1d" }),
        json!({ "rememberMe": "30d" }),
        json!({ "keyLookup": "header:X-Session", "rememberMe": "30d" }),
        json!({ "keyLookup": ["header:X-Session", "cookie:sid"], "cookiePath": "/app" }),
        json!({ "preset": "aal3", "secrets": [SECRET] }),
    ] {
        assert_eq!(ineffective(written.clone()), None, "{written}");
    }
}

fn ineffective(written: Value) -> Option<String> {
    let warnings = settled(written).warnings.into_iter();
    let mut found = warnings.filter(|line| line.starts_with("without effect: "));
    found.next()
}
