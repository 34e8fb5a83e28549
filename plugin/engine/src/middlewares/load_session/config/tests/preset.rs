//! What the named bundles are, and what they put up with.

use super::*;
use crate::cookie::CookieName;

#[test]
fn a_preset_is_complete_by_itself() {
    for name in ["aal1", "aal2", "aal3"] {
        assert_eq!(faults(json!({ "preset": name })), [""; 0], "{name}");
    }
    let hardened = json!({ "preset": "hardened", "secrets": [SECRET] });
    assert_eq!(faults(hardened), [""; 0]);
}

#[test]
fn every_preset_gives_the_safest_cookie() {
    for name in ["hardened", "aal1", "aal2", "aal3"] {
        let settings = settled(json!({ "preset": name, "secrets": [SECRET] }));

        let cookie = settings.cookie(&CookieName::parse("__Host-session").unwrap());
        let cookie = cookie.unwrap();
        assert!(cookie.secure && cookie.http_only, "{name}");
        assert_eq!(cookie.same_site, SameSite::Lax, "{name}");
    }
}

#[test]
fn the_times_are_those_of_the_standard() {
    let times = |name: &str| {
        let config = parse(json!({ "preset": name }));
        [config.expiration, config.inactivity].map(|time| time.to_string())
    };

    assert_eq!(times("hardened"), ["1d", "1h"]);
    assert_eq!(times("aal1"), ["1M", "0"]);
    assert_eq!(times("aal2"), ["1d", "1h"]);
    assert_eq!(times("aal3"), ["12h", "15m"]);
}

#[test]
fn what_is_written_beside_a_preset_counts() {
    let config = parse(json!({
        "preset": "aal3", "expiration": "8h", "cookieSameSite": "Strict", "keyLookup": "cookie:__Host-Http-sid",
        "cookieExpiration": "1h",
    }));

    assert_eq!(config.expiration.to_string(), "8h");
    assert_eq!(config.inactivity.to_string(), "15m");
    config.settle().unwrap();
}

#[test]
fn weaker_values_are_refused_with_what_is_allowed() {
    let refused = |mut written: Value| {
        written["preset"] = json!("aal2");
        faults(written).join("\n")
    };

    assert_eq!(
        refused(json!({ "expiration": "2d" })),
        "expiration: `2d` is weaker than preset `aal2` allows: at most 1d, and not 0"
    );
    assert_eq!(
        refused(json!({ "inactivity": 0 })),
        "inactivity: `0` is weaker than preset `aal2` allows: at most 1h, and not 0"
    );
    assert_eq!(
        refused(json!({ "rememberMe": "30d" })),
        "rememberMe: `1M` is weaker than preset `aal2` allows: 0, because a remembered session may be idle"
    );
    assert_eq!(
        refused(json!({ "keyLookup": ["cookie:__Host-session", "query:s"] })),
        "keyLookup: `query:s` is weaker than preset `aal2` allows: cookies whose names begin with `__Host-`"
    );
    assert_eq!(
        refused(json!({ "cookieHTTPOnly": false })),
        "cookieHTTPOnly: `false` is weaker than preset `aal2` allows: true"
    );
    assert_eq!(
        refused(json!({ "cookieSameSite": "None" })),
        "cookieSameSite: `None` is weaker than preset `aal2` allows: Lax or Strict"
    );
}

#[test]
fn a_value_that_is_weaker_and_contradicts_itself_has_both_faults() {
    let found = faults(json!({ "preset": "aal2", "cookieSecure": false }));

    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|fault| fault.starts_with("cookieSecure: "))
    );
}

#[test]
fn hardened_needs_secrets_and_all_limits_but_leaves_the_times_to_the_operator() {
    let found = faults(json!({
        "preset": "hardened", "expiration": 0, "inactivity": 0, "revokeOnReuse": false,
    }));

    assert_eq!(
        found,
        [
            "expiration: `0` is weaker than preset `hardened` allows: any duration but 0",
            "inactivity: `0` is weaker than preset `hardened` allows: any duration but 0",
            "secrets: missing, preset `hardened` needs one of at least 32 bytes, here or in secretsFile",
            "revokeOnReuse: `false` is weaker than preset `hardened` allows: true",
        ]
    );
    let long = json!({ "preset": "hardened", "secrets": [SECRET], "expiration": "90d", "inactivity": "7d" });
    assert_eq!(faults(long), [""; 0]);
}

#[test]
fn level_1_may_remember_within_its_month() {
    let remembered =
        |life: &str| faults(json!({ "preset": "aal1", "rememberMe": life })).join("\n");

    assert_eq!(remembered("30d"), "");
    assert_eq!(
        remembered("31d"),
        "rememberMe: `31d` is weaker than preset `aal1` allows: at most 1M, and not 0"
    );
}
