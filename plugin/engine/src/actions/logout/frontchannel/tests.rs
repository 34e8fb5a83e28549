use std::collections::BTreeMap;
use std::sync::Arc;

use abi::testing::TestGateway;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::runtime::Runtime;
use crate::session::Timestamp;

#[test]
fn login_is_named_at_every_provider_of_its_issuer_and_at_no_other() {
    let providers = providers();

    let asked = Asked::read("iss=https%3A%2F%2Fone.test&sid=a%2Bb", &providers).unwrap();

    assert_eq!(asked.issuer, "https://one.test");
    let logouts = ["app", "office"].map(|provider| Logout::of_sid(provider, "a+b"));
    assert_eq!(asked.logouts, logouts);
}

#[test]
fn frame_that_does_not_name_one_login_ends_nothing() {
    let providers = providers();
    for query in [
        "",
        "iss=https://one.test",
        "sid=1",
        "iss=https://one.test&sid=",
        "iss=&sid=1",
        "iss=https://one.test/&sid=1",
        "iss=https://ONE.test&sid=1",
        "iss=https://another.test&sid=1",
        "iss=https://one.test&sid=1&sid=2",
        "iss=https://one.test&iss=https://two.test&sid=1",
        "iss=https://one.test&SID=1",
    ] {
        assert_eq!(Asked::read(query, &providers), None, "{query}");
    }
}

#[test]
fn answer_may_be_framed_by_the_origin_of_the_issuer_alone() {
    for (issuer, framed_by) in [
        ("https://one.test", "https://one.test"),
        ("https://one.test/realms/a;b", "https://one.test"),
        ("https://One.test:443/a", "https://one.test"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("https://one.test *", "'none'"),
        ("one", "'none'"),
    ] {
        let policy = policy(issuer);

        let end = format!("; frame-ancestors {framed_by}");
        assert!(policy.ends_with(&end), "{issuer}: {policy}");
    }
}

/// Two clients of one issuer, one of another, and one whose issuer nobody knows.
fn providers() -> Providers {
    let gateway = TestGateway::new();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::default()));
    let known = [
        (
            "app",
            r#"{ "issuer": "https://one.test", "clientId": "app" }"#,
        ),
        (
            "office",
            r#"{ "issuer": "https://one.test", "clientId": "office" }"#,
        ),
        (
            "two",
            r#"{ "issuer": "https://two.test", "clientId": "app" }"#,
        ),
        (
            "old",
            r#"{ "tokenUrl": "https://old.test/token", "certUrl": "https://old.test/keys", "clientId": "app" }"#,
        ),
    ];
    let known: BTreeMap<_, _> = known
        .map(|(name, text)| (name.to_owned(), serde_json::from_str(text).unwrap()))
        .into();
    let desk = (clock, Arc::new(Runtime::default()));
    Providers::new(known, desk, &gateway.services()).unwrap()
}
