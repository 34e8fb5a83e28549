//! The options of the token session that many people come from, each by its name.

use e2e::{Provider, Request, Site, Upstream};

use super::*;

#[test]
fn login_path_token_url_cert_url_client_id_and_client_secret_are_enough() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let mut tokens = tokens(&provider, 5);
    tokens.as_object_mut().unwrap().remove("provider");
    let gateway = inline(&provider, &upstream, "").run();
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
    let mut tokens = tokens(&provider, 5);
    tokens.as_object_mut().unwrap().remove("provider");
    let gateway = inline(&provider, &upstream, "disableRefresh: true,").run();
    let mut browser = log_in(&gateway, &upstream, &tokens);

    assert_eq!(browser.get("/app/a").status(), 200);

    assert!(provider.refreshes().is_empty());
    tokens["expires_at"] = (now() - 1).into();
    let mut browser = log_in(&gateway, &upstream, &tokens);
    let answer = browser.get("/app/a");
    assert_eq!(
        (answer.status(), answer.json()["reason"].clone()),
        (401, "expired".into())
    );
}

#[test]
fn insecure_skip_verify_is_for_all_calls_of_the_provider() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = inline(&provider, &upstream, "insecureSkipVerify: true,").run();
    gateway.logged("insecureSkipVerify: whoever is on the way");

    let elsewhere = require("token: { provider: main, insecureSkipVerify: true }");
    let refused = site(&provider, &upstream).middleware(&elsewhere).refused();

    refused.assert_refused("token.insecureSkipVerify: belongs to oauth2");
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
