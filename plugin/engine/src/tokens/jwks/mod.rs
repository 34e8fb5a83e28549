//! The keys of a provider (RFC 7517).

mod key;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use self::key::Key;
use super::jwt::{Jwt, TokenError};

/// Keys that tokens may be signed with.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct KeySet(Box<[Key]>);

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeySet {
    /// Reads a JWK set. Keys that are of no use here, or of a kind that nobody here knows, are passed over: a provider
    /// may publish others as well (RFC 7517, section 5).
    ///
    /// # Errors
    /// When it is none, or has no key of use.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let written: Written<'_> =
            serde_json::from_slice(json).map_err(|_| KeySetError::Malformed)?;
        let keys = written.keys.into_iter().take(MAX_KEYS);
        let keys: Box<[Key]> = keys.filter_map(|json| Key::parse(json.get())).collect();
        if keys.is_empty() {
            return Err(KeySetError::Useless);
        }
        Ok(Self(keys))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that a token may be signed with: the one that it names, or all that fit when it names none.
    ///
    /// # Errors
    /// When there is none of that name, or it signs in another way.
    pub(super) fn fitting<'a>(&'a self, token: &Jwt<'_>) -> Result<Vec<&'a Key>, TokenError> {
        let named = |key: &&Key| match token.key_id() {
            Some(id) => key.id() == Some(id),
            None => true,
        };
        let named: Vec<&Key> = self.0.iter().filter(named).collect();
        if named.is_empty() {
            return Err(TokenError::UnknownKey);
        }
        let fitting: Vec<&Key> = named
            .into_iter()
            .filter(|key| key.fits(token.algorithm()))
            .collect();
        if fitting.is_empty() {
            return Err(TokenError::KeyKind);
        }
        Ok(fitting)
    }
}

/// Why an answer is no set of keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeySetError {
    /// No JWK set.
    #[error("it is no JWK set")]
    Malformed,
    /// No key in it can be used.
    #[error("it has no key that could be used")]
    Useless,
}

// Each costs a comparison; a provider has two or three.
const MAX_KEYS: usize = 64;
