//! What is sent to a provider, and what comes of its answers.

use super::*;

#[test]
fn a_code_is_exchanged_with_the_secret_in_the_header() {
    let scene = Scene::new();
    scene.stage.answers(
        "/token",
        200,
        &json!({ "access_token": "a", "expires_in": "60" }),
    );
    let code = Code {
        code: "c+1",
        redirect_uri: "https://a.test/login/callback?x=1",
        verifier: "v",
    };

    let response = scene
        .stage
        .wait(scene.provider.exchange_code(code))
        .unwrap();

    let [call] = &*scene.stage.calls("/token") else {
        panic!()
    };
    assert_eq!(
        call.body,
        "grant_type=authorization_code&code=c%2B1&redirect_uri=https%3A%2F%2Fa.test%2Flogin%2Fcallback%3Fx%3D1&code_verifier=v"
    );
    // gateway:s%3Acret
    assert_eq!(
        call.headers["authorization"],
        "Basic Z2F0ZXdheTpzJTNBY3JldA=="
    );
    let set = TokenSet::new("main", response, 1000);
    assert_eq!((set.expires_at, &*set.token_type), (Some(1060), "Bearer"));
}

#[test]
fn other_clients_show_themselves_in_the_form() {
    for (extra, body) in [
        (
            json!({ "clientAuth": "client_secret_post" }),
            "&client_id=gateway&client_secret=s%3Acret",
        ),
        (json!({ "clientSecret": "" }), "&client_id=gateway"),
    ] {
        let scene = Scene::with(extra);
        scene
            .stage
            .answers("/token", 200, &json!({ "access_token": "a" }));

        scene
            .stage
            .wait(scene.provider.password_grant("anna", "p&w"))
            .unwrap();

        let [call] = &*scene.stage.calls("/token") else {
            panic!()
        };
        assert_eq!(
            call.body,
            format!("grant_type=password&username=anna&password=p%26w&scope=openid{body}")
        );
        assert!(!call.headers.contains_key("authorization"));
    }
}

#[test]
fn only_a_refused_grant_is_about_the_user() {
    let scene = Scene::new();
    for (code, expected) in [
        ("invalid_grant", GrantError::Refused),
        ("interaction_required", GrantError::Refused),
        ("login_required", GrantError::Refused),
        ("consent_required", GrantError::Refused),
        ("account_selection_required", GrantError::Refused),
        (
            "invalid_client",
            GrantError::Misconfigured("invalid_client"),
        ),
        (
            "unauthorized_client",
            GrantError::Misconfigured("unauthorized_client"),
        ),
    ] {
        scene.stage.answers(
            "/token",
            400,
            &json!({ "error": code, "error_description": "because" }),
        );

        let error = scene
            .stage
            .wait(scene.provider.password_grant("anna", "secret"))
            .unwrap_err();

        assert_eq!(error, expected);
    }
}

#[test]
fn a_scope_is_words_also_where_they_come_as_a_list() {
    for (scope, expected) in [
        (json!("openid email"), Some("openid email")),
        (json!(["openid", "email"]), Some("openid email")),
        (json!([]), None),
        (json!(""), None),
        (json!(null), None),
        (json!(1), None),
    ] {
        let body = json!({ "access_token": "a", "scope": scope }).to_string();

        let response = TokenResponse::parse(body.as_bytes()).unwrap();

        let set = TokenSet::new("main", response, 0);
        assert_eq!(set.scope.as_deref(), expected, "{scope}");
    }
}

#[test]
fn a_refusal_is_one_though_its_status_says_yes() {
    let scene = Scene::new();
    for (body, reason) in [
        (json!({ "error": "invalid_grant" }), "invalid_grant"),
        (json!({ "error": "invalid_client" }), "invalid_client"),
        (json!({ "error": "bad_refresh_token" }), "unexpected-answer"),
        (json!({ "ok": true }), "malformed"),
    ] {
        scene.stage.answers("/token", 200, &body);
        let asked = scene.provider.password_grant("anna", "secret");

        let error = scene.stage.wait(asked).unwrap_err();

        assert_eq!(error.reason(), reason, "{body}");
    }
}

#[test]
fn a_refresh_keeps_what_the_answer_lacks() {
    let scene = Scene::new();
    scene.stage.answers(
        "/token",
        200,
        &json!({ "access_token": "a2", "expires_in": 60 }),
    );
    let id_token = scene.token(json!({ "sid": "s1" }));
    let before = set(
        json!({ "access_token": "a1", "refresh_token": "r1", "id_token": id_token, "scope": "x", "sid": "s1" }),
    );

    let after = scene
        .stage
        .wait(scene.provider.refresh(before.clone()))
        .unwrap();

    let now = scene.stage.now();
    assert_eq!(
        after,
        TokenSet {
            access_token: "a2".into(),
            expires_at: Some(now + 60),
            obtained_at: Some(now),
            ..before
        }
    );
    let [call] = &*scene.stage.calls("/token") else {
        panic!()
    };
    assert_eq!(call.body, "grant_type=refresh_token&refresh_token=r1");
}

#[test]
fn a_refresh_takes_over_what_is_new() {
    let scene = Scene::new();
    let id_token = scene.token(json!({ "sid": "s2" }));
    scene.stage.answers("/token", 200, &json!({ "access_token": "a2", "refresh_token": "r2", "id_token": id_token, "expires_in": 60 }));
    let before = set(json!({ "access_token": "a1", "refresh_token": "r1" }));

    let after = scene.stage.wait(scene.provider.refresh(before)).unwrap();

    assert_eq!(
        (after.refresh_token.as_deref(), after.sid.as_deref()),
        (Some("r2"), Some("s2"))
    );
}

#[test]
fn a_refresh_about_somebody_else_is_refused() {
    let scene = Scene::new();
    let before = set(
        json!({ "access_token": "a", "refresh_token": "r", "id_token": scene.token(json!({})) }),
    );
    for (changes, reason) in [
        (json!({ "sub": "bob" }), "subject"),
        (json!({ "iss": "http://evil.test" }), "issuer"),
        (json!({ "aud": "another" }), "audience"),
    ] {
        scene.stage.answers(
            "/token",
            200,
            &json!({ "access_token": "a2", "id_token": scene.token(changes) }),
        );

        let error = scene
            .stage
            .wait(scene.provider.refresh(before.clone()))
            .unwrap_err();

        assert_eq!(error.reason(), reason);
    }
}

#[test]
fn answers_that_are_of_no_use_are_refused() {
    let scene = Scene::new();
    for body in [
        json!({}),
        json!([]),
        json!({ "access_token": "" }),
        json!({ "access_token": "a\nb" }),
        json!({ "access_token": 7 }),
        json!({ "access_token": "a", "token_type": "DPoP" }),
    ] {
        scene.stage.answers("/token", 200, &body);

        let error = scene
            .stage
            .wait(scene.provider.password_grant("anna", "secret"))
            .unwrap_err();

        assert!(matches!(error, GrantError::Answer(_)), "{body}: {error:?}");
    }
}

#[test]
fn the_refresh_token_is_given_back_or_else_the_access_token() {
    let scene = Scene::new();
    scene.stage.answers("/revoke", 200, &json!({}));
    let revoke = |tokens| {
        scene
            .stage
            .wait(scene.provider.revoke(&set(tokens)))
            .unwrap()
    };

    revoke(json!({ "access_token": "a", "refresh_token": "r" }));
    revoke(json!({ "access_token": "a" }));

    let bodies: Vec<String> = scene
        .stage
        .calls("/revoke")
        .into_iter()
        .map(|call| call.body)
        .collect();
    assert_eq!(
        bodies,
        [
            "token=r&token_type_hint=refresh_token",
            "token=a&token_type_hint=access_token"
        ]
    );
    scene.stage.answers("/revoke", 503, &json!({}));
    let tokens = set(json!({ "access_token": "a" }));
    assert_eq!(
        scene
            .stage
            .wait(scene.provider.revoke(&tokens))
            .unwrap_err()
            .reason(),
        "server-error"
    );
}

#[test]
fn userinfo_is_an_object_about_the_same_subject() {
    let scene = Scene::new();
    let ask = |body: Value| {
        scene.stage.answers("/me", 200, &body);
        scene
            .stage
            .wait(scene.provider.userinfo("a", "anna"))
            .map_err(|error| error.reason())
    };

    let claims = ask(json!({ "sub": "anna", "email": "a@b.test" }))
        .unwrap()
        .unwrap();
    assert_eq!(claims.text("email"), Some("a@b.test"));
    assert_eq!(ask(json!({ "sub": "bob" })), Err("subject"));
    assert_eq!(ask(json!({})), Err("subject"));
    assert_eq!(ask(json!(["sub", "anna"])), Err("malformed"));
    assert_eq!(
        scene.stage.calls("/me")[0].headers["authorization"],
        "Bearer a"
    );
}

pub(super) fn set(value: Value) -> TokenSet {
    TokenSet::from_value(value).unwrap()
}
