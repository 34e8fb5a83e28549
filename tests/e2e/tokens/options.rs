//! The options of the token session that many people come from, each by its name.

use e2e::{Certificate, Provider, Request, Site, Upstream};
use serde_json::json;

use super::*;

#[test]
fn login_path_token_url_cert_url_client_id_and_client_secret_are_enough() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = inline(&provider, &upstream, "").run();
    let tokens = nameless(&provider, 5);
    let mut browser = log_in(&gateway, &upstream, &tokens);

    let answer = browser.get("/app/a");

    assert_eq!(answer.status(), 200);
    assert_ne!(
        shown(&answer),
        format!("Bearer {}", tokens["access_token"].as_str().unwrap())
    );
    assert_eq!(provider.refreshes().len(), 1);
    let stranger = gateway.browser().send(navigation("/app/a"));
    assert_eq!(
        stranger.header("location").unwrap(),
        "/enter/?redirect_path=%2Fapp%2Fa"
    );
}

#[test]
fn disable_refresh_lets_tokens_end() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let keys = "disableRefresh: true, refreshBefore: 1h,";
    let gateway = inline(&provider, &upstream, keys).run();
    let mut browser = log_in(&gateway, &upstream, &nameless(&provider, 60));

    assert_eq!(browser.get("/app/a").status(), 200);

    assert!(provider.refreshes().is_empty());
    let mut browser = log_in(&gateway, &upstream, &nameless(&provider, -1));
    let answer = browser.get("/app/a");
    assert_eq!(
        (answer.status(), answer.json()["reason"].clone()),
        (401, "expired".into())
    );
    assert!(provider.refreshes().is_empty());
}

#[test]
fn insecure_skip_verify_takes_any_certificate_and_says_so() {
    let of_somebody_else = Certificate::issue_for("somebody-else.test");
    let (provider, upstream) = (Provider::behind_tls(&of_somebody_else), Upstream::start());
    let gateway = inline(&provider, &upstream, "insecureSkipVerify: true,").run();
    let mut browser = log_in(&gateway, &upstream, &nameless(&provider, 5));

    assert_eq!(browser.get("/app/a").status(), 200);

    assert_eq!(provider.refreshes().len(), 1);
    gateway.logged("insecureSkipVerify: whoever is on the way");
}

#[test]
fn insecure_skip_verify_belongs_to_a_provider_in_place() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let elsewhere = require("token: { provider: main, insecureSkipVerify: true }");
    let refused = site(&provider, &upstream).middleware(&elsewhere).refused();

    refused.assert_refused("token.insecureSkipVerify: belongs to oauth2");
}

#[test]
fn information_is_told_where_the_login_is() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let info = "values: [sub, email], custom: { tenant: shop }, roles: true, scopes: true, \
                unauthenticatedStatus: 404";
    let gateway = usual(&provider, &upstream)
        .action(&format!(
            "Info: {{ use: plugins.session.actions.InfoAction, config: {{ {info} }} }}"
        ))
        .route(&format!("path: {INFO}, middlewares: [Load], action: Info"))
        .run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 5));
    // With the new tokens comes what the provider says of the user.
    assert_eq!(browser.get("/app/a").status(), 200);

    let mut told = browser.get(INFO).json();

    assert!(told["session"]["expiresIn"].as_u64() > Some(7000), "{told}");
    told.as_object_mut().unwrap().remove("session");
    let expected = json!({
        "sub": "anna",
        "email": "anna@example.test",
        "tenant": "shop",
        "roles": ["reader"],
        "scopes": ["openid", "email", "profile", "offline_access"],
    });
    assert_eq!(told, expected);
    assert_eq!(gateway.browser().get(INFO).status(), 404);
}

#[test]
fn token_header_and_disable_redirect_are_flags() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 60));

    assert!(shown(&browser.get("/app/a")).starts_with("Bearer "));
    assert_eq!(shown(&browser.get("/plain/a")), "");
    assert_eq!(gateway.browser().get("/silent/a").status(), 407);
    assert_eq!(
        gateway.browser().send(Request::get("/plain/a")).status(),
        401
    );
}

fn inline(provider: &Provider, upstream: &Upstream, keys: &str) -> Site {
    let issuer = provider.issuer();
    site(provider, upstream).middleware(&require(&format!(
        "loginPath: /enter/, token: {{ {keys} oauth2: {{ tokenUrl: '{issuer}/token', certUrl: '{issuer}/jwks', \
         clientId: gateway, clientSecret: gateway-secret }} }}"
    )))
}

/// Tokens as an upstream writes them who knows of no names.
fn nameless(provider: &Provider, seconds: i64) -> Value {
    let mut tokens = tokens(provider, seconds);
    tokens.as_object_mut().unwrap().remove("provider");
    tokens
}

const INFO: &str = "/login/api/v1/info/token";
