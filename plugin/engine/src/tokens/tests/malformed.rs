//! Tokens whose text is not what it should be.

use super::issuer::encode;
use super::*;

#[test]
fn a_header_that_names_its_algorithm_twice_is_refused() {
    let scene = Scene::new();
    let claims = encode(scene.changed(json!({})).to_string());
    for header in [
        r#"{"alg":"ES256","alg":"none","kid":"one"}"#,
        r#"{"alg":"none","alg":"ES256","kid":"one"}"#,
        r#"{"alg":"ES256","kid":"one","kid":"two"}"#,
    ] {
        let token = format!("{}.{claims}.AA", encode(header));

        assert_eq!(scene.refusal(&token), TokenError::Malformed, "{header}");
    }
}

#[test]
fn of_a_claim_that_is_there_twice_one_counts_for_whoever_looks() {
    let scene = Scene::new();
    let (now, issuer) = (scene.stage.now(), scene.stage.url(""));
    let signed = |claims: &str| scene.issuer.sign_text(claims);
    let rest = format!(r#""iss":"{issuer}","aud":"gateway","iat":{now}"#);
    let end = now + 600;

    let later = signed(&format!(
        r#"{{{rest},"sub":"root","sub":"anna","exp":{end}}}"#
    ));
    let ended = signed(&format!(r#"{{{rest},"sub":"anna","exp":{end},"exp":1}}"#));

    let claims = scene.verify(&later).unwrap();
    assert_eq!(claims.subject(), Some("anna"));
    assert_eq!(Jwt::parse(&later).unwrap().unverified(), *claims);
    assert_eq!(scene.refusal(&ended), TokenError::Expired);
}

#[test]
fn an_end_beyond_all_numbers_is_no_end() {
    let scene = Scene::new();
    let (now, issuer) = (scene.stage.now(), scene.stage.url(""));
    let rest = format!(r#""iss":"{issuer}","aud":"gateway","sub":"anna","iat":{now}"#);
    for end in [
        "1e300",
        "9e15",
        "18446744073709551616",
        "-1",
        "-9223372036854775808",
        "[9999999999]",
        "\"9999999999\"",
        "true",
    ] {
        let token = scene
            .issuer
            .sign_text(&format!(r#"{{{rest},"exp":{end}}}"#));

        assert_eq!(scene.refusal(&token), TokenError::Date("exp"), "{end}");
    }
    for end in ["1e400", "-1e400"] {
        let token = scene
            .issuer
            .sign_text(&format!(r#"{{{rest},"exp":{end}}}"#));

        assert_eq!(scene.refusal(&token), TokenError::Malformed, "{end}");
    }
    // The largest number there is: good now, and nothing overflows.
    let token = scene
        .issuer
        .sign_text(&format!(r#"{{{rest},"exp":{}}}"#, u64::MAX));
    assert!(scene.verify(&token).is_ok());
}

#[test]
fn a_token_that_is_encrypted_or_wraps_another_is_refused() {
    let scene = Scene::new();
    let inner = scene.token(json!({}));
    let encrypted = json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": "one", "cty": "JWT" });
    let encrypted = format!(
        "{}.AA.AA.{}.AA",
        encode(encrypted.to_string()),
        encode(&inner)
    );
    let header = json!({ "alg": "ES256", "kid": "one", "cty": "JWT" });
    let signed = scene.issuer.sign_wrapped(&header, &inner);

    let inactive = json!({ "active": false });
    scene.stage.answers("/introspect", 200, &inactive);

    assert_eq!(scene.refusal(&signed), TokenError::Malformed);
    // Only the provider can read it, so it is asked, and says no.
    assert_eq!(scene.refusal(&encrypted), TokenError::Inactive);
}
