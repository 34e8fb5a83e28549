//! The keys behind one secret, one for each purpose.

use hkdf::Hkdf;
use sha2::Sha256;

use super::keyed::KeyedHash;
use super::mark::Mark;

/// What is derived from one secret. A key that is known for one purpose says nothing about the others.
pub(in crate::session) struct Keys {
    pub(in crate::session) mark: Mark,
    /// Names rows.
    pub(in crate::session) names: KeyedHash,
    /// Gives each row the key that seals it.
    pub(in crate::session) rows: KeyedHash,
    /// Gives each session the key that seals its snapshots.
    pub(in crate::session) snapshots: KeyedHash,
    /// Signs snapshots that are JSON Web Tokens.
    pub(in crate::session) tokens: KeyedHash,
}

impl Keys {
    /// HKDF-SHA256 (RFC 5869): `secret` is what is extracted from, and each key is one expansion.
    pub(super) fn derive(secret: &[u8]) -> Self {
        let root = Hkdf::new(Some(SALT), secret);
        Self {
            mark: Mark::new(expand(&root, b"mark")),
            names: KeyedHash::new(&expand(&root, b"names")),
            rows: KeyedHash::new(&expand(&root, b"rows")),
            snapshots: KeyedHash::new(&expand(&root, b"snapshots")),
            tokens: KeyedHash::new(&expand(&root, b"tokens")),
        }
    }
}

fn expand<const N: usize>(root: &Hkdf<Sha256>, purpose: &[u8]) -> [u8; N] {
    let mut key = [0; N];
    root.expand(purpose, &mut key)
        .expect("an expansion gives up to 8160 bytes");
    key
}

const SALT: &[u8] = b"session.so secret 1";
