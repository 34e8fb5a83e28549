//! What a rotation leaves in the old row so that whoever holds the old id can compute the new one.

use std::fmt;

use super::random::{self, RandomError};
use super::secrets::Mark;

/// 256 random bits. Worthless without the old id: see [`SessionId::successor`](super::SessionId::successor).
///
/// Where there are secrets, 32 of them give way to the mark of the one that names the new row. Everybody who finishes
/// a rotation then writes the same row, even while gateways disagree about which secret is the newest.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Nonce([u8; 32]);

impl Nonce {
    /// Takes 256 bits from the operating system.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub fn generate() -> Result<Self, RandomError> {
        random::bytes().map(Self)
    }

    /// The same, for a row that is named by this secret.
    #[must_use]
    pub(super) fn naming(mut self, mark: Mark) -> Self {
        self.0[..Mark::LEN].copy_from_slice(mark.as_bytes());
        self
    }

    /// The secret that names the new row, if there are secrets.
    pub(super) fn mark(&self) -> Mark {
        let [a, b, c, d, ..] = self.0;
        Mark::new([a, b, c, d])
    }

    /// Wraps bytes that were read back from a row.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to write into a row.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Shows nothing: half of a derivation does not belong in a log.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}
