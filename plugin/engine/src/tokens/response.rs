//! What a token endpoint answers.

use std::fmt;

use hyper::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{GrantError, Outage};
use super::http::Answer;
use super::jwt::{Jwt, TokenError};

/// New tokens (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
#[derive(Clone, Deserialize)]
pub struct TokenResponse {
    pub(super) access_token: String,
    pub(super) token_type: Option<String>,
    #[serde(default, deserialize_with = "lenient_seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "nonempty")]
    pub(super) refresh_token: Option<String>,
    #[serde(default, deserialize_with = "nonempty")]
    pub(super) id_token: Option<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) scope: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl TokenResponse {
    /// Reads an answer.
    ///
    /// # Errors
    /// What the provider says instead.
    pub(super) fn of(answer: &Answer) -> Result<Self, GrantError> {
        // Some say yes with the status and no with the body.
        let is_refusal = || serde_json::from_slice::<Refusal>(&answer.body).is_ok();
        match answer.status {
            StatusCode::OK => match Self::parse(&answer.body) {
                Err(_) if is_refusal() => Err(refusal(answer)),
                parsed => parsed,
            },
            _ => Err(refusal(answer)),
        }
    }

    /// Reads the body of a good answer.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(json: &[u8]) -> Result<Self, GrantError> {
        let response: Self = serde_json::from_slice(json).map_err(|_| TokenError::Malformed)?;
        if response.access_token.is_empty()
            || response
                .access_token
                .bytes()
                .any(|byte| !byte.is_ascii_graphic())
        {
            return Err(TokenError::Malformed.into());
        }
        // A token that is bound to a key which upstreams have not got is of no use to them.
        let is_bearer = |kind: &str| kind.eq_ignore_ascii_case("bearer");
        if response
            .token_type
            .as_deref()
            .is_some_and(|kind| !is_bearer(kind))
        {
            return Err(TokenError::Kind.into());
        }
        Ok(response)
    }

    /// The end of the access token: as the provider says and as the token does, whichever comes first. With clocks that
    /// differ, a token would be refused that nobody has renewed.
    pub(super) fn expires_at(&self, now: u64) -> Option<u64> {
        let told = self.expires_in.map(|seconds| now.saturating_add(seconds));
        let own = Jwt::parse(&self.access_token).ok();
        let own = own.and_then(|token| token.unverified().expires_at());
        told.into_iter().chain(own).min()
    }

    /// The token that says who has logged in.
    pub fn id_token(&self) -> Option<&str> {
        self.id_token.as_deref()
    }
}

/// Only a refused grant says something about the user.
fn refusal(answer: &Answer) -> GrantError {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) else {
        return Outage::status(answer).into();
    };
    if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
        return Outage::status(answer).into();
    }
    match &*refusal.error {
        code if OF_THE_USER.contains(&code) => GrantError::Refused,
        code => match CODES.into_iter().find(|known| *known == code) {
            Some(code) => GrantError::Misconfigured(code),
            None => Outage::status(answer).into(),
        },
    }
}

// RFC 6749, section 5.2; and OpenID Connect Core, section 3.1.2.6, of which some providers say here, too, that nothing goes
// on before the user has been there.
const OF_THE_USER: [&str; 5] = [
    "invalid_grant",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "login_required",
];
// RFC 6749, section 5.2, without the one that is about the user; RFC 8707, section 2.
const CODES: [&str; 6] = [
    "invalid_client",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// Some providers write it as a text.
fn lenient_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }))
}

fn nonempty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Some providers write a list of them.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = match Option::<Value>::deserialize(deserializer)? {
        Some(Value::String(text)) => text,
        Some(Value::Array(list)) => {
            let words: Vec<_> = list.iter().filter_map(Value::as_str).collect();
            words.join(" ")
        }
        _ => String::new(),
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Says what is there and never what it is.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .field("has_id_token", &self.id_token.is_some())
            .finish_non_exhaustive()
    }
}
