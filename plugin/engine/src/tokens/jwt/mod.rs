//! JSON Web Tokens (RFC 7519) that others have signed (RFC 7515). Pure: keys and time are arguments.
//!
//! The signatures are checked by `ring`, which TLS brings along anyway: a second provider of cryptography, which every
//! crate for such tokens would bring in its current release, is one more thing to trust. What is left is parsing and
//! comparing, and that is all there is in here.

mod algorithm;
mod claims;
mod error;
mod expected;
mod header;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use self::algorithm::Algorithm;
pub(super) use self::algorithm::Family;
pub use self::claims::Claims;
pub use self::error::TokenError;
pub(super) use self::expected::{Expected, Kind};
use self::header::Header;

/// A token, taken apart and not believed yet.
pub struct Jwt<'a> {
    pub(super) header: Header,
    claims: Claims,
    /// What is signed.
    message: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when it is none, and what is wrong with its header.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_LEN {
            return Err(TokenError::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        Ok(Self {
            header: Header::parse(&decode(header)?)?,
            claims: Claims::parse(&decode(payload)?)?,
            message,
            signature: decode(signature)?,
        })
    }

    /// Whether a text is of this form, be it good or not; any other is opaque.
    pub fn is_one(token: &str) -> bool {
        let mut parts = token.split('.');
        let header = parts.next().and_then(|header| decode(header).ok());
        let is_object = header.is_some_and(|json| Claims::parse(&json).is_ok());
        // What lies deeper in a header than JSON is read here is passed over when it is taken apart.
        (is_object && parts.count() == 2) || Jwt::parse(token).is_ok()
    }

    /// What it says, which anybody may have written.
    pub fn unverified(self) -> Claims {
        self.claims
    }

    /// How it says that it is signed.
    pub fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// The name of the key it says it is signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// What it says, if `key` has signed it and it is what was expected.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn verify(
        &self,
        key: &super::jwks::Key,
        expected: &Expected<'_>,
    ) -> Result<Claims, TokenError> {
        key.verify(
            self.header.algorithm,
            self.message.as_bytes(),
            &self.signature,
        )?;
        expected.check(&self.header, &self.claims)?;
        Ok(self.claims.clone())
    }
}

/// Base64url without padding, and nothing that is almost that.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenError::Malformed)
}

/// In bytes: more than fits into a request's headers.
const MAX_LEN: usize = 32 * 1024;
