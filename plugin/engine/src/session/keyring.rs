//! From session id to the address of its row: the one place where it is decided how.

use std::borrow::Cow;
use std::ops::Range;

use abi::storage::Key;
use sha2::{Digest, Sha256};

use super::address::Address;
use super::family::Family;
use super::id::SessionId;
use super::nonce::Nonce;
use super::random::RandomError;
use super::sealed::{OpenError, row};
use super::secrets::Secrets;

/// Names rows, and seals what is in them.
///
/// The storage sees a hash and cannot turn it back into a cookie; a stored key presented as a cookie is hashed
/// again and finds nothing. Without secrets the hash has no key, which is enough against a reader of the storage
/// because an id has 256 bits to guess, and what is in a row can be read. With secrets, nobody else can compute the
/// name of a row, open it or make one.
///
/// A row stays under the secret that named it, until it is written under another name. So a secret that goes takes
/// exactly the rows with it that are found under it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keyring(Option<Secrets>);

impl Keyring {
    /// For gateways without `secrets`. All of them agree on the keys.
    pub const fn plain() -> Self {
        Self(None)
    }

    /// For gateways with `secrets`. They find what was written under a secret that they share.
    pub const fn sealed(secrets: Secrets) -> Self {
        Self(Some(secrets))
    }

    /// Where the row of `id` is, if it is written now.
    pub fn address(&self, id: &SessionId) -> Address {
        self.address_under(NEWEST, id)
    }

    /// Whether there are secrets besides the newest.
    pub fn has_older(&self) -> bool {
        self.places().len() > 1
    }

    /// Where the row of `id` may be: first where it is if it is written now, then under each older secret.
    pub fn addresses<'a>(&'a self, id: &'a SessionId) -> impl Iterator<Item = Address> + 'a {
        self.places().map(|secret| self.address_under(secret, id))
    }

    /// What a rotation leaves in the old row, if it begins now.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn nonce(&self) -> Result<Nonce, RandomError> {
        let nonce = Nonce::generate()?;
        Ok(match &self.0 {
            None => nonce,
            Some(secrets) => nonce.naming(secrets.newest().mark),
        })
    }

    /// Where the row of `successor` is, which a rotation with `nonce` gave its id; none when the secret that names it
    /// is not in the list.
    pub fn address_after(&self, nonce: &Nonce, successor: &SessionId) -> Option<Address> {
        let secret = match &self.0 {
            None => NEWEST,
            Some(secrets) => secrets.place_of(nonce.mark())?,
        };
        Some(self.address_under(secret, successor))
    }

    /// The roster of `principal` under the secret of `address`.
    pub fn roster_beside(&self, address: &Address, principal: &str) -> Address {
        self.roster_under(address.secret, principal)
    }

    /// The row beside the one at `address` that is there while somebody is at work for the session.
    pub fn lease_beside(&self, address: &Address, family: Family) -> Address {
        let key = self.name(address.secret, LEASE_DOMAIN, &family.bits().to_be_bytes());
        Address {
            secret: address.secret,
            ..Address::from(key)
        }
    }

    /// Where the rosters of `principal` may be, in the order of [`addresses`](Self::addresses).
    pub fn rosters(&self, principal: &str) -> Vec<Address> {
        self.places()
            .map(|secret| self.roster_under(secret, principal))
            .collect()
    }

    /// Where the row of a link or a mark may be, in the order of [`addresses`](Self::addresses).
    pub fn links(&self, name: &str) -> Vec<Address> {
        let named = self.places().map(|secret| {
            let key = self.name(secret, LINK_DOMAIN, name.as_bytes());
            Address {
                secret,
                ..Address::from(key)
            }
        });
        named.collect()
    }

    /// What is to be stored at `address` in this version, so that `plaintext` is what it says.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn seal(
        &self,
        address: &Address,
        version: u64,
        plaintext: Vec<u8>,
    ) -> Result<Vec<u8>, RandomError> {
        match &self.0 {
            None => Ok(plaintext),
            Some(secrets) => row::close(secrets.at(address.secret), address, version, &plaintext),
        }
    }

    /// What the `payload` that was found at `address` in this version says. With secrets, only what was sealed by one
    /// of them says anything.
    ///
    /// # Errors
    /// When it was not sealed for this place and version.
    pub fn open<'a>(
        &self,
        address: &Address,
        version: u64,
        payload: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, OpenError> {
        match &self.0 {
            None => Ok(payload.into()),
            Some(secrets) => row::open(secrets, address, version, payload).map(Cow::Owned),
        }
    }

    fn places(&self) -> Range<u8> {
        NEWEST..self.0.as_ref().map_or(1, Secrets::len)
    }

    fn address_under(&self, secret: u8, id: &SessionId) -> Address {
        Address {
            key: self.name(secret, KEY_DOMAIN, id.as_bytes()),
            seed: *id.as_bytes(),
            secret,
        }
    }

    fn roster_under(&self, secret: u8, principal: &str) -> Address {
        let key = self.name(secret, ROSTER_DOMAIN, principal.as_bytes());
        Address {
            secret,
            ..Address::from(key)
        }
    }

    fn name(&self, secret: u8, domain: &[u8], of: &[u8]) -> Key {
        Key::new(match &self.0 {
            None => Sha256::new_with_prefix(domain)
                .chain_update(of)
                .finalize()
                .into(),
            Some(secrets) => secrets.at(secret).names.of(domain, of),
        })
    }
}

const NEWEST: u8 = 0;
// With the id and the padding this fits the one 64-byte block that SHA-256 has to process: 23 bytes at most.
const KEY_DOMAIN: &[u8] = b"session.so row key 1";
const LEASE_DOMAIN: &[u8] = b"session.so lease 1\0";
const ROSTER_DOMAIN: &[u8] = b"session.so roster 1\0";
const LINK_DOMAIN: &[u8] = b"session.so link 1\0";

#[cfg(test)]
mod tests {
    use abi::config::Secret;
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

    #[test]
    fn the_derivation_with_a_secret_is_the_one_of_every_release() {
        let keyring = keyring(&[NEW]);
        let id = SessionId::parse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();

        assert_eq!(
            format!("{:?}", keyring.address(&id)),
            "Address(Key(1aa21e1b..))"
        );
        assert_eq!(
            format!("{:?}", keyring.rosters("zoë")[0]),
            "Address(Key(63264d40..))"
        );
    }

    #[test]
    fn a_row_is_looked_for_under_the_newest_secret_first() {
        let id = SessionId::generate().unwrap();
        let keyring = keyring(&[NEW, OLD]);

        let keys: Vec<_> = keyring
            .addresses(&id)
            .map(|address| address.key())
            .collect();

        let alone = |secret| self::keyring(&[secret]).address(&id).key();
        assert_eq!(keys, [alone(NEW), alone(OLD)]);
        assert_eq!(keyring.address(&id).key(), alone(NEW));
    }

    #[test]
    fn a_principal_may_have_a_roster_under_each_secret() {
        let rosters = |secrets: &[&str]| keyring(secrets).rosters("zoë");

        let keys = |rosters: Vec<Address>| rosters.iter().map(Address::key).collect::<Vec<_>>();
        assert_eq!(
            keys(rosters(&[NEW, OLD])),
            [keys(rosters(&[NEW])), keys(rosters(&[OLD]))].concat()
        );
        assert_eq!(Keyring::plain().rosters("zoë").len(), 1);
    }

    #[test]
    fn only_what_is_found_under_the_newest_secret_may_stay() {
        let id = SessionId::generate().unwrap();
        let addresses = |keyring: &Keyring| {
            keyring
                .addresses(&id)
                .map(|address| address.is_newest())
                .collect::<Vec<_>>()
        };

        assert_eq!(addresses(&Keyring::plain()), [true]);
        assert_eq!(addresses(&keyring(&[NEW, OLD])), [true, false]);
    }

    #[test]
    fn the_row_beside_another_is_under_the_same_secret() {
        let keyring = keyring(&[NEW, OLD]);
        let session = keyring
            .addresses(&SessionId::generate().unwrap())
            .nth(1)
            .unwrap();
        let roster = keyring.rosters("zoë")[1];

        assert_eq!(session.beside(roster.key()), roster);
    }

    #[test]
    fn keyrings_are_equal_when_their_secrets_are_in_the_same_order() {
        assert_eq!(keyring(&[NEW, OLD]), keyring(&[NEW, OLD]));
        assert_ne!(keyring(&[NEW, OLD]), keyring(&[OLD, NEW]));
        assert_ne!(keyring(&[NEW, OLD]), keyring(&[NEW]));
        assert_ne!(keyring(&[NEW]), Keyring::plain());
        assert_eq!(Keyring::plain(), Keyring::plain());
    }

    #[test]
    fn debug_shows_neither_id_nor_secret() {
        let keyring = keyring(&[NEW]);

        assert_eq!(format!("{keyring:?}"), "Keyring(Some(Secrets(..)))");
    }

    fn keyring(secrets: &[&str]) -> Keyring {
        let secrets: Vec<_> = secrets.iter().copied().map(Secret::new).collect();
        Keyring::sealed(Secrets::parse(&secrets).unwrap().unwrap())
    }

    const NEW: &str = "a secret of the tests, long enough to be allowed";
    const OLD: &str = "an older one of the tests, also long enough to be";
}
