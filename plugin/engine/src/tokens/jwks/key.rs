//! One key.

use std::fmt;

use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

use crate::tokens::jwt::{Algorithm, Family, TokenError, decode};

/// A public key, and what its owner says of it.
#[derive(Eq, PartialEq)]
pub(in crate::tokens) struct Key {
    id: Option<String>,
    /// The only algorithm it is for, if the provider says so.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Eq, PartialEq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point, uncompressed (SEC 1, section 2.3.3).
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// Reads a JWK; none when it is not for signatures that are known here.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let written: Written = serde_json::from_str(json).ok()?;
        if written.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        if written
            .key_ops
            .as_ref()
            .is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
        {
            return None;
        }
        Some(Self {
            material: Material::of(&written)?,
            id: written.kid,
            algorithm: written.alg,
        })
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether it can make signatures of this kind, and its owner says nothing else.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        let is_meant = |named: &str| Algorithm::named(named) == Some(algorithm);
        self.algorithm.as_deref().is_none_or(is_meant)
            && matches!(
                (algorithm.family(), &self.material),
                (Family::Rsa(_), Material::Rsa { .. })
                    | (Family::P256(_), Material::P256(_))
                    | (Family::P384(_), Material::P384(_))
                    | (Family::Ed25519(_), Material::Ed25519(_))
            )
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// When it is wrong, or this key does not sign so.
    pub(in crate::tokens) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenError> {
        if !self.fits(algorithm) {
            return Err(TokenError::KeyKind);
        }
        let verified = match (algorithm.family(), &self.material) {
            (Family::Rsa(parameters), Material::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (Family::P256(kind), Material::P256(point))
            | (Family::P384(kind), Material::P384(point))
            | (Family::Ed25519(kind), Material::Ed25519(point)) => {
                UnparsedPublicKey::new(kind, point).verify(message, signature)
            }
            _ => return Err(TokenError::KeyKind),
        };
        verified.map_err(|_| TokenError::Signature)
    }
}

impl Material {
    fn of(written: &Written) -> Option<Self> {
        let bytes = |text: &Option<String>| decode(text.as_deref()?).ok();
        match (&*written.kty, written.crv.as_deref()) {
            ("RSA", _) => {
                let without_zeros =
                    |bytes: Vec<u8>| bytes.into_iter().skip_while(|byte| *byte == 0).collect();
                let (n, e) = (bytes(&written.n)?, bytes(&written.e)?);
                Some(Self::Rsa {
                    n: without_zeros(n),
                    e: without_zeros(e),
                })
            }
            ("EC", Some("P-256")) => {
                point(bytes(&written.x)?, bytes(&written.y)?, 32).map(Self::P256)
            }
            ("EC", Some("P-384")) => {
                point(bytes(&written.x)?, bytes(&written.y)?, 48).map(Self::P384)
            }
            ("OKP", Some("Ed25519")) => bytes(&written.x)
                .filter(|x| x.len() == 32)
                .map(Self::Ed25519),
            // Among them `oct`: a secret that was published is none.
            _ => None,
        }
    }
}

fn point(x: Vec<u8>, y: Vec<u8>, size: usize) -> Option<Vec<u8>> {
    (x.len() == size && y.len() == size).then(|| [vec![4], x, y].concat())
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
