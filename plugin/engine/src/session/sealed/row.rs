//! The payload of a row, sealed.
//!
//! ```text
//! label     = "session.so sealed row 1"
//! key       = HMAC-SHA256(rows, label + seed)     seed: the id of the session; of a row without one, its name
//! bound to  = label + name of the row (32 bytes) + version (8 bytes, big-endian)
//! plaintext = a state, as `encode` writes it
//! ```
//! Storage and secrets together do not open the row of a session: it takes the id too, and that has only the browser.
//! A row does not open in the place of another one, nor as another version of itself. What is left to whoever can
//! write to the storage is to bring back a whole older row with its older version.

use super::{OpenError, Seal, Sealed};
use crate::session::address::Address;
use crate::session::random::RandomError;
use crate::session::secrets::{Keys, Secrets};

/// Seals what is to be at `address` in this version.
///
/// # Errors
/// When the operating system has no random bytes.
pub(in crate::session) fn close(
    keys: &Keys,
    address: &Address,
    version: u64,
    plaintext: &[u8],
) -> Result<Vec<u8>, RandomError> {
    seal(keys, address, version).close(plaintext)
}

/// Opens what was found at `address` in this version.
///
/// # Errors
/// When it was not sealed for exactly this by one of `secrets`.
pub(in crate::session) fn open(
    secrets: &Secrets,
    address: &Address,
    version: u64,
    bytes: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let sealed = Sealed::parse(FORMAT, bytes)?;
    let keys = secrets.marked(sealed.mark)?;
    seal(keys, address, version).open(&sealed)
}

pub(super) fn seal(keys: &Keys, address: &Address, version: u64) -> Seal {
    let name = address.key();
    Seal {
        format: FORMAT,
        mark: keys.mark,
        key: keys.rows.of(LABEL, &address.seed),
        bound_to: [LABEL, name.as_bytes(), &version.to_be_bytes()].concat(),
    }
}

const FORMAT: u8 = b'S';
// With a seed and the padding this fits the one 64-byte block that SHA-256 has to process: 23 bytes at most.
const LABEL: &[u8] = b"session.so sealed row 1";
