//! A provider that is away keeps everybody logged in, and one that says no ends a session.

use e2e::{Provider, Upstream, until};
use serde_json::json;

use super::*;

#[test]
fn while_the_access_token_is_good_no_outage_of_the_provider_is_noticed() {
    for fault in [
        json!({ "status": 503 }),
        json!({ "status": 500, "body": { "error": "invalid_grant" } }),
        json!({ "status": 429, "headers": { "Retry-After": "2" } }),
        json!({ "status": 404, "body": "gone fishing" }),
        json!({ "status": 401, "body": { "error": "invalid_client" } }),
        json!({ "reset": true }),
    ] {
        let (provider, upstream) = (Provider::start(), Upstream::start());
        let gateway = usual(&provider, &upstream).run();
        provider.fault("/token", &fault);
        let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 9));

        for _ in 0..20 {
            assert_eq!(browser.send(navigation("/app/a")).status(), 200, "{fault}");
        }

        let calls = provider.calls("/token").len();
        assert!(
            (1..=4).contains(&calls),
            "{fault}: {calls} calls in a moment"
        );
        gateway.logged("tokens-kept");
    }
}

#[test]
fn without_a_good_token_an_outage_is_503_and_passes() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    provider.fault("/token", &json!({ "status": 503 }));
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, -1));

    let answer = browser.send(navigation("/app/a"));

    assert_eq!(answer.status(), 503);
    assert!(answer.header("retry-after").is_some());
    assert!(browser.cookie("session_id").is_some());

    provider.fault("/token", &json!({}));
    until("the provider is asked again", || {
        browser.send(navigation("/app/a")).status() == 200
    });
    assert_eq!(provider.refreshes().len(), 1);
}

#[test]
fn a_refused_refresh_token_ends_the_session_with_a_reason() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream)
        .server("admin: { address: '127.0.0.1:0' }")
        .run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 5));
    let session = browser.clone();
    provider.end_logins();

    let answer = browser.send(navigation("/app/a"));

    assert_eq!(answer.status(), 302);
    assert_eq!(
        browser.cookie("session_id"),
        None,
        "the cookie goes with the session"
    );
    let line = gateway.logged("tokens-ended");
    assert!(line.contains("invalid_grant"), "{line}");
    let mut again = session;
    assert_eq!(again.get("/app/a").json()["reason"], "no-session");
    let metrics = gateway.admin().get("/metrics").text();
    let counted = r#"session_token_refreshes_total{provider="main",outcome="ended",reason="invalid_grant"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert_eq!(provider.refreshes().len(), 1);
}

#[test]
fn what_was_answered_and_never_arrived_is_asked_for_again() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    provider.fault("/token", &json!({ "cut": true, "times": 1 }));
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 9));

    assert_eq!(browser.get("/app/a").status(), 200, "the old token is good");

    assert!(browser.cookie("session_id").is_some());
}

#[test]
fn no_token_reaches_a_log() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream)
        .server("log: { level: trace }")
        .run();
    let tokens = tokens(&provider, 5);
    let mut browser = log_in(&gateway, &upstream, &tokens);
    assert_eq!(browser.get("/app/a").status(), 200);
    let bearer = Request::get("/app/a").header("Authorization", "Bearer s3cretbearer");
    browser.send(bearer);

    let log = gateway.log();

    for member in ["access_token", "refresh_token", "id_token"] {
        let token = tokens[member].as_str().unwrap();
        assert!(!log.contains(token), "{member}");
        assert!(!log.contains(token.rsplit('.').next().unwrap()), "{member}");
    }
    assert!(!log.contains("s3cretbearer") && !log.contains("gateway-secret"));
}
