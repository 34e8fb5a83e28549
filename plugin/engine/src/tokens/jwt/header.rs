//! What a token says about its signature.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Algorithm, TokenError};

/// The parts of the header that count (RFC 7515, section 4.1). Keys and addresses of keys in it (`jwk`, `jku`, `x5u`)
/// are nobody's business: keys come from the provider.
pub(in crate::tokens) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// In lower case, without `application/`.
    pub(super) typ: Option<String>,
}

/// A member that is there twice is an error.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let written: Written<'_> =
            serde_json::from_slice(json).map_err(|_| TokenError::Malformed)?;
        // An extension that must be understood, and we understand none.
        if written.crit.is_some() || written.b64.is_some() {
            return Err(TokenError::Critical);
        }
        let algorithm = Algorithm::named(&written.alg).ok_or(TokenError::Algorithm)?;
        let typ = written.typ.map(|typ| typ.to_ascii_lowercase());
        Ok(Self {
            algorithm,
            kid: written.kid,
            typ: typ.map(|typ| match typ.strip_prefix("application/") {
                Some(short) => short.to_owned(),
                None => typ,
            }),
        })
    }
}
