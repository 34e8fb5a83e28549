//! The secret a browser carries.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::nonce::Nonce;
use super::random::{self, RandomError};

/// 256 bits from the operating system; 43 characters of base64url on the wire.
///
/// An id that a client brings is only ever looked up, never adopted. Storages see a hash of it
/// ([`Keyring`](super::Keyring)), logs see nothing.
#[derive(Clone, Eq, PartialEq)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// The length of every id on the wire.
    pub const ENCODED_LEN: usize = 43;

    /// Makes an id nobody can guess.
    ///
    /// # Errors
    /// When the operating system has no random bytes. There is no fallback.
    pub fn generate() -> Result<Self, RandomError> {
        random::bytes().map(Self)
    }

    /// Reads an id from the wire; anything but exactly 43 characters of canonical base64url is none.
    ///
    /// The shape is checked before anything else happens, so junk costs neither a hash nor a round trip. The last
    /// character carries four bits only: of the spellings that would decode to the same bytes, one is accepted.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != Self::ENCODED_LEN {
            return None;
        }
        // One byte more than needed: the decoder wants room for its estimate, not for its result.
        let mut room = [0; 33];
        let decoded = URL_SAFE_NO_PAD.decode_slice(text, &mut room).ok()?;
        room.get(..decoded)?.try_into().ok().map(Self)
    }

    /// The 43 characters for the cookie. The only way the secret leaves this type.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The id that follows this one in a rotation with `nonce`.
    ///
    /// Every request that still holds the old id computes the same new one from the row it finds, while the
    /// storage, which knows the nonce but not the id, can compute none of them.
    #[must_use]
    pub fn successor(&self, nonce: &Nonce) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .expect("hmac takes keys of every length")
            .chain_update(SUCCESSOR_DOMAIN)
            .chain_update(nonce.as_bytes());
        Self(mac.finalize().into_bytes().into())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Shows nothing of the secret.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

const SUCCESSOR_DOMAIN: &[u8] = b"session.so successor 1";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_generated_id_survives_the_wire() {
        let id = SessionId::generate().unwrap();

        let wire = id.encode();

        assert_eq!(wire.len(), SessionId::ENCODED_LEN);
        assert_eq!(SessionId::parse(wire.as_bytes()), Some(id));
    }

    #[test]
    fn two_generated_ids_differ() {
        assert_ne!(
            SessionId::generate().unwrap(),
            SessionId::generate().unwrap()
        );
    }

    #[test]
    fn every_wrong_shape_is_no_id() {
        let good = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(SessionId::parse(good.as_bytes()).is_some());

        let wrong = [
            String::new(),
            good[1..].into(),
            format!("{good}A"),
            format!("{good}="),
            format!("{}=", &good[1..]),
            format!(" {}", &good[1..]),
            format!("+{}", &good[1..]),
            format!("/{}", &good[1..]),
            format!("\0{}", &good[1..]),
            format!("{}%00", &good[3..]),
            format!("{}é", &good[2..]),
        ];
        for text in wrong {
            assert_eq!(SessionId::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn only_one_spelling_of_the_last_character_is_accepted() {
        let stem = "A".repeat(42);
        let accepted = (b'A'..=b'D')
            .filter(|&last| SessionId::parse(&[stem.as_bytes(), &[last]].concat()).is_some());

        assert_eq!(accepted.collect::<Vec<_>>(), [b'A']);
    }

    #[test]
    fn debug_hides_the_secret() {
        let id = SessionId::generate().unwrap();

        assert_eq!(format!("{id:?}"), "SessionId(..)");
    }

    #[test]
    fn everybody_with_the_old_id_computes_the_same_successor() {
        let id = SessionId::generate().unwrap();
        let nonce = Nonce::generate().unwrap();
        let elsewhere = SessionId::parse(id.encode().as_bytes()).unwrap();

        assert_eq!(id.successor(&nonce), elsewhere.successor(&nonce));
    }

    #[test]
    fn the_successor_depends_on_the_id_and_on_the_nonce() {
        let (id, other) = (SessionId([1; 32]), SessionId([2; 32]));
        let (nonce, another) = (Nonce::new([3; 32]), Nonce::new([4; 32]));

        assert_ne!(id.successor(&nonce), other.successor(&nonce));
        assert_ne!(id.successor(&nonce), id.successor(&another));
        assert_ne!(id.successor(&nonce), id);
    }

    proptest! {
        #[test]
        fn what_parses_encodes_to_the_same_text(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(id) = SessionId::parse(&text) {
                prop_assert_eq!(id.encode().into_bytes(), text);
            }
        }

        #[test]
        fn every_id_survives_the_wire(bytes in any::<[u8; 32]>()) {
            let id = SessionId(bytes);

            prop_assert_eq!(SessionId::parse(id.encode().as_bytes()), Some(id));
        }
    }
}
