//! What the other tests rely on: the provider is as strict as real ones are.

use e2e::{Browser, Message, Provider, Request};
use serde_json::{Value, json};

#[test]
fn a_refresh_token_that_is_used_twice_ends_the_login() {
    let provider = Provider::start();
    let first = provider.log_in("anna");

    let second = refresh(&provider, &first);
    assert_eq!(second.status(), 200);
    let reused = refresh(&provider, &first);
    let after = refresh(&provider, &second.json());

    for refused in [reused, after] {
        assert_eq!(
            (refused.status(), &refused.json()["error"]),
            (400, &json!("invalid_grant"))
        );
    }
    assert_eq!(provider.refreshes().len(), 3);
}

#[test]
fn faults_happen_as_often_as_they_are_asked_for() {
    let provider = Provider::start();
    let tokens = provider.log_in("anna");
    provider.fault("/token", &json!({ "status": 503, "times": 2 }));

    let statuses = [(); 3].map(|()| refresh(&provider, &tokens).status());

    assert_eq!(statuses, [503, 503, 200]);
}

#[track_caller]
fn refresh(provider: &Provider, tokens: &Value) -> Message {
    let token = tokens["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    // gateway:gateway-secret
    let request = Request::post("/token", "application/x-www-form-urlencoded", &form)
        .header("Authorization", "Basic Z2F0ZXdheTpnYXRld2F5LXNlY3JldA==");
    Browser::new(provider.address()).send(request)
}
