//! Tokens that are good, and those that only look so.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::issuer::encode;
use super::*;

#[test]
fn a_token_of_every_allowed_algorithm_is_good() {
    let scene = Scene::new();
    for algorithm in Algorithm::ALL {
        let stage = &scene.stage;
        stage.answers(
            "/keys",
            200,
            &json!({ "keys": [scene.issuer.key_for(algorithm)] }),
        );
        let provider = stage.provider(json!({ "issuer": stage.url(""), "clientId": "gateway" }));
        let header = json!({ "alg": algorithm.name(), "kid": "one" });
        let token = scene
            .issuer
            .sign_as(algorithm, &header, &scene.changed(json!({})));

        let claims = stage.wait(provider.verify_access(&token));

        assert_eq!(claims.unwrap().subject(), Some("anna"), "{algorithm:?}");
    }
}

#[test]
fn a_token_without_a_signature_is_refused_however_it_is_spelt() {
    let scene = Scene::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = encode(json!({ "alg": none, "kid": "one" }).to_string());
        let claims = encode(scene.changed(json!({})).to_string());

        assert_eq!(
            scene.refusal(&format!("{header}.{claims}.")),
            TokenError::Algorithm,
            "{none}"
        );
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let scene = Scene::new();
    let key = scene.issuer.key_for(Algorithm::Rs256);
    scene.stage.answers("/keys", 200, &json!({ "keys": [key] }));
    let message = format!(
        "{}.{}",
        encode(json!({ "alg": "HS256", "kid": "one" }).to_string()),
        encode(scene.changed(json!({})).to_string())
    );
    for secret in [key["n"].as_str().unwrap().to_owned(), key.to_string()] {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(message.as_bytes());
        let token = format!("{message}.{}", encode(mac.finalize().into_bytes()));

        assert_eq!(scene.refusal(&token), TokenError::Algorithm);
    }
}

#[test]
fn a_key_of_another_kind_than_the_algorithm_is_refused() {
    let scene = Scene::new();
    // The published key of this name is for ES256.
    let header = json!({ "alg": "RS256", "kid": "one" });
    let token = scene
        .issuer
        .sign_as(Algorithm::Rs256, &header, &scene.changed(json!({})));

    assert_eq!(scene.refusal(&token), TokenError::KeyKind);
}

#[test]
fn a_key_that_is_for_one_algorithm_does_for_no_other() {
    let scene = Scene::new();
    let mut key = scene.issuer.key_for(Algorithm::Rs256);
    key["alg"] = "PS256".into();
    scene.stage.answers("/keys", 200, &json!({ "keys": [key] }));
    let header = json!({ "alg": "RS256", "kid": "one" });
    let token = scene
        .issuer
        .sign_as(Algorithm::Rs256, &header, &scene.changed(json!({})));

    assert_eq!(scene.refusal(&token), TokenError::KeyKind);
}

#[test]
fn an_algorithm_that_is_not_on_the_list_is_refused() {
    let scene = Scene::with(json!({ "algorithms": ["RS256", "PS256"] }));

    assert_eq!(
        scene.refusal(&scene.token(json!({}))),
        TokenError::Algorithm
    );
}

#[test]
fn each_claim_is_looked_at() {
    let scene = Scene::new();
    let now = scene.stage.now();
    for (changes, refusal) in [
        (json!({ "iss": "http://evil.test" }), TokenError::Issuer),
        (json!({ "iss": null }), TokenError::Issuer),
        (
            json!({ "iss": format!("{}/", scene.stage.url("")) }),
            TokenError::Issuer,
        ),
        (json!({ "aud": "another" }), TokenError::Audience),
        (json!({ "aud": ["another", "third"] }), TokenError::Audience),
        (json!({ "aud": null }), TokenError::Audience),
        (json!({ "aud": { "gateway": true } }), TokenError::Audience),
        (json!({ "exp": null }), TokenError::Missing("exp")),
        (json!({ "exp": "tomorrow" }), TokenError::Date("exp")),
        (json!({ "exp": -1 }), TokenError::Date("exp")),
        (json!({ "exp": now - 30 }), TokenError::Expired),
        (json!({ "nbf": now + 60 }), TokenError::NotYet),
        (json!({ "iat": now + 60 }), TokenError::NotYet),
        (json!({ "at_hash": "x" }), TokenError::Kind),
        (json!({ "typ": "ID" }), TokenError::Kind),
        (json!({ "typ": "Refresh" }), TokenError::Kind),
        (json!({ "events": {} }), TokenError::Kind),
        (json!({ "nonce": "n" }), TokenError::Kind),
        (json!({ "token_use": "id" }), TokenError::Kind),
    ] {
        assert_eq!(
            scene.refusal(&scene.token(changes.clone())),
            refusal,
            "{changes}"
        );
    }
}

#[test]
fn what_is_within_the_leeway_is_good() {
    let scene = Scene::new();
    let now = scene.stage.now();
    for changes in [
        json!({ "exp": now - 29 }),
        json!({ "nbf": now + 30 }),
        json!({ "iat": now + 30 }),
        json!({ "exp": now as f64 + 10.5 }),
    ] {
        assert!(
            scene.verify(&scene.token(changes.clone())).is_ok(),
            "{changes}"
        );
    }
}

#[test]
fn a_token_that_tells_of_access_may_have_the_nonce_of_its_login() {
    let scene = Scene::new();
    for changes in [
        json!({ "nonce": "n", "typ": "Bearer" }),
        json!({ "nonce": "n", "token_use": "access" }),
        json!({ "nonce": "n", "azp": "gateway" }),
        json!({ "nonce": "n", "scp": ["openid"] }),
    ] {
        assert!(
            scene.verify(&scene.token(changes.clone())).is_ok(),
            "{changes}"
        );
    }
    let header = json!({ "alg": "ES256", "kid": "one", "typ": "at+jwt" });
    let claims = scene.changed(json!({ "nonce": "n" }));
    let token = scene.issuer.sign_as(Algorithm::Es256, &header, &claims);
    assert!(scene.verify(&token).is_ok());
}

#[test]
fn a_token_that_was_given_to_this_client_is_for_it() {
    let scene = Scene::new();
    for changes in [
        json!({ "aud": "account", "azp": "gateway" }),
        json!({ "aud": "api", "client_id": "gateway" }),
        json!({ "aud": ["api", "gateway"] }),
    ] {
        assert!(
            scene.verify(&scene.token(changes.clone())).is_ok(),
            "{changes}"
        );
    }
}

#[test]
fn a_named_audience_is_the_only_one() {
    let scene = Scene::with(json!({ "audience": ["api", "other"] }));

    assert!(
        scene
            .verify(&scene.token(json!({ "aud": ["x", "api"] })))
            .is_ok()
    );
    assert_eq!(
        scene.refusal(&scene.token(json!({ "azp": "gateway" }))),
        TokenError::Audience
    );
}

#[test]
fn what_must_be_understood_and_is_not_is_refused() {
    let scene = Scene::new();
    for header in [
        json!({ "alg": "ES256", "kid": "one", "crit": ["exp"] }),
        json!({ "alg": "ES256", "kid": "one", "b64": false }),
    ] {
        let token = scene
            .issuer
            .sign_as(Algorithm::Es256, &header, &scene.changed(json!({})));

        assert_eq!(scene.refusal(&token), TokenError::Critical);
    }
    let header = json!({ "alg": "ES256", "kid": "one", "typ": "logout+jwt" });
    let token = scene
        .issuer
        .sign_as(Algorithm::Es256, &header, &scene.changed(json!({})));
    assert_eq!(scene.refusal(&token), TokenError::Kind);
}

#[test]
fn a_key_in_the_token_is_nobodys() {
    let scene = Scene::new();
    let mallory = Issuer::new("one");
    let header = json!({ "alg": "ES256", "kid": "one", "jwk": mallory.key(), "jku": scene.stage.url("/evil") });
    let token = mallory.sign_as(Algorithm::Es256, &header, &scene.changed(json!({})));

    assert_eq!(scene.refusal(&token), TokenError::Signature);
    assert!(scene.stage.calls("/evil").is_empty());
}

#[test]
fn a_changed_token_is_refused() {
    let scene = Scene::new();
    let token = scene.token(json!({}));
    let [header, _, signature] = *token.split('.').collect::<Vec<_>>() else {
        panic!("{token}");
    };
    let claims = encode(scene.changed(json!({ "sub": "root" })).to_string());

    assert_eq!(
        scene.refusal(&format!("{header}.{claims}.{signature}")),
        TokenError::Signature
    );
    for wrong in ["", "AA", "===", &signature[1..]] {
        let error = scene.verify(&token.replace(signature, wrong)).unwrap_err();
        assert!(
            matches!(
                error,
                VerifyError::Refused(TokenError::Signature | TokenError::Malformed)
            ),
            "{error:?}"
        );
    }
}

#[test]
fn a_token_without_a_key_id_is_checked_with_each_key_that_fits() {
    let scene = Scene::new();
    let other = Issuer::new("two");
    scene.stage.shows_keys(&[&other, &scene.issuer]);
    let token = scene.issuer.sign_as(
        Algorithm::Es256,
        &json!({ "alg": "ES256" }),
        &scene.changed(json!({})),
    );

    assert!(scene.verify(&token).is_ok());
}

#[test]
fn keys_that_are_not_for_signatures_are_passed_over() {
    let scene = Scene::new();
    for unfit in [
        json!({ "use": "enc" }),
        json!({ "key_ops": ["sign"] }),
        json!({ "crv": "P-521" }),
        json!({ "kty": "oct", "k": "AA" }),
        json!({ "x": "AA" }),
    ] {
        let mut key = scene.issuer.key();
        merge(&mut key, unfit.clone());
        let good = Issuer::new("good").key();

        let keys = KeySet::parse(json!({ "keys": [key, good] }).to_string().as_bytes()).unwrap();

        assert_eq!(keys.len(), 1, "{unfit}");
    }
    assert_eq!(KeySet::parse(b"{\"keys\":[]}"), Err(KeySetError::Useless));
    assert_eq!(KeySet::parse(b"[]"), Err(KeySetError::Malformed));
}

#[test]
fn an_id_token_says_who_logged_in_and_is_for_nothing_else() {
    let scene = Scene::new();
    let verify = |changes: Value, nonce| {
        let token = scene.token(changes);
        scene
            .stage
            .wait(scene.provider.verify_id(&token, nonce))
            .map_err(|error| error.reason())
    };

    assert!(verify(json!({ "nonce": "n", "at_hash": "x" }), Some("n")).is_ok());
    assert_eq!(verify(json!({ "nonce": "m" }), Some("n")), Err("nonce"));
    assert_eq!(verify(json!({}), Some("n")), Err("nonce"));
    assert_eq!(verify(json!({ "sub": null }), None), Err("missing-claim"));
    assert_eq!(
        verify(json!({ "aud": ["gateway", "x"] }), None),
        Err("audience")
    );
    assert!(verify(json!({ "aud": ["gateway", "x"], "azp": "gateway" }), None).is_ok());
    assert_eq!(verify(json!({ "azp": "another" }), None), Err("audience"));
    assert_eq!(verify(json!({ "events": {} }), None), Err("kind"));
}

#[test]
fn a_logout_token_has_all_that_it_must_have() {
    let scene = Scene::new();
    let verify = |changes: Value| {
        let mut all = json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": {} }, "jti": "1" });
        merge(&mut all, changes);
        scene
            .stage
            .wait(scene.provider.verify_logout(&scene.token(all)))
            .map_err(|error| error.reason())
    };

    assert!(verify(json!({})).is_ok());
    assert!(verify(json!({ "sub": null, "sid": "1" })).is_ok());
    assert_eq!(verify(json!({ "events": null })), Err("kind"));
    assert_eq!(verify(json!({ "events": { "other": {} } })), Err("kind"));
    assert_eq!(verify(json!({ "nonce": "n" })), Err("kind"));
    assert_eq!(verify(json!({ "jti": null })), Err("missing-claim"));
    assert_eq!(verify(json!({ "iat": null })), Err("missing-claim"));
    assert_eq!(verify(json!({ "sub": null })), Err("missing-claim"));
    assert_eq!(verify(json!({ "aud": "another" })), Err("audience"));
    assert_eq!(verify(json!({ "exp": 1 })), Err("expired"));
}
