//! What a browser keeps for a while and brings back: sealed, so that only we can have written it.

use abi::config::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;

use super::{Seal, Sealed};
use crate::session::random::{self, RandomError};
use crate::session::secrets::Mark;

/// Seals texts for cookies, each under its own name.
#[derive(Clone)]
pub struct Errands(Box<[Hkdf<Sha256>]>);

impl Errands {
    /// With keys from `secrets`, the newest first. All gateways that have them read what any of them wrote.
    pub fn of(secrets: &[Secret]) -> Self {
        let derive = |secret: &Secret| Hkdf::new(Some(SALT), secret.reveal().as_bytes());
        Self(secrets.iter().map(derive).collect())
    }

    /// With a key that nobody else has: only this gateway reads what it wrote, until it ends.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn of_one_gateway() -> Result<Self, RandomError> {
        let secret: [u8; 32] = random::bytes()?;
        Ok(Self([Hkdf::new(Some(SALT), &secret)].into()))
    }

    /// Seals `plaintext` for the cookie called `name`.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    ///
    /// # Panics
    /// Never: there is always a key.
    pub fn close(&self, name: &str, plaintext: &[u8]) -> Result<String, RandomError> {
        let key = self.0.first().expect("there is always a key");
        Ok(URL_SAFE_NO_PAD.encode(seal(key, name).close(plaintext)?))
    }

    /// What was sealed for the cookie called `name`; nothing else opens.
    pub fn open(&self, name: &str, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let sealed = Sealed::parse(FORMAT, &bytes).ok()?;
        let opened = self.0.iter().map(|key| seal(key, name).open(&sealed));
        opened.flatten().next()
    }
}

/// Each name has a key of its own, so that none is used for many messages.
fn seal(key: &Hkdf<Sha256>, name: &str) -> Seal {
    let mut derived = [0; 32];
    key.expand(name.as_bytes(), &mut derived)
        .expect("32 bytes can always be derived");
    Seal {
        format: FORMAT,
        mark: Mark::new([0; 4]),
        key: derived,
        bound_to: name.as_bytes().to_vec(),
    }
}

const FORMAT: u8 = b'E';
const SALT: &[u8] = b"session.so errand 1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errand_opens_under_its_name_and_secret_and_no_other() {
        let ours = Errands::of(&[Secret::new("a")]);
        let sealed = ours.close("attempt-1", b"text").unwrap();

        assert_eq!(ours.open("attempt-1", &sealed).unwrap(), b"text");
        assert_eq!(ours.open("attempt-2", &sealed), None);
        let others = [
            Errands::of(&[Secret::new("b")]),
            Errands::of_one_gateway().unwrap(),
        ];
        for other in others {
            assert_eq!(other.open("attempt-1", &sealed), None);
        }
    }

    #[test]
    fn errand_of_which_a_bit_was_changed_does_not_open() {
        let ours = Errands::of(&[Secret::new("a")]);
        let sealed = ours.close("attempt", b"text").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap();

        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(ours.open("attempt", &changed), None, "bit {bit}");
        }
    }

    #[test]
    fn secret_may_be_replaced_while_errands_are_under_way() {
        let old = Errands::of(&[Secret::new("old")]);
        let both = Errands::of(&[Secret::new("new"), Secret::new("old")]);

        let sealed = old.close("attempt", b"text").unwrap();

        assert_eq!(both.open("attempt", &sealed).unwrap(), b"text");
        let sealed = both.close("attempt", b"text").unwrap();
        assert_eq!(old.open("attempt", &sealed), None);
    }
}
