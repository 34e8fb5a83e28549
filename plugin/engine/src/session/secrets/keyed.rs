//! HMAC-SHA256 (RFC 2104) with its key taken in beforehand.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A function that only the owner of its key can compute.
///
/// Of the four blocks that a short message costs, two depend on the key alone. They are done once, so that naming
/// the row of a session costs the other two.
#[derive(Clone)]
pub(in crate::session) struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("hmac takes keys of every length"))
    }

    /// The hash of `label` followed by `input`. Labels keep the uses of one key apart: none may begin another.
    pub(in crate::session) fn of(&self, label: &[u8], input: &[u8]) -> [u8; 32] {
        self.after(label, input).finalize().into_bytes().into()
    }

    /// Whether `tag` is what [`of`](Self::of) would say, found out in a time that does not depend on the answer.
    pub(in crate::session) fn verify(&self, label: &[u8], input: &[u8], tag: &[u8]) -> bool {
        self.after(label, input).verify_slice(tag).is_ok()
    }

    fn after(&self, label: &[u8], input: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(label).chain_update(input)
    }
}
