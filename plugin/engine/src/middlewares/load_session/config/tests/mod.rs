//! The configuration from JSON to what is meant, and everything that is said about it.

mod ineffective;
mod preset;
mod rules;
mod terms;
mod weakness;

use serde_json::json;

use super::*;
use crate::cookie::CookieName;

#[test]
fn nothing_written_means_the_documented_defaults() {
    let config = parse(json!({}));

    assert_eq!(faults(json!({})), [""; 0]);
    assert_eq!(config.cookie_expiration.to_string(), "2h");
    assert_eq!(config.auto_renew_after.to_string(), "30m");
    assert_eq!(settled(json!({})).policy.grace.as_secs(), 10);
    assert_eq!(config.touch_interval.to_string(), "1m");
    assert_eq!(config.max_bytes.to_string(), "64KiB");
    assert_eq!(config.principal, "user_id");
    assert_eq!(
        [config.expiration, config.inactivity, config.remember_me],
        [DurationOrNone::NONE; 3]
    );
    assert!(config.revoke_on_reuse && config.sliding_expiration);
    assert_eq!(config.strategy, Strategy::Storage);
    assert_eq!(config.cookie_cache, CookieCacheConfig::default());
}

#[test]
fn every_default_may_be_written_out() {
    let written = json!({
        "storage": null, "keyLookup": "cookie:session_id", "cookieHTTPOnly": false, "cookieSecure": false,
        "cookieSameSite": "Lax", "cookieSessionOnly": false, "cookieExpiration": "2h", "disableAutoRenew": false,
        "autoRenewAfter": "30m", "disableSessionForward": false, "preset": null, "cookieDomain": "",
        "cookiePath": "/", "cookiePartitioned": false, "forwardSessionKey": false, "secrets": [], "expiration": 0,
        "inactivity": 0, "rememberMe": 0, "rotationGrace": "10s", "revokeOnReuse": true, "touchInterval": "60s",
        "strategy": "storage", "cookieCache": { "ttl": "5m", "encoding": "compact", "updateAge": "10m" },
        "slidingExpiration": true, "sensitivePaths": [], "principal": "user_id", "maxSessionsPerPrincipal": 0,
        "maxBytes": "64KiB", "responseHeader": "",
    });

    assert_eq!(
        format!("{:?}", settled(written)),
        format!("{:?}", settled(json!({})))
    );
}

#[test]
fn unknown_key_is_refused() {
    let refused = serde_json::from_value::<LoadSessionConfig>(json!({ "cookiePaht": "/" }));

    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("unknown field `cookiePaht`")
    );
}

#[test]
fn secrets_are_in_no_debug_output() {
    let config = parse(json!({ "secrets": ["correct horse battery staple"] }));

    assert!(!format!("{config:?}").contains("horse"));
}

#[test]
fn snapshots_are_set_like_the_cookie_they_belong_to() {
    let settings = settled(json!({
        "strategy": "cookieCache", "secrets": [SECRET], "cookieSecure": true, "cookiePath": "/app",
        "keyLookup": ["header:X-Session", "cookie:sid"],
    }));
    let name = CookieName::parse("sid").unwrap();

    let rules = &settings.snapshot(&name).unwrap().rules;

    assert_eq!(rules.name.as_str(), "sid_cache");
    assert_eq!((rules.secure, rules.path.as_str()), (true, "/app"));
    assert!(settled(json!({})).snapshot(&name).is_none());
}

fn parse(written: Value) -> LoadSessionConfig {
    serde_json::from_value(written).unwrap()
}

/// One line for each, as a user reads them.
fn faults(written: Value) -> Vec<String> {
    match parse(written).settle() {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn settled(written: Value) -> Settings {
    parse(written).settle().unwrap()
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";
