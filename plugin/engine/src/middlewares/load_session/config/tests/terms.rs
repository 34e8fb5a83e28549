//! Two middlewares on one storage.

use super::*;

#[test]
fn limits_that_differ_on_one_storage_are_named_with_both_values() {
    let one = json!({ "storage": "Redis", "secrets": [SECRET], "expiration": "1d" });
    let other = json!({
        "storage": "Redis", "secrets": [OTHER, SECRET], "cookieExpiration": "8h", "expiration": "1d",
        "principal": "account", "maxSessionsPerPrincipal": 3,
    });

    let difference = difference(one, other).unwrap();

    assert_eq!(
        difference,
        "cookieExpiration (`2h`, `8h`), principal (`user_id`, `account`), \
         maxSessionsPerPrincipal (`0`, `3, evictOldest`), secrets"
    );
}

#[test]
fn equal_limits_differ_in_nothing() {
    let of =
        |cookie: &str| json!({ "storage": "Redis", "keyLookup": cookie, "cookieSecure": true });

    assert_eq!(difference(of("cookie:a"), of("cookie:b")), None);
}

#[test]
fn sessions_that_never_meet_may_differ() {
    let of = |storage: &str, secrets: &[&str], life: &str| json!({ "storage": storage, "secrets": secrets, "cookieExpiration": life });

    for (one, other) in [
        (of("A", &[], "1h"), of("B", &[], "2h")),
        (of("A", &[SECRET], "1h"), of("A", &[OTHER], "2h")),
        (of("A", &[], "1h"), of("A", &[SECRET], "2h")),
    ] {
        assert_eq!(
            difference(one.clone(), other.clone()),
            None,
            "{one} {other}"
        );
    }
}

fn difference(one: Value, other: Value) -> Option<String> {
    settled(one).terms.difference(&settled(other).terms)
}

const OTHER: &str = "fedcba9876543210fedcba9876543210";
