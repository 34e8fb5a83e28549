//! What a rotation leaves in the old row so that whoever holds the old id can compute the new one.

use std::fmt;

use super::random::{self, RandomError};

/// 256 random bits. Worthless without the old id: see [`SessionId::successor`](super::SessionId::successor).
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
