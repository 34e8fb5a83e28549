//! What is remembered of a provider, and when it is asked again.

use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;

#[test]
fn nobody_is_called_before_a_token_comes() {
    let scene = Scene::new();

    assert!(scene.stage.calls(DISCOVERY).is_empty());
    scene.verify(&scene.token(json!({}))).unwrap();
    scene.verify(&scene.token(json!({ "sub": "bob" }))).unwrap();

    assert_eq!(
        [DISCOVERY, "/keys"].map(|path| scene.stage.calls(path).len()),
        [1, 1]
    );
}

#[test]
fn an_issuer_that_calls_itself_by_another_name_is_not_believed() {
    let scene = Scene::new();
    let mut metadata = scene.stage.metadata();
    metadata["issuer"] = format!("{}/", scene.stage.url("")).into();
    scene.stage.publishes(&metadata);

    let error = scene.verify(&scene.token(json!({}))).unwrap_err();

    assert_eq!(error.reason(), "issuer");
    let found = format!("calls itself `{}/`", scene.stage.url(""));
    assert!(error.to_string().contains(&found), "{error}");
    assert!(scene.stage.calls("/keys").is_empty());
}

#[test]
fn an_unknown_key_is_looked_for_once_and_then_not_for_a_minute() {
    let scene = Scene::new();
    scene.verify(&scene.token(json!({}))).unwrap();
    for number in 0..100 {
        let header = json!({ "alg": "ES256", "kid": format!("unknown-{number}") });
        let token = scene
            .issuer
            .sign_as(Algorithm::Es256, &header, &scene.changed(json!({})));

        assert_eq!(scene.refusal(&token), TokenError::UnknownKey);
    }
    assert_eq!(scene.stage.calls("/keys").len(), 2, "one refetch");

    scene.stage.later(Duration::from_secs(61));
    let header = json!({ "alg": "ES256", "kid": "unknown" });
    let token = scene
        .issuer
        .sign_as(Algorithm::Es256, &header, &scene.changed(json!({})));
    assert_eq!(scene.refusal(&token), TokenError::UnknownKey);
    assert_eq!(scene.stage.calls("/keys").len(), 3);
}

#[test]
fn a_new_key_is_found_with_the_first_token_that_it_signed() {
    let scene = Scene::new();
    scene.verify(&scene.token(json!({}))).unwrap();
    let next = Issuer::new("two");
    scene.stage.shows_keys(&[&next]);

    assert!(scene.verify(&next.sign(&scene.changed(json!({})))).is_ok());
    assert_eq!(
        scene.refusal(&scene.token(json!({}))),
        TokenError::UnknownKey,
        "a key that is gone is gone"
    );
}

#[test]
fn whoever_comes_while_a_new_key_is_looked_for_waits_for_it() {
    let scene = Scene::new();
    scene.verify(&scene.token(json!({}))).unwrap();
    let next = Issuer::new("two");
    scene.stage.shows_keys(&[&scene.issuer, &next]);
    let token = next.sign(&scene.changed(json!({})));
    let asked = (0..200).map(|_| scene.provider.verify_access(&token));

    let answered = scene.stage.wait(futures_util::future::join_all(asked));

    let good = answered.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(good, 200);
    assert_eq!(scene.stage.calls("/keys").len(), 2, "one refetch");
}

#[test]
fn a_new_key_is_looked_for_though_whoever_named_it_first_has_gone() {
    let scene = Scene::new();
    scene.verify(&scene.token(json!({}))).unwrap();
    let next = Issuer::new("two");
    scene.stage.shows_keys(&[&next]);
    let token = next.sign(&scene.changed(json!({})));

    drop(scene.provider.verify_access(&token).now_or_never());

    assert!(scene.verify(&token).is_ok());
    assert_eq!(scene.stage.calls("/keys").len(), 2, "one refetch");
}

#[test]
fn a_new_key_without_a_name_is_found_with_the_first_token_that_it_signed() {
    let scene = Scene::new();
    let next = Issuer::new("two");
    let signed = |issuer: &Issuer| {
        let header = json!({ "alg": "ES256" });
        issuer.sign_as(Algorithm::Es256, &header, &scene.changed(json!({})))
    };
    scene.verify(&signed(&scene.issuer)).unwrap();
    scene.stage.shows_keys(&[&next]);

    assert!(scene.verify(&signed(&next)).is_ok());
    for _ in 0..20 {
        let forged = signed(&Issuer::new("three"));
        assert_eq!(scene.refusal(&forged), TokenError::Signature);
    }
    assert_eq!(scene.stage.calls("/keys").len(), 2, "one refetch");
}

#[test]
fn a_key_that_cannot_be_looked_for_is_an_outage_and_no_bad_token() {
    let scene = Scene::new();
    scene.verify(&scene.token(json!({}))).unwrap();
    scene.stage.answers("/keys", 503, &json!({}));
    let token = Issuer::new("two").sign(&scene.changed(json!({})));

    for _ in 0..20 {
        let error = scene.verify(&token).unwrap_err();

        assert_eq!(error.reason(), "server-error");
    }
    assert_eq!(scene.stage.calls("/keys").len(), 2, "one refetch");
}

#[test]
fn keys_that_were_good_go_on_counting_while_the_provider_is_away() {
    let scene = Scene::new();
    scene.verify(&scene.token(json!({}))).unwrap();
    scene.stage.answers("/keys", 503, &json!({}));
    scene.stage.later(Duration::from_secs(3601));

    let late = scene.token(json!({ "exp": scene.stage.now() + 60 }));

    assert!(scene.verify(&late).is_ok());
}

#[test]
fn keys_are_fetched_anew_when_the_provider_says_so_beside_the_requests() {
    let scene = Scene::new();
    let keys = json!({ "keys": [scene.issuer.key()] });
    scene.stage.answers_with(
        "/keys",
        200,
        "Cache-Control: public, max-age=120\r\nAge: 20\r\n",
        &keys,
    );
    scene.verify(&scene.token(json!({}))).unwrap();

    scene.stage.later(Duration::from_secs(99));
    scene.verify(&scene.token(json!({}))).unwrap();
    assert_eq!(scene.stage.calls("/keys").len(), 1);

    scene.stage.later(Duration::from_secs(2));
    scene.verify(&scene.token(json!({}))).unwrap();
    while scene.stage.calls("/keys").len() < 2 {
        std::thread::yield_now();
    }
}

#[test]
fn a_provider_that_is_away_is_left_alone_for_a_while_and_found_when_it_is_back() {
    let scene = Scene::new();
    scene.stage.answers(DISCOVERY, 503, &json!({}));
    for _ in 0..10 {
        let error = scene.verify(&scene.token(json!({}))).unwrap_err();
        assert_eq!(error.reason(), "server-error");
    }
    assert_eq!(scene.stage.calls(DISCOVERY).len(), 1);

    scene.stage.publishes(&scene.stage.metadata());
    scene.stage.later(Duration::from_secs(1));
    assert!(scene.verify(&scene.token(json!({}))).is_ok());
}

#[test]
fn a_hundred_who_ask_at_once_are_one_call() {
    let scene = Scene::new();
    let token = scene.token(json!({}));
    let asked = (0..100).map(|_| scene.provider.verify_access(&token));

    let answered = scene.stage.wait(futures_util::future::join_all(asked));

    assert!(answered.iter().all(Result::is_ok));
    assert_eq!(
        [DISCOVERY, "/keys"].map(|path| scene.stage.calls(path).len()),
        [1, 1]
    );
}

#[test]
fn what_is_known_survives_a_new_configuration_and_another_provider_does_not() {
    let stage = Stage::new();
    let issuer = Issuer::new("one");
    stage.publishes(&stage.metadata());
    stage.shows_keys(&[&issuer]);
    let config = json!({ "main": { "issuer": stage.url(""), "clientId": "gateway" } });
    let before = stage.providers(config.clone()).unwrap();
    let claims = json!({ "iss": stage.url(""), "aud": "gateway", "exp": stage.now() + 600 });
    let token = issuer.sign(&claims);
    let verify = |providers: &Providers| {
        let verified = providers.get("main").unwrap().verify_access(&token);
        stage.wait(async { verified.await.is_ok() })
    };
    assert!(verify(&before));
    stage.answers("/keys", 503, &json!({}));

    let same = stage.providers_after(&before, config.clone());
    let mut other = config;
    other["main"]["leeway"] = "1s".into();
    let other = stage.providers_after(&before, other);

    assert!(verify(&same));
    assert!(!verify(&other));
}

const DISCOVERY: &str = "/.well-known/openid-configuration";
