//! From session id to the address of its row: the one place where it is decided how.

use std::fmt;

use abi::storage::Key;
use sha2::{Digest, Sha256};

use super::id::SessionId;

/// Where a row is, and what its content is sealed by.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Address {
    key: Key,
    seed: [u8; 32],
}

impl Address {
    /// The name of the row, as a storage knows it.
    pub const fn key(&self) -> Key {
        self.key
    }
}

/// A row that belongs to no id: its name is all there is to know about it.
impl From<Key> for Address {
    fn from(key: Key) -> Self {
        Self {
            key,
            seed: *key.as_bytes(),
        }
    }
}

/// Shows the name only: the seed of a session is its id.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.key).finish()
    }
}

/// Derives the name of a row from the id of a session.
///
/// The storage sees a hash and cannot turn it back into a cookie; a stored key presented as a cookie is hashed
/// again and finds nothing. An operator's `secrets` will become a second derivation here, and nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Keyring {
    derivation: Derivation,
}

#[derive(Clone, Copy, Debug)]
enum Derivation {
    /// SHA-256 without a key. Enough against a reader of the storage, because an id has 256 bits to guess.
    Plain,
}

impl Keyring {
    /// For gateways without `secrets`. All of them agree on the keys.
    pub const fn plain() -> Self {
        Self {
            derivation: Derivation::Plain,
        }
    }

    /// Where the row of `id` is, if it is written now.
    pub fn address(&self, id: &SessionId) -> Address {
        Address {
            key: self.key(KEY_DOMAIN, id.as_bytes()),
            seed: *id.as_bytes(),
        }
    }

    /// Where the roster of `principal` is, if it is written now.
    pub fn roster(&self, principal: &str) -> Address {
        Address::from(self.key(ROSTER_DOMAIN, principal.as_bytes()))
    }

    fn key(&self, domain: &[u8], name: &[u8]) -> Key {
        match self.derivation {
            Derivation::Plain => Key::new(
                Sha256::new_with_prefix(domain)
                    .chain_update(name)
                    .finalize()
                    .into(),
            ),
        }
    }
}

// With the id and the padding this fits the one 64-byte block that SHA-256 has to process: 23 bytes at most.
const KEY_DOMAIN: &[u8] = b"session.so row key 1";
const ROSTER_DOMAIN: &[u8] = b"session.so roster 1\0";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_key_is_not_the_id() {
        let id = SessionId::generate().unwrap();

        let key = Keyring::plain().address(&id).key();

        assert_ne!(key.as_bytes(), id.as_bytes());
    }

    #[test]
    fn a_key_presented_as_an_id_names_another_row() {
        let id = SessionId::generate().unwrap();
        let keyring = Keyring::plain();
        let key = keyring.address(&id).key();
        let stolen = URL_SAFE_NO_PAD.encode(key.as_bytes());

        let presented = SessionId::parse(stolen.as_bytes()).unwrap();

        assert_ne!(keyring.address(&presented).key(), key);
    }

    // A change of the derivation logs everybody out: it must not happen by accident.
    #[test]
    fn the_derivation_is_the_one_of_every_release() {
        let id = SessionId::parse("A".repeat(43).as_bytes()).unwrap();

        let key = Keyring::plain().address(&id).key();

        assert_eq!(format!("{key:?}"), "Key(e99bcf0f..)");
    }
}
