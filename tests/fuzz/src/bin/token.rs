//! What a provider of tokens answers, and what anybody may write into `Authorization`: tokens, sets of keys, answers of a
//! token endpoint. Nothing of it may end the gateway, and what a session keeps of it is what it was.
#![no_main]
#![forbid(unsafe_code)]

use engine::tokens::{Claims, Jwt, KeySet, TokenResponse, TokenSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        check_token(text);
    }
    if let Ok(keys) = KeySet::parse(data) {
        assert!((1..=64).contains(&keys.len()));
    }
    if let Ok(claims) = Claims::parse(data) {
        check_claims(&claims);
    }
    if let Ok(response) = TokenResponse::parse(data) {
        check_tokens(response);
    }
});

/// A text that can be taken apart is never taken for an opaque one, which would be sent to the provider.
fn check_token(text: &str) {
    if let Ok(token) = Jwt::parse(text) {
        assert!(Jwt::is_one(text));
        check_claims(&token.unverified());
    }
}

fn check_claims(claims: &Claims) {
    for name in claims.as_map().keys() {
        let found = claims.get(name);
        assert!(found.is_none_or(|value| !value.is_null()));
    }
    // A date is in seconds, and far from where counting them would overflow a clock in milliseconds.
    let end = claims
        .expires_at()
        .filter(|_| !claims.as_map()["exp"].is_u64());
    assert!(end.is_none_or(|end| end < 10_u64.pow(16)));
}

fn check_tokens(response: TokenResponse) {
    let again = response.clone();
    let tokens = TokenSet::new("main", response, NOW);
    assert_eq!(
        TokenSet::from_value(tokens.to_value()).as_ref(),
        Some(&tokens)
    );
    let held = TokenSet {
        refresh_token: Some("held".to_owned()),
        id_token: Some("held".to_owned()),
        ..tokens.clone()
    };
    // A refresh loses nothing.
    let refreshed = held.refreshed(again, NOW);
    assert!(refreshed.refresh_token.is_some() && refreshed.id_token.is_some());
    assert_eq!(refreshed.access_token, tokens.access_token);
    assert_eq!(refreshed.expires_at, tokens.expires_at);
}

const NOW: u64 = 1_763_683_200;
