//! From session id to storage key: the one place where it is decided how.

use abi::storage::Key;
use sha2::{Digest, Sha256};

use super::id::SessionId;

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

    /// The key of the row that belongs to `id`.
    pub fn key(&self, id: &SessionId) -> Key {
        match self.derivation {
            Derivation::Plain => Key::new(
                Sha256::new_with_prefix(KEY_DOMAIN)
                    .chain_update(id.as_bytes())
                    .finalize()
                    .into(),
            ),
        }
    }
}

// With the id and the padding this fits the one 64-byte block that SHA-256 has to process: 23 bytes at most.
const KEY_DOMAIN: &[u8] = b"session.so row key 1";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_key_is_not_the_id() {
        let id = SessionId::generate().unwrap();

        let key = Keyring::plain().key(&id);

        assert_ne!(key.as_bytes(), id.as_bytes());
    }

    #[test]
    fn a_key_presented_as_an_id_names_another_row() {
        let id = SessionId::generate().unwrap();
        let keyring = Keyring::plain();
        let key = keyring.key(&id);
        let stolen = URL_SAFE_NO_PAD.encode(key.as_bytes());

        let presented = SessionId::parse(stolen.as_bytes()).unwrap();

        assert_ne!(keyring.key(&presented), key);
    }

    // A change of the derivation logs everybody out: it must not happen by accident.
    #[test]
    fn the_derivation_is_the_one_of_every_release() {
        let id = SessionId::parse("A".repeat(43).as_bytes()).unwrap();

        let key = Keyring::plain().key(&id);

        assert_eq!(format!("{key:?}"), "Key(e99bcf0f..)");
    }
}
