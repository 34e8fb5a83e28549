//! Tokens that only their provider can read.

use std::time::Duration;

use super::*;

#[test]
fn an_opaque_token_is_good_when_the_provider_says_so() {
    let scene = Scene::new();
    scene.stage.answers(
        "/introspect",
        200,
        &json!({ "active": true, "sub": "anna", "client_id": "gateway" }),
    );

    let claims = scene.verify("opaque").unwrap();

    assert_eq!(claims.subject(), Some("anna"));
    let [call] = &*scene.stage.calls("/introspect") else {
        panic!()
    };
    assert_eq!(call.body, "token=opaque&token_type_hint=access_token");
    assert!(call.headers.contains_key("authorization"));
    assert!(scene.stage.calls("/keys").is_empty());
}

#[test]
fn what_the_provider_says_about_a_token_counts() {
    let scene = Scene::new();
    let now = scene.stage.now();
    for (number, (body, refusal)) in [
        (json!({ "active": false }), TokenError::Inactive),
        (json!({ "active": "true" }), TokenError::Inactive),
        (json!({}), TokenError::Inactive),
        (
            json!({ "active": true, "client_id": "another" }),
            TokenError::Audience,
        ),
        (
            json!({ "active": true, "aud": "another" }),
            TokenError::Audience,
        ),
        (
            json!({ "active": true, "iss": "http://evil.test" }),
            TokenError::Issuer,
        ),
        (
            json!({ "active": true, "exp": now - 31 }),
            TokenError::Expired,
        ),
        (
            json!({ "active": true, "typ": "Refresh" }),
            TokenError::Kind,
        ),
        (json!({ "active": true, "typ": "ID" }), TokenError::Kind),
        (
            json!({ "active": true, "token_use": "refresh_token" }),
            TokenError::Kind,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        scene.stage.answers("/introspect", 200, &body);

        assert_eq!(
            scene.refusal(&format!("opaque-{number}")),
            refusal,
            "{body}"
        );
    }
}

#[test]
fn an_answer_may_say_that_the_token_is_one_for_access() {
    let scene = Scene::new();
    for (token, kind) in [
        ("a", json!({ "typ": "Bearer" })),
        ("b", json!({ "token_use": "access_token" })),
        ("c", json!({ "token_type": "Bearer" })),
    ] {
        let mut answer = json!({ "active": true });
        merge(&mut answer, kind.clone());
        scene.stage.answers("/introspect", 200, &answer);

        assert!(scene.verify(token).is_ok(), "{kind}");
    }
}

#[test]
fn an_answer_counts_for_a_while_and_not_beyond_the_end_of_the_token() {
    let scene = Scene::new();
    let now = scene.stage.now();
    scene.stage.answers(
        "/introspect",
        200,
        &json!({ "active": true, "exp": now + 10 }),
    );
    for _ in 0..5 {
        scene.verify("short").unwrap();
    }
    assert_eq!(scene.stage.calls("/introspect").len(), 1);

    scene.stage.later(Duration::from_secs(10));
    scene
        .stage
        .answers("/introspect", 200, &json!({ "active": false }));
    assert_eq!(scene.refusal("short"), TokenError::Inactive);

    scene
        .stage
        .answers("/introspect", 200, &json!({ "active": true }));
    scene.verify("long").unwrap();
    scene.stage.later(Duration::from_secs(30));
    scene
        .stage
        .answers("/introspect", 200, &json!({ "active": false }));
    assert_eq!(scene.refusal("long"), TokenError::Inactive);
}

#[test]
fn an_outage_is_no_answer_about_a_token() {
    let scene = Scene::new();
    scene.stage.answers("/introspect", 503, &json!({}));

    let error = scene.verify("opaque").unwrap_err();

    assert!(matches!(error, VerifyError::Unavailable(_)), "{error:?}");
}

#[test]
fn an_opaque_token_is_refused_where_nobody_can_be_asked() {
    let scene = Scene::new();
    let provider = scene
        .stage
        .provider(json!({ "certUrl": scene.stage.url("/keys"), "clientId": "a" }));

    let error = scene
        .stage
        .wait(provider.verify_access("opaque"))
        .unwrap_err();

    assert_eq!(error.reason(), "opaque");
}
