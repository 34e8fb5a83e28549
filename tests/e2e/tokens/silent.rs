//! A provider that takes calls and says nothing, or only half of it.

use e2e::{Gateway, Provider, Upstream};
use serde_json::json;

use super::*;

#[test]
fn nobody_waits_for_a_silent_provider_while_the_token_is_good() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    // The call itself would not end while anybody looks.
    let gateway = calling(&provider, &upstream, "1h");
    provider.fault("/token", &forever());
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 9));

    for _ in 0..3 {
        assert_eq!(browser.send(navigation("/app/a")).status(), 200);
    }

    assert_eq!(provider.calls("/token").len(), 1);
    assert!(browser.cookie("session_id").is_some());
}

#[test]
fn without_a_good_token_two_hundred_wait_for_one_silent_call_and_keep_their_session() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = calling(&provider, &upstream, "3s");
    provider.fault("/token", &forever());
    let browser = log_in(&gateway, &upstream, &tokens(&provider, -1));

    let answers = at_once(&browser, 200);

    for answer in &answers {
        assert_eq!(answer.status(), 503);
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("set-cookie"), None);
    }
    // More than one where somebody came so late that the first had failed and its pause was over.
    let calls = provider.calls("/token").len();
    assert!((1..=4).contains(&calls), "{calls} calls");
    let line = gateway.logged("tokens-kept");
    assert!(line.contains("timeout"), "{line}");
}

#[test]
fn a_silent_provider_that_speaks_again_is_found_and_the_session_with_it() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = calling(&provider, &upstream, "500ms");
    provider.fault("/token", &forever());
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, -1));
    let cookie = browser.cookie("session_id");
    assert_eq!(browser.get("/app/a").status(), 503);

    provider.fault("/token", &json!({}));
    let began = std::time::Instant::now();
    while browser.get("/app/a").status() != 200 {
        assert!(began.elapsed() < e2e::PATIENCE, "nobody asked again");
        thread::yield_now();
    }

    assert_eq!(browser.cookie("session_id"), cookie);
    assert_eq!(provider.refreshes().len(), 1);
}

#[test]
fn half_an_answer_costs_the_session_nothing_before_its_token_ends() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = calling(&provider, &upstream, "3s");
    // It has taken the refresh token, which works once, and what came of that is lost.
    provider.fault("/token", &json!({ "tear": true, "times": 1 }));
    let known = tokens(&provider, 8);
    let end = known["expires_at"].as_i64().unwrap();
    let mut browser = log_in(&gateway, &upstream, &known);

    let last = loop {
        let asked_at = now();
        let answer = browser.send(navigation("/app/a"));
        if answer.status() != 200 {
            assert!(now() >= end, "{} at {asked_at}, {end}", answer.status());
            break answer;
        }
    };

    assert_eq!(last.status(), 302);
    assert_eq!(browser.cookie("session_id"), None);
    let line = gateway.logged("tokens-ended");
    assert!(line.contains("invalid_grant"), "{line}");
    // The one that was torn, the one that was refused, and the last at the end.
    assert_eq!(provider.calls("/token").len(), 3);
}

fn calling(provider: &Provider, upstream: &Upstream, timeout: &str) -> Gateway {
    let keys = format!("timeout: {timeout}, connectTimeout: 500ms");
    let site = site_with(provider, upstream, &keys);
    let gateway = site.middleware(&require("token: { provider: main }")).run();
    // What it says of itself is known, and its keys.
    let bob = provider.log_in("bob");
    let bearer = format!("Bearer {}", bob["access_token"].as_str().unwrap());
    let request = Request::get("/app/a").header("Authorization", &bearer);
    assert_eq!(gateway.browser().send(request).status(), 200);
    gateway
}

/// An hour: nobody waits so long.
fn forever() -> Value {
    json!({ "hang": 3_600_000 })
}
