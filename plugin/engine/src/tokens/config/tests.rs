use std::fs;

use serde_json::{Value, json};

use super::*;

#[test]
fn an_issuer_and_a_client_are_enough() {
    let settings =
        settled(json!({ "issuer": "http://127.0.0.1/realms/one/", "clientId": "gateway" }))
            .unwrap();

    assert_eq!(settings.issuer, "http://127.0.0.1/realms/one/");
    let discovery = settings.discovery.unwrap();
    assert_eq!(
        discovery.as_str(),
        "http://127.0.0.1/realms/one/.well-known/openid-configuration"
    );
    assert_eq!(settings.algorithms.len(), Algorithm::ALL.len());
    assert_eq!(settings.client_auth, ClientAuth::None);
}

#[test]
fn a_secret_is_shown_in_the_header_unless_it_is_said_otherwise() {
    let auth = |extra: Value| {
        let mut config =
            json!({ "issuer": "http://127.0.0.1", "clientId": "a", "clientSecret": "b" });
        config
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        settled(config).unwrap().client_auth
    };

    assert_eq!(auth(json!({})), ClientAuth::ClientSecretBasic);
    assert_eq!(
        auth(json!({ "clientAuth": "client_secret_post" })),
        ClientAuth::ClientSecretPost
    );
}

#[test]
fn every_fault_is_told_at_its_key() {
    let faults = settled(json!({
        "tokenUrl": "ftp://example.com",
        "logoutUrl": "https://anna:secret@example.com/",
        "revocationUrl": "revoke",
        "clientAuth": "client_secret_basic",
        "leeway": "6m",
        "timeout": "1s",
        "claims": { "email": "", "name": "token" },
        "scopes": ["openid", "a b"],
        "caFile": "/nowhere",
    }))
    .unwrap_err();

    let text = faults.to_string();
    for line in [
        "tokenUrl: expected a URL that begins with `https://` or `http://`",
        "logoutUrl: expected a URL without a user or a password in it",
        "revocationUrl: expected a URL such as `https://login.example.com/token`",
        "issuer: is missing; or name certUrl or introspectUrl, or no token could be checked",
        "clientId: is missing: the name under which this gateway is registered there",
        "clientSecret: is missing: clientAuth needs it",
        "leeway: `6m` is too much for a clock; at most 5m",
        "connectTimeout: `3s` is longer than timeout (`1s`)",
        "claims.email: expected the name of a session attribute, found nothing",
        "claims.name: `token` is where the tokens are; expected another attribute",
        "scopes[1]: `a b` is no scope: visible characters without spaces, quotes and backslashes",
        "caFile: does nothing without an https URL",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("secret@"), "{text}");
}

#[test]
fn what_secures_calls_must_make_sense() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let fault = |extra: Value| {
        let mut config =
            json!({ "issuer": "https://example.com", "clientId": "a", "caFile": empty });
        config
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        settled(config).unwrap_err().to_string()
    };

    assert_eq!(fault(json!({})), "caFile: holds no certificate");
    assert_eq!(
        fault(json!({ "insecureSkipVerify": true })),
        "caFile: does nothing with insecureSkipVerify: true"
    );
}

#[test]
fn algorithms_with_a_shared_secret_and_none_cannot_be_allowed() {
    for name in ["none", "None", "HS256", "RS1", ""] {
        let parsed = serde_json::from_value::<ProviderConfig>(json!({ "algorithms": [name] }));

        let error = parsed.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("unknown algorithm `{name}`; one of RS256, ")),
            "{error}"
        );
    }
}

#[test]
fn a_public_client_shows_no_secret() {
    let faults = settled(json!({
        "issuer": "http://127.0.0.1", "clientId": "a", "clientSecret": "hunter2", "clientAuth": "none",
    }))
    .unwrap_err();

    assert_eq!(
        faults.to_string(),
        "clientAuth: `none` does nothing with a clientSecret; drop one of them"
    );
}

fn settled(config: Value) -> Result<Settings, abi::config::Faults> {
    serde_json::from_value::<ProviderConfig>(config)
        .unwrap()
        .settle("main")
}
