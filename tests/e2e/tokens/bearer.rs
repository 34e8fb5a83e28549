//! Tokens in `Authorization`.

use e2e::{Provider, Request, Upstream};

use super::*;

#[test]
fn a_token_does_in_place_of_a_session_and_its_claims_are_seen() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let tokens = provider.log_in("bob");
    let token = tokens["access_token"].as_str().unwrap();

    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = Request::get("/app/a").header("Authorization", &format!("{scheme} {token}"));
        let answer = gateway.browser().send(request);

        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json()["headers"]["x-user-id"], "bob");
        assert_eq!(shown(&answer), format!("Bearer {token}"));
    }
}

#[test]
fn a_token_beats_the_session_and_a_bad_one_is_not_made_good_by_it() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 60));
    let bob = provider.log_in("bob");
    let with = |value: &str| Request::get("/app/a").header("Authorization", value);

    let answer = browser.send(with(&format!(
        "Bearer {}",
        bob["access_token"].as_str().unwrap()
    )));
    assert_eq!(answer.json()["headers"]["x-user-id"], "bob");

    for (bad, reason) in [
        ("Bearer nonsense", "inactive"),
        ("Bearer", "malformed"),
        ("Bearer a b", "malformed"),
        // Another kind of token, signed with the same key.
        (
            &*format!("Bearer {}", bob["id_token"].as_str().unwrap()),
            "audience",
        ),
    ] {
        let answer = browser.send(with(bad));

        assert_eq!(answer.status(), 401, "{bad}");
        assert_eq!(answer.json()["reason"], reason, "{bad}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(
            challenge,
            "Bearer realm=\"gateway\", error=\"invalid_token\""
        );
    }
    assert_eq!(browser.get("/app/a").json()["headers"]["x-user-id"], "anna");
}

#[test]
fn a_header_that_a_mapping_sets_is_never_the_clients() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let mapping = "MapRole: { use: plugins.session.middlewares.MapSessionToHeaderMiddleware, \
                   config: { headers: { Authorization: role } } }";
    let gateway = usual(&provider, &upstream)
        .middleware(mapping)
        .route("path: /mapped/*, middlewares: [Load, Require, MapRole], action: Echo")
        .run();
    let mut browser = log_in(&gateway, &upstream, &tokens(&provider, 60));
    let bob = provider.log_in("bob");
    let bearer = format!("Bearer {}", bob["access_token"].as_str().unwrap());
    let with = |target: &str, value: &str| Request::get(target).header("Authorization", value);

    assert_eq!(bring(&gateway, &bob), 401, "a stranger, as without it");
    for target in ["/mapped/a", "/plain/a"] {
        for value in [&*bearer, "Bearer nonsense", "Basic YTpi"] {
            let answer = browser.send(with(target, value));

            assert_eq!(answer.status(), 200, "{target} {value}");
            assert_eq!(shown(&answer), "", "{target} {value}");
        }
    }
    let answer = browser.send(with("/plain/a", &bearer));
    assert_eq!(answer.json()["headers"]["x-user-id"], "anna");
}

#[test]
fn an_opaque_token_is_asked_about() {
    let provider = Provider::with(&serde_json::json!({ "opaque": true }));
    let upstream = Upstream::start();
    let gateway = usual(&provider, &upstream).run();
    let token = provider.log_in("bob")["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = || {
        let request = Request::get("/app/a").header("Authorization", &format!("Bearer {token}"));
        gateway.browser().send(request)
    };

    assert_eq!(ask().json()["headers"]["x-user-id"], "bob");
    assert_eq!(ask().status(), 200);

    assert_eq!(
        provider.calls("/token/introspection").len(),
        1,
        "an answer counts for a while"
    );
}

#[test]
fn keys_that_change_are_found_and_those_that_are_gone_are_gone() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let ask = |tokens: &Value| bring(&gateway, tokens);
    let old = provider.log_in("bob");
    assert_eq!(ask(&old), 200);

    provider.replace_keys();
    let new = provider.log_in("bob");

    assert_eq!(ask(&new), 200);
    assert_eq!(ask(&old), 401);
    assert_eq!(provider.calls("/jwks").len(), 2, "one refetch");
}

#[test]
fn a_gateway_starts_without_its_provider_and_says_that_it_is_away() {
    let upstream = Upstream::start();
    let known = "main: { issuer: 'http://127.0.0.1:1', clientId: gateway }";
    let gateway = Site::new(&upstream)
        .providers(known)
        .headers("X-User-Id: user_id")
        .middleware(&require("token: { provider: main }"))
        .route("path: /app/*, middlewares: [Load, Require, Map], action: Forward")
        .run();
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA";

    let request = navigation("/app/a").header("Authorization", &format!("Bearer {token}"));
    let answer = gateway.browser().send(request);

    assert_eq!(answer.status(), 503);
    assert!(answer.header("retry-after").is_some());
}
