//! What a session keeps of tokens, and what it learns from them.

use super::grants::set;
use super::*;

#[test]
fn an_attribute_holds_the_members_that_are_promised() {
    let value = json!({
        "provider": "main", "access_token": "a", "refresh_token": "r", "id_token": "i", "token_type": "Bearer",
        "scope": "openid", "expires_at": 5, "sid": "s",
    });

    assert_eq!(set(value.clone()).to_value(), value);
    let least = set(json!({ "access_token": "a" }));
    assert_eq!(
        least.to_value(),
        json!({ "provider": "", "access_token": "a", "token_type": "Bearer" })
    );
}

#[test]
fn what_is_no_set_of_tokens_is_none() {
    for value in [
        json!(null),
        json!("a"),
        json!({}),
        json!({ "access_token": "" }),
        json!({ "access_token": "a", "expires_at": "x" }),
    ] {
        assert_eq!(TokenSet::from_value(value.clone()), None, "{value}");
    }
}

#[test]
fn nothing_of_a_token_is_shown() {
    let shown = format!(
        "{:?}",
        set(json!({ "access_token": "s3cret", "refresh_token": "s3cret", "id_token": "s3cret" }))
    );

    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn the_end_is_the_tokens_own_where_the_answer_names_none() {
    let scene = Scene::new();
    let token = scene.token(json!({ "exp": 5000 }));
    let response = |body: Value| TokenResponse::parse(body.to_string().as_bytes()).unwrap();

    assert_eq!(
        TokenSet::new("", response(json!({ "access_token": token })), 0).expires_at,
        Some(5000)
    );
    assert_eq!(
        TokenSet::new("", response(json!({ "access_token": "opaque" })), 0).expires_at,
        None
    );
}

#[test]
fn a_token_ends_by_its_own_word_where_the_answer_promises_more() {
    let scene = Scene::new();
    let end = |exp: u64| {
        let token = scene.token(json!({ "exp": exp }));
        let body = json!({ "access_token": token, "expires_in": 60 }).to_string();
        let response = TokenResponse::parse(body.as_bytes()).unwrap();
        TokenSet::new("", response, 1000).expires_at
    };

    assert_eq!(end(1030), Some(1030));
    assert_eq!(end(1090), Some(1060));
}

#[test]
fn tokens_live_as_long_as_those_before_where_the_provider_says_no_more() {
    let response = |body: Value| TokenResponse::parse(body.to_string().as_bytes()).unwrap();
    let login = response(json!({ "access_token": "a", "expires_in": 60 }));
    let silent = || response(json!({ "access_token": "a2" }));

    let renewed = TokenSet::new("", login, 1000).refreshed(silent(), 1050);
    let endless = TokenSet::new("", silent(), 1000).refreshed(silent(), 1050);

    assert_eq!(renewed.expires_at, Some(1110));
    assert_eq!(endless.expires_at, None);
}

#[test]
fn claims_become_attributes_and_the_subject_names_the_user() {
    let scene = Scene::with(
        json!({ "claims": { "email": "mail", "realm_access.roles": "roles", "missing": "nothing" } }),
    );
    let claims =
        Claims::parse(br#"{"sub":"u1","email":"a@b.test","realm_access":{"roles":["x"]}}"#)
            .unwrap();

    let attributes = scene.provider.attributes(&claims, "user_id");

    assert_eq!(
        Value::Object(attributes),
        json!({ "mail": "a@b.test", "roles": ["x"], "user_id": "u1" })
    );
}

#[test]
fn a_claim_that_is_mapped_names_the_user_in_place_of_the_subject() {
    let scene = Scene::with(json!({ "claims": { "email": "user_id" } }));
    let claims = |json: &[u8]| Claims::parse(json).unwrap();

    let named = scene
        .provider
        .attributes(&claims(br#"{"sub":"u1","email":"a@b.test"}"#), "user_id");
    let unnamed = scene
        .provider
        .attributes(&claims(br#"{"sub":"u1"}"#), "user_id");

    assert_eq!(
        (named["user_id"].as_str(), unnamed.len()),
        (Some("a@b.test"), 0)
    );
}

#[test]
fn providers_are_found_by_name_and_by_issuer() {
    let stage = Stage::new();
    let config = json!({
        "one": { "issuer": "http://127.0.0.1:1", "clientId": "a" },
        "two": { "issuer": "http://127.0.0.1:2", "clientId": "a" },
    });
    let providers = stage.providers(config).unwrap();
    let token = Issuer::new("k").sign(&json!({ "iss": "http://127.0.0.1:2" }));

    assert_eq!(providers.issuer_of(&token).unwrap().name(), "two");
    assert!(providers.issuer_of("opaque").is_none());
    assert_eq!(
        providers
            .named("token.provider", "three")
            .unwrap_err()
            .to_string(),
        "token.provider: no provider is called `three`; there are: one, two"
    );
    let faults = stage
        .providers(json!({ "one": { "clientId": "a" } }))
        .unwrap_err();
    assert!(
        faults
            .to_string()
            .starts_with("providers.one.issuer: is missing"),
        "{faults}"
    );
}
