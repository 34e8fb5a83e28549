//! Keys that contradict each other.

use super::*;

#[test]
fn contradictions_are_said_where_they_can_be_mended() {
    for (written, expected) in cases() {
        assert_eq!(faults(written.clone()), [expected], "{written}");
    }
}

#[test]
fn combinations_that_only_look_odd_are_allowed() {
    for written in [
        json!({ "cookieSessionOnly": true, "cookieExpiration": "500d" }),
        json!({ "keyLookup": "header:X-Session", "cookieExpiration": "500d" }),
        json!({ "expiration": "1d", "rememberMe": "30d" }),
        json!({ "expiration": "20m", "rememberMe": "20m" }),
        json!({ "disableAutoRenew": true, "autoRenewAfter": "5s" }),
        json!({ "autoRenewAfter": "200ms" }),
        json!({ "inactivity": "10s", "touchInterval": 0 }),
        json!({ "inactivity": "2m", "strategy": "cookieCache", "secrets": [SECRET] }),
        json!({ "principal": "" }),
        json!({ "maxSessionsPerPrincipal": 5 }),
        json!({ "maxSessionsPerPrincipal": 5, "onLimit": "refuse" }),
        json!({ "cookieDomain": "example.com", "cookiePath": "/app" }),
        json!({ "sensitivePaths": ["/admin/*", "/a/**/b"] }),
    ] {
        assert_eq!(faults(written.clone()), [""; 0], "{written}");
    }
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let found = faults(json!({
        "keyLookup": "cookies", "cookieDomain": "co.uk", "cookiePath": "app", "sensitivePaths": ["/ok", "admin"],
        "rotationGrace": "1h", "maxBytes": 0, "onLimit": "refuse", "strategy": "cookieCache", "preset": "aal2",
        "cookieHTTPOnly": false,
    }));

    let keys: Vec<&str> = found
        .iter()
        .filter_map(|fault| Some(fault.split_once(':')?.0))
        .collect();
    assert_eq!(
        keys,
        [
            "keyLookup",
            "cookieDomain",
            "cookiePath",
            "sensitivePaths[1]",
            "cookieHTTPOnly",
            "rotationGrace",
            "rotationGrace",
            "strategy",
            "onLimit",
            "maxBytes",
        ]
    );
}

#[test]
fn fault_of_several_cookies_is_said_once() {
    let found = faults(json!({ "keyLookup": ["cookie:a", "cookie:b"], "cookieSameSite": "None" }));

    assert_eq!(found.len(), 1, "{found:?}");
}

fn cases() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({ "cookieSameSite": "None" }),
            "cookieSameSite: SameSite=None needs a secure cookie, or browsers drop it",
        ),
        (
            json!({ "cookiePartitioned": true }),
            "cookiePartitioned: a partitioned cookie has to be secure, or browsers drop it",
        ),
        (
            json!({ "keyLookup": "cookie:__Host-sid" }),
            "cookieSecure: a cookie named __Host-… has to be secure, or browsers drop it",
        ),
        (
            json!({ "keyLookup": "cookie:__Host-sid", "cookieSecure": true, "cookieDomain": "example.com" }),
            "cookieDomain: a cookie named __Host-… must not have a domain, or browsers drop it",
        ),
        (
            json!({ "keyLookup": "cookie:__host-sid", "cookieSecure": true, "cookiePath": "/app" }),
            "cookiePath: a cookie named __Host-… needs the path /, or browsers drop it",
        ),
        (
            json!({ "keyLookup": "cookie:__Http-sid", "cookieSecure": true }),
            "cookieHTTPOnly: a cookie named __Http-… has to be HttpOnly, or browsers drop it",
        ),
        (
            json!({ "cookieDomain": "co.uk" }),
            "cookieDomain: `co.uk`: browsers drop a cookie for a public suffix; a domain below one is allowed",
        ),
        (
            json!({ "cookieExpiration": "401d" }),
            "cookieExpiration: `401d` is longer than browsers keep a cookie; at most 400d, or cookieSessionOnly: true",
        ),
        (
            json!({ "rememberMe": "2y" }),
            "rememberMe: `2y` is longer than browsers keep a cookie; at most 400d, or cookieSessionOnly: true",
        ),
        (
            json!({ "expiration": "401d" }),
            "expiration: `401d` is longer than browsers keep a cookie; at most 400d, or cookieSessionOnly: true",
        ),
        (
            json!({ "rotationGrace": "6m" }),
            "rotationGrace: `6m` is too long for an id that was replaced; at most 5m",
        ),
        (
            json!({ "rotationGrace": "2m", "autoRenewAfter": "1m" }),
            "rotationGrace: `2m` is longer than autoRenewAfter (`1m`): two old ids would work at once; at most that",
        ),
        (
            json!({ "inactivity": "30s" }),
            "touchInterval: `1m` is not below inactivity (`30s`): who is active would count as idle",
        ),
        (
            json!({ "cookieCache": { "ttl": "1m" } }),
            "cookieCache: needs `strategy: cookieCache`",
        ),
        (
            json!({ "rememberMe": "1h" }),
            "rememberMe: `1h` is shorter than cookieExpiration (`2h`): who is remembered would be forgotten sooner; at least that, or 0",
        ),
        (
            json!({ "rememberMe": "10m", "expiration": "20m" }),
            "rememberMe: `10m` is shorter than expiration (`20m`): who is remembered would be forgotten sooner; at least that, or 0",
        ),
        (
            json!({ "strategy": "cookieCache" }),
            "strategy: `cookieCache` needs secrets, or anybody could write a snapshot",
        ),
        (
            json!({ "strategy": "cookieCache", "secrets": [SECRET], "keyLookup": "header:X-Session" }),
            "strategy: `cookieCache` needs a cookie in keyLookup, for browsers to bring the snapshot along",
        ),
        (
            json!({ "strategy": "cookieCache", "secrets": [SECRET], "keyLookup": ["cookie:a", "cookie:a_cache"] }),
            "keyLookup: `cookie:a_cache` is where the snapshots of `cookie:a` are; expected another name",
        ),
        (
            json!({ "secrets": [SECRET, "too short"] }),
            "secrets[1]: shorter than 32 bytes; `openssl rand -base64 48` makes one that is long enough",
        ),
        (
            json!({ "maxSessionsPerPrincipal": 5, "principal": "" }),
            "maxSessionsPerPrincipal: needs principal, the attribute that names the user; or 0",
        ),
        (
            json!({ "onLimit": "refuse" }),
            "onLimit: needs a maxSessionsPerPrincipal above 0",
        ),
        (
            json!({ "maxBytes": "0KiB" }),
            "maxBytes: `0` would refuse all data; expected a size such as `64KiB`",
        ),
        (
            json!({ "sensitivePaths": ["/a", "/users/:id"] }),
            "sensitivePaths[1]: `/users/:id`: `:name` is for routes; here `*` stands for one segment",
        ),
    ]
}
