//! The tokens of one login, as a session keeps them.

use std::fmt;

use abi::Session;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jwt::{Claims, Jwt};
use super::response::TokenResponse;

/// What a provider gave out at a login and at each refresh since: the session attribute [`TokenSet::ATTRIBUTE`].
///
/// It is the only form in which tokens are stored. Unknown members that somebody else put there do not survive a refresh.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct TokenSet {
    /// The name of the provider in the configuration; empty where an upstream wrote the tokens.
    #[serde(default)]
    pub provider: String,
    /// What upstreams are shown.
    pub access_token: String,
    /// What gets the next ones. A provider may give it out only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who has logged in, and what a logout refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Nearly always `Bearer`.
    #[serde(default = "bearer")]
    pub token_type: String,
    /// What the user has allowed, where that is not what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The end of the access token, in seconds since 1970; none when nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// When the provider gave them, in seconds since 1970; none when somebody else wrote them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obtained_at: Option<u64>,
    /// What is not known of a refresh that was tried with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// The provider's own name for its session (`sid` of the id token), by which it says that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// Why a refused refresh token need not mean that the login is over: an answer was lost, and with it perhaps the one use
/// of the refresh token.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The provider was asked, and its answer was lost. It may be asked again.
    Unanswered,
    /// It was asked again and refused. The access token is good until its end, and nobody need ask before.
    Refused,
}

impl TokenSet {
    /// The name of the session attribute.
    pub const ATTRIBUTE: &'static str = "token";

    /// The tokens of a login, given by `provider` at `now`, in seconds since 1970.
    pub fn new(provider: &str, response: TokenResponse, now: u64) -> Self {
        let expires_at = response.expires_at(now);
        let sid = response.id_token.as_deref().and_then(sid);
        Self {
            provider: provider.to_owned(),
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            id_token: response.id_token,
            token_type: response.token_type.unwrap_or_else(bearer),
            scope: response.scope,
            expires_at,
            obtained_at: Some(now),
            doubt: None,
            sid,
        }
    }

    /// The tokens after a refresh at `now`. What the answer lacks stays as it was (RFC 6749, section 6), the life of the
    /// access token among it: without an end it would never be renewed again.
    #[must_use]
    pub fn refreshed(self, response: TokenResponse, now: u64) -> Self {
        let next = Self::new(&self.provider, response, now);
        let as_before = self.life().map(|life| now.saturating_add(life));
        Self {
            provider: next.provider,
            access_token: next.access_token,
            refresh_token: next.refresh_token.or(self.refresh_token),
            id_token: next.id_token.or(self.id_token),
            token_type: next.token_type,
            scope: next.scope.or(self.scope),
            expires_at: next.expires_at.or(as_before),
            obtained_at: next.obtained_at,
            doubt: None,
            sid: next.sid.or(self.sid),
        }
    }

    /// Whether the access token ends within `margin` seconds of `now`, and half of its life is over: a margin that is
    /// longer than tokens live would have them renewed at every request. Never, where nobody knows its end.
    pub fn is_due(&self, now: u64, margin: u64) -> bool {
        let margin = self.life().map_or(margin, |life| margin.min(life / 2));
        self.expires_at
            .is_some_and(|end| end <= now.saturating_add(margin))
    }

    /// Whether the provider has given them within the last `seconds` before `now`.
    pub fn is_new(&self, now: u64, seconds: u64) -> bool {
        self.obtained_at
            .is_some_and(|at| now.saturating_sub(at) < seconds)
    }

    /// Whether there is no use in asking for new ones while these are good.
    pub fn is_refused(&self, now: u64) -> bool {
        self.doubt == Some(Doubt::Refused) && !self.is_due(now, 0)
    }

    /// How long the access token lives, in seconds, where somebody knows.
    fn life(&self) -> Option<u64> {
        self.expires_at?.checked_sub(self.obtained_at?)
    }

    /// The tokens that a session holds.
    pub fn of(session: &Session) -> Option<Self> {
        Self::from_value(session.get(Self::ATTRIBUTE)?)
    }

    /// The set in an attribute. None when it is something else.
    pub fn from_value(value: Value) -> Option<Self> {
        let set: Self = serde_json::from_value(value).ok()?;
        (!set.access_token.is_empty()).then_some(set)
    }

    /// The value of the attribute.
    ///
    /// # Panics
    /// Never: texts and a number are JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("texts and a number are JSON")
    }

    /// What the tokens say about the user: the claims of the access token where it is a JWT, and over them those of the
    /// id token. Not checked again here: whoever stored them has.
    pub fn claims(&self) -> Claims {
        let said = |token: &str| Jwt::parse(token).map(Jwt::unverified).unwrap_or_default();
        let mut claims = said(&self.access_token).into_map();
        let of_user = self.id_token.as_deref().map(said).unwrap_or_default();
        claims.extend(of_user.into_map());
        claims.into()
    }
}

/// Says what is there and never what it is.
impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("provider", &self.provider)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .field("has_id_token", &self.id_token.is_some())
            .field("expires_at", &self.expires_at)
            .field("doubt", &self.doubt)
            .finish_non_exhaustive()
    }
}

fn bearer() -> String {
    "Bearer".to_owned()
}

fn sid(id_token: &str) -> Option<String> {
    let claims = Jwt::parse(id_token).ok()?.unverified();
    claims.text("sid").map(str::to_owned)
}
