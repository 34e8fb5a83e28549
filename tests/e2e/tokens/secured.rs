//! A provider behind TLS, and whom it is taken for.

use e2e::{Certificate, Provider, Site, Upstream};

use super::*;

#[test]
fn whoever_the_authority_vouches_for_is_the_provider() {
    let certificate = Certificate::issue_for("127.0.0.1");
    let (provider, upstream) = (Provider::behind_tls(&certificate), Upstream::start());
    let gateway = trusting(&provider, &upstream, &certificate).run();
    let old = tokens(&provider, 5);
    let mut browser = log_in(&gateway, &upstream, &old);

    let answer = browser.get("/app/a");

    assert_eq!(answer.status(), 200);
    let old = format!("Bearer {}", old["access_token"].as_str().unwrap());
    assert_ne!(shown(&answer), old);
    assert_eq!(provider.refreshes().len(), 1);
    let bob = provider.log_in("bob");
    let bearer = format!("Bearer {}", bob["access_token"].as_str().unwrap());
    let request = Request::get("/app/a").header("Authorization", &bearer);
    let answer = gateway.browser().send(request);
    assert_eq!(answer.json()["headers"]["x-user-id"], "bob");
}

#[test]
fn an_authority_that_vouches_for_somebody_else_is_said_and_logs_nobody_out() {
    let certificate = Certificate::issue_for("127.0.0.1");
    let (provider, upstream) = (Provider::behind_tls(&certificate), Upstream::start());
    let other = Certificate::issue_for("127.0.0.1");
    let gateway = trusting(&provider, &upstream, &other).run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 60));
    let cookie = browser.cookie("session_id");

    let answer = browser.send(navigation("/app/a"));

    // Without keys nobody can tell whether the token is good; a login would not help.
    assert_eq!(answer.status(), 503);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(browser.cookie("session_id"), cookie);
    let line = gateway.logged("provider-failed");
    assert!(line.contains("invalid peer certificate"), "{line}");
    assert!(provider.calls("/token").is_empty());

    gateway.reload(&trusting(&provider, &upstream, &certificate));
    assert_eq!(browser.send(navigation("/app/a")).status(), 200);
    assert_eq!(browser.cookie("session_id"), cookie);
}

#[test]
fn a_certificate_for_another_name_is_not_the_providers() {
    let certificate = Certificate::issue_for("localhost");
    let (provider, upstream) = (Provider::behind_tls(&certificate), Upstream::start());
    let gateway = trusting(&provider, &upstream, &certificate).run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 60));

    assert_eq!(browser.get("/app/a").status(), 503);

    let line = gateway.logged("provider-failed");
    assert!(line.contains("not valid for name"), "{line}");
    assert!(browser.cookie("session_id").is_some());
}

fn trusting(provider: &Provider, upstream: &Upstream, certificate: &Certificate) -> Site {
    let keys = format!("caFile: '{}'", certificate.file().display());
    site_with(provider, upstream, &keys).middleware(&require("token: { provider: main }"))
}
