//! Bytes that only the owner of a secret can make, and only for one purpose and one place.
//!
//! ```text
//! offset  size  field
//!      0     1  format: S a row, C a snapshot in a cookie, E what a browser keeps for an errand
//!      1     4  mark of the secret
//!      5    12  nonce: random bits
//!     17     *  ciphertext, as long as the plaintext
//!      .    16  tag
//! ```
//! AES-256-GCM (NIST SP 800-38D). Its random nonces are safe for 2^32 messages under one key, which a busy gateway
//! reaches and a session does not: everything is sealed with a key that is made for one row, or for the snapshots of
//! one id. What the plaintext belongs to is authenticated with it; `row.rs` and `snapshot/compact.rs` say what that is.
//!
//! There is one way to open, and no other is tried when it fails.

mod errand;
pub(super) mod row;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};

pub use self::errand::Errands;
use super::random::{self, RandomError};
use super::secrets::Mark;

/// What closes and opens: a key, and what the plaintext is bound to.
pub(super) struct Seal {
    pub(super) format: u8,
    pub(super) mark: Mark,
    pub(super) key: [u8; 32],
    pub(super) bound_to: Vec<u8>,
}

impl Seal {
    /// Seals `plaintext`, each time with a fresh nonce.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub(super) fn close(&self, plaintext: &[u8]) -> Result<Vec<u8>, RandomError> {
        Ok(self.close_with(random::bytes()?, plaintext))
    }

    /// Opens what [`close`](Self::close) made under the same format, key and binding.
    ///
    /// # Errors
    /// [`OpenError::Broken`]: which bit is wrong, nobody can say.
    pub(super) fn open(&self, sealed: &Sealed<'_>) -> Result<Vec<u8>, OpenError> {
        // The one part that the tag does not cover, and that need not have said where the key was.
        if sealed.mark != self.mark {
            return Err(OpenError::Broken);
        }
        let payload = Payload {
            msg: sealed.ciphertext,
            aad: &self.bound_to,
        };
        self.cipher()
            .decrypt(&sealed.nonce.into(), payload)
            .map_err(|_| OpenError::Broken)
    }

    fn close_with(&self, nonce: [u8; NONCE], plaintext: &[u8]) -> Vec<u8> {
        let payload = Payload {
            msg: plaintext,
            aad: &self.bound_to,
        };
        let ciphertext = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .expect("gcm seals up to 64 GiB");
        [
            &[self.format],
            self.mark.as_bytes().as_slice(),
            &nonce,
            &ciphertext,
        ]
        .concat()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.key.into())
    }
}

/// The parts of sealed bytes.
pub(super) struct Sealed<'a> {
    pub(super) mark: Mark,
    nonce: [u8; NONCE],
    ciphertext: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Takes the parts apart, of this format only.
    ///
    /// # Errors
    /// When there are too few bytes, or they are of another format.
    pub(super) fn parse(format: u8, bytes: &'a [u8]) -> Result<Self, OpenError> {
        let (&found, rest) = bytes.split_first().ok_or(OpenError::Truncated)?;
        if found != format {
            return Err(OpenError::Format(found));
        }
        let (mark, rest) = rest.split_first_chunk().ok_or(OpenError::Truncated)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(OpenError::Truncated)?;
        if ciphertext.len() < TAG {
            return Err(OpenError::Truncated);
        }
        Ok(Self {
            mark: Mark::new(*mark),
            nonce: *nonce,
            ciphertext,
        })
    }
}

/// Why sealed bytes stay closed. Says nothing of what is in them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OpenError {
    /// Somebody changed them, or they belong to another place, version or purpose.
    #[error("the seal is broken, or was made for something else")]
    Broken,
    /// Not sealed, or by a newer gateway.
    #[error("not sealed in a known format, but in format {0}")]
    Format(u8),
    /// The secret is not in the list, or not any more.
    #[error("sealed by another secret, {0}")]
    Secret(Mark),
    /// The end comes too early.
    #[error("the end comes too early")]
    Truncated,
}

const NONCE: usize = 12;
const TAG: usize = 16;

#[cfg(test)]
mod tests;
