use abi::config::Secret;
use abi::storage::Key;
use proptest::prelude::*;

use super::*;
use crate::session::{Address, Keyring, Secrets, SessionId};

#[test]
fn what_was_sealed_opens_at_its_place() {
    let keyring = keyring(&[NEW]);

    for address in [session(&keyring), keyring.rosters("zoë")[0]] {
        for plaintext in [b"".as_slice(), WORDS] {
            let sealed = keyring.seal(&address, 3, plaintext.to_vec()).unwrap();

            assert_eq!(open(&keyring, &address, &sealed).unwrap(), plaintext);
            assert_eq!(sealed.len(), plaintext.len() + 33);
        }
    }
}

#[test]
fn sealing_twice_gives_different_bytes() {
    let keyring = keyring(&[NEW]);
    let address = session(&keyring);

    let sealed = || keyring.seal(&address, 3, WORDS.to_vec()).unwrap();

    assert_ne!(sealed(), sealed());
}

#[test]
fn every_flipped_bit_is_refused() {
    let keyring = keyring(&[NEW]);
    let address = session(&keyring);
    let sealed = keyring.seal(&address, 3, WORDS.to_vec()).unwrap();

    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&keyring, &address, &flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn every_shortened_and_every_lengthened_row_is_refused() {
    let keyring = keyring(&[NEW]);
    let address = session(&keyring);
    let mut sealed = keyring.seal(&address, 3, WORDS.to_vec()).unwrap();

    for end in 0..sealed.len() {
        assert!(
            open(&keyring, &address, &sealed[..end]).is_err(),
            "{end} bytes"
        );
    }
    sealed.push(0);
    assert!(open(&keyring, &address, &sealed).is_err());
}

#[test]
fn a_row_does_not_open_in_the_place_of_another() {
    let keyring = keyring(&[NEW]);
    let (mine, yours) = (session(&keyring), session(&keyring));
    let sealed = keyring.seal(&mine, 3, WORDS.to_vec()).unwrap();

    assert_eq!(open(&keyring, &yours, &sealed), Err(OpenError::Broken));
}

#[test]
fn a_row_does_not_open_under_a_name_that_somebody_gave_it() {
    let keyring = keyring(&[NEW]);
    let address = session(&keyring);
    let sealed = keyring.seal(&address, 3, WORDS.to_vec()).unwrap();
    let moved = Address {
        key: Key::new([7; 32]),
        ..address
    };

    assert_eq!(open(&keyring, &moved, &sealed), Err(OpenError::Broken));
}

#[test]
fn the_name_of_a_row_does_not_open_it() {
    let keyring = keyring(&[NEW]);
    let address = session(&keyring);
    let sealed = keyring.seal(&address, 3, WORDS.to_vec()).unwrap();

    let without_the_id = Address::from(address.key());

    assert_eq!(
        open(&keyring, &without_the_id, &sealed),
        Err(OpenError::Broken)
    );
}

#[test]
fn a_row_does_not_open_as_another_version() {
    let keyring = keyring(&[NEW]);
    let address = session(&keyring);
    let sealed = keyring.seal(&address, 3, WORDS.to_vec()).unwrap();

    for version in [0, 2, 4, u64::MAX] {
        let opened = keyring.open(&address, version, &sealed);
        assert_eq!(opened, Err(OpenError::Broken), "{version}");
    }
}

#[test]
fn with_secrets_an_unsealed_row_is_refused() {
    let keyring = keyring(&[NEW]);
    let address = session(&keyring);

    let opened = open(&keyring, &address, b"\x01X");

    assert_eq!(opened, Err(OpenError::Format(1)));
}

#[test]
fn every_secret_of_the_list_opens_and_no_other() {
    let old = keyring(&[OLD]);
    let address = session(&old);
    let sealed = old.seal(&address, 3, WORDS.to_vec()).unwrap();
    let elsewhere = |secrets: &[&str]| open(&keyring(secrets), &address, &sealed);

    assert!(elsewhere(&[OLD, NEW]).is_ok());
    assert!(elsewhere(&[NEW, OLD]).is_ok());
    let error = elsewhere(&[NEW]).unwrap_err();
    assert_eq!(error.to_string(), "sealed by another secret, 1e93dfda");
}

#[test]
fn a_row_stays_with_the_secret_that_named_it() {
    let (both, old) = (keyring(&[NEW, OLD]), keyring(&[OLD]));
    let id = SessionId::generate().unwrap();
    let found = both.addresses(&id).nth(1).unwrap();

    let sealed = both.seal(&found, 4, WORDS.to_vec()).unwrap();

    let opened = old.open(&old.address(&id), 4, &sealed);
    assert_eq!(opened.unwrap(), WORDS);
}

#[test]
fn an_error_says_nothing_of_what_is_sealed() {
    let texts = [
        OpenError::Broken,
        OpenError::Format(1),
        OpenError::Secret(Mark::new([1; 4])),
        OpenError::Truncated,
    ]
    .map(|error| error.to_string());

    assert_eq!(
        texts,
        [
            "the seal is broken, or was made for something else",
            "not sealed in a known format, but in format 1",
            "sealed by another secret, 01010101",
            "the end comes too early",
        ]
    );
}

// Made with another implementation. A change of the format logs everybody out: it must not happen by accident.
#[test]
fn the_format_is_the_one_of_every_release() {
    let keyring = keyring(&[NEW]);
    let id = SessionId::parse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();
    let session = "53442b8f9ca0a1a2a3a4a5a6a7a8a9aaab210686293bbeb2bf15ef90f57032fbcc5755cdc067ccaebed57bab0520d0ce";
    let roster = "53442b8f9ca0a1a2a3a4a5a6a7a8a9aaabfd4c8207b2932feb9829aeb05e926a464e10e84130713b99ee1a4d54f5d578";

    for (address, expected) in [
        (keyring.address(&id), session),
        (keyring.rosters("zoë")[0], roster),
    ] {
        let secrets = Secrets::parse(&[Secret::new(NEW)]).unwrap().unwrap();
        let nonce = std::array::from_fn(|at| 0xa0 + at as u8);

        let sealed = row::seal(secrets.newest(), &address, 3).close_with(nonce, WORDS);

        assert_eq!(hex(&sealed), expected);
        assert_eq!(open(&keyring, &address, &sealed).unwrap(), WORDS);
    }
}

proptest! {
    #[test]
    fn no_bytes_open_and_none_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let keyring = keyring(&[NEW, OLD]);
        let address = session(&keyring);
        let marked = [b"S\x44\x2b\x8f\x9c".as_slice(), &bytes].concat();

        prop_assert!(open(&keyring, &address, &bytes).is_err());
        prop_assert!(open(&keyring, &address, &marked).is_err());
    }
}

fn keyring(secrets: &[&str]) -> Keyring {
    let secrets: Vec<_> = secrets.iter().copied().map(Secret::new).collect();
    Keyring::sealed(Secrets::parse(&secrets).unwrap().unwrap())
}

fn session(keyring: &Keyring) -> Address {
    keyring.address(&SessionId::generate().unwrap())
}

fn open(keyring: &Keyring, address: &Address, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    keyring
        .open(address, 3, bytes)
        .map(std::borrow::Cow::into_owned)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const NEW: &str = "a secret of the tests, long enough to be allowed";
const OLD: &str = "an older one of the tests, also long enough to be";
const WORDS: &[u8] = b"what a row says";
