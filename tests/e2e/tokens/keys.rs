//! Crowds with tokens whose key is not known yet, or to nobody.

use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Provider, Request, Upstream};
use serde_json::json;

use super::*;

#[test]
fn two_hundred_tokens_with_keys_that_nobody_knows_are_one_refetch() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let bob = provider.log_in("bob");
    let good = bob["access_token"].as_str().unwrap();
    let ask = |token: &str| {
        let request = Request::get("/app/a").header("Authorization", &format!("Bearer {token}"));
        gateway.browser().send(request)
    };
    assert_eq!(ask(good).status(), 200);
    let (_, rest) = good.split_once('.').unwrap();

    let reasons: Vec<Value> = thread::scope(|scope| {
        let asked: Vec<_> = (0..200)
            .map(|number| {
                let header = json!({ "alg": "RS256", "kid": format!("unknown-{number}") });
                let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
                let ask = &ask;
                scope.spawn(move || ask(&token).json()["reason"].clone())
            })
            .collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });

    assert!(
        reasons.iter().all(|reason| reason == "unknown-key"),
        "{reasons:?}"
    );
    assert_eq!(provider.calls("/jwks").len(), 2, "one refetch");
    assert_eq!(ask(good).status(), 200);
}

#[test]
fn two_hundred_who_come_with_a_new_key_at_once_all_pass() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let ask = |tokens: &Value| bring(&gateway, tokens);
    assert_eq!(ask(&provider.log_in("bob")), 200);
    provider.rotate_keys();
    let new = provider.log_in("bob");
    // So slow that everybody comes meanwhile.
    provider.fault("/jwks", &json!({ "hang": 500, "times": 1 }));

    let statuses: Vec<u16> = thread::scope(|scope| {
        let asked: Vec<_> = (0..200).map(|_| scope.spawn(|| ask(&new))).collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });

    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(provider.calls("/jwks").len(), 2, "one refetch");
}
