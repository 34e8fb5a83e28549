//! `POST /refresh`: a new id and new tokens, when somebody asks.

use e2e::{Provider, Site, Upstream};
use serde_json::json;

use super::*;

#[test]
fn whoever_asks_gets_a_new_id_and_new_tokens() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = refreshing(&provider, &upstream).run();
    // Not due for an hour.
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 3600));
    let id = browser.cookie("session_id");
    let old = shown(&browser.get("/app/a"));

    let answer = browser.send(ask());

    assert_eq!(answer.status(), 200);
    assert!(answer.json()["expiresIn"].as_u64().unwrap() > 3600);
    assert_eq!(provider.refreshes().len(), 1);
    assert_ne!(browser.cookie("session_id"), id);
    let new = shown(&browser.get("/app/a"));
    assert!(new.starts_with("Bearer ") && new != old);
    // What the action stored is what the middleware goes on with.
    assert_eq!(provider.refreshes().len(), 1);
}

#[test]
fn while_the_provider_is_away_nothing_changes() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = refreshing(&provider, &upstream).run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 3600));
    let id = browser.cookie("session_id");
    provider.fault("/token", &json!({ "status": 503 }));

    let answer = browser.send(ask());

    assert_eq!(answer.status(), 503);
    assert_eq!(browser.cookie("session_id"), id);
    assert_eq!(browser.get("/app/a").status(), 200);
}

#[test]
fn login_that_the_provider_has_ended_is_over_here_too() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = refreshing(&provider, &upstream).run();
    let mut known = tokens(&provider, 3600);
    known["refresh_token"] = "of-nobody".into();
    let mut browser = log_in(&gateway, &upstream, &known);

    let answer = browser.send(ask());

    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json(), json!({ "error": "invalid_grant" }));
    assert_eq!(browser.get("/app/a").status(), 401);
}

fn refreshing(provider: &Provider, upstream: &Upstream) -> Site {
    usual(provider, upstream)
        .action("Refresh: { use: plugins.session.actions.RefreshAction }")
        .route("path: /refresh, middlewares: [Load], action: Refresh")
}

fn ask() -> Request {
    Request::post("/refresh", "application/json", "{}")
}
