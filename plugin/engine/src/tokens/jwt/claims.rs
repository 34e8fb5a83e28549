//! What a token says.

use std::fmt;

use serde_json::{Map, Value};

use super::TokenError;

/// The claims of a token, of an introspection or of a userinfo answer: a JSON object.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads a JSON object. Of a name that is there twice the last one counts, and it is the same one everywhere.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let claims = serde_json::from_slice(json);
        claims.map(Self).map_err(|_| TokenError::Malformed)
    }

    /// The claim called `name`, or where the dots in it lead: `realm_access.roles`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        if let Some(value) = self.0.get(name) {
            return Some(value).filter(|value| !value.is_null());
        }
        let mut steps = name.split('.');
        let first = self.0.get(steps.next()?)?;
        let found = steps.try_fold(first, |value, step| value.get(step))?;
        Some(found).filter(|value| !value.is_null())
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Whom it is about.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub").filter(|subject| !subject.is_empty())
    }

    /// A date in seconds since 1970, without fractions (RFC 7519, section 2: NumericDate).
    ///
    /// # Errors
    /// When it is there and no date.
    pub(in crate::tokens) fn date(&self, name: &'static str) -> Result<Option<u64>, TokenError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => seconds(value).map(Some).ok_or(TokenError::Date(name)),
        }
    }

    /// When it ends.
    pub fn expires_at(&self) -> Option<u64> {
        self.date("exp").ok().flatten()
    }

    /// When it was issued.
    pub fn issued_at(&self) -> Option<u64> {
        self.date("iat").ok().flatten()
    }

    /// Whether nothing in them says that they are of a token for something else than access: by `typ` (Keycloak), by
    /// `token_use` (Cognito, Hydra), or by what only other tokens have.
    pub(in crate::tokens) fn do_for_access(&self) -> bool {
        let says = |claim: &str, known: &[&str]| {
            let kind = self.text(claim).map(str::to_ascii_lowercase);
            kind.is_none_or(|kind| known.contains(&&*kind))
        };
        let is_other = ["at_hash", "c_hash", "events"]
            .iter()
            .any(|claim| self.get(claim).is_some());
        says("typ", &["bearer", "jwt", "at+jwt", "dpop"])
            && says("token_use", &["access", "access_token"])
            && !is_other
    }

    /// Whether they say of what kind their token is, for whose use it was given, or for what: id tokens that have no
    /// other mark say nothing of that.
    pub(super) fn tell_of_access(&self) -> bool {
        let told = [
            "typ",
            "token_use",
            "azp",
            "client_id",
            "cid",
            "scope",
            "scp",
        ];
        told.iter().any(|claim| self.get(claim).is_some())
    }

    /// Whether a text, or one of a list of texts, is `wanted`.
    pub(in crate::tokens) fn names(&self, claim: &str, wanted: &str) -> bool {
        self.each(claim).any(|found| found == wanted)
    }

    /// How many texts stand there.
    pub(super) fn count(&self, claim: &str) -> usize {
        self.each(claim).count()
    }

    fn each(&self, claim: &str) -> impl Iterator<Item = &str> {
        let (one, many) = match self.0.get(claim) {
            Some(Value::String(text)) => (Some(text.as_str()), None),
            Some(Value::Array(list)) => (None, Some(list.iter().filter_map(Value::as_str))),
            _ => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// All of them.
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All of them, given up.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl From<Map<String, Value>> for Claims {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

/// Names only: the rest is somebody's life.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the bounds were looked at"
)]
fn seconds(value: &Value) -> Option<u64> {
    if let Some(seconds) = value.as_u64() {
        return Some(seconds);
    }
    // Some providers write fractions, and 2^53 is far enough.
    let seconds = value.as_f64()?;
    (0.0..9e15).contains(&seconds).then_some(seconds as u64)
}
