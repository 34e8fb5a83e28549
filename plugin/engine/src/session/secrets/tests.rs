use super::keyed::KeyedHash;
use super::*;

#[test]
fn no_secrets_are_none() {
    assert!(Secrets::parse(&[]).unwrap().is_none());
}

#[test]
fn the_first_secret_is_the_newest() {
    let secrets = list(&[NEW, OLD]).unwrap();

    assert_eq!(secrets.newest().mark, mark(NEW));
    assert_eq!(secrets.at(1).mark, mark(OLD));
    assert_eq!(secrets.len(), 2);
}

#[test]
fn a_secret_is_found_by_its_mark() {
    let secrets = list(&[NEW, OLD]).unwrap();

    assert_eq!(secrets.marked(mark(OLD)).unwrap().mark, mark(OLD));
    assert_eq!(
        secrets.marked(mark(OTHER)).err(),
        Some(OpenError::Secret(mark(OTHER)))
    );
}

#[test]
fn every_fault_is_found_at_once_and_shows_no_secret() {
    let short = &NEW[..31];

    let faults = list(&[NEW, short, OLD, NEW]).unwrap_err();

    assert_eq!(
        faults.to_string(),
        "[1]: shorter than 32 bytes; `openssl rand -base64 48` makes one that is long enough\n\
         [3]: the same as [0]"
    );
}

#[test]
fn thirty_two_bytes_are_long_enough() {
    assert!(list(&[&NEW[..32]]).is_ok());
}

#[test]
fn eight_secrets_are_allowed_and_nine_are_not() {
    let nine: Vec<_> = (0..9).map(|n| format!("{NEW} {n}")).collect();
    let nine: Vec<_> = nine.iter().map(String::as_str).collect();

    assert!(list(&nine[..8]).is_ok());
    assert_eq!(
        list(&nine).unwrap_err().to_string(),
        "9 secrets, 8 are allowed"
    );
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", list(&[NEW]).unwrap()), "Secrets(..)");
}

#[test]
fn a_mark_is_eight_hexadecimal_digits() {
    assert_eq!(Mark::new([0, 1, 0xab, 0xff]).to_string(), "0001abff");
    assert_eq!(format!("{:?}", Mark::new([0; 4])), "Mark(00000000)");
}

// Made with another implementation. A change of a derivation logs everybody out: it must not happen by accident.
#[test]
fn the_derivations_are_those_of_every_release() {
    let keys = Keys::derive(NEW.as_bytes());

    assert_eq!(keys.mark.to_string(), "442b8f9c");
    for (hash, key) in [
        (
            keys.names,
            "7873910a1a790f71856d943d53cb61492552bd77319501d8d9fbfc7491b6ba72",
        ),
        (
            keys.rows,
            "62759085b33bfb2dca399b647d4aa60e375152ebd571e682353659e10c4f053b",
        ),
        (
            keys.snapshots,
            "a81af2055287c83ed79f44d7cdc8f524480173a201436ec464c1ab49b572908f",
        ),
        (
            keys.tokens,
            "7558de97ac69eef7b4e844f0ec42e4ca7f955bf338c4b641154918950d9243a2",
        ),
    ] {
        let expected = KeyedHash::new(&hex(key));
        assert_eq!(hash.of(b"a", b"b"), expected.of(b"a", b"b"), "{key}");
    }
}

// RFC 4231, test case 2, with a key that was filled up with zeros as HMAC does it.
#[test]
fn the_hash_is_hmac_sha256() {
    let mut key = [0; 32];
    key[..4].copy_from_slice(b"Jefe");

    let hash = KeyedHash::new(&key).of(b"what do ya want ", b"for nothing?");

    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hash, hex(expected));
}

#[test]
fn only_the_whole_hash_is_verified() {
    let hash = KeyedHash::new(&[7; 32]);
    let tag = hash.of(b"label", b"input");

    assert!(hash.verify(b"label", b"input", &tag));
    assert!(!hash.verify(b"label", b"other", &tag));
    assert!(!hash.verify(b"label", b"input", &tag[..31]));
    assert!(!hash.verify(b"label", b"input", b""));
}

#[test]
fn only_eight_lower_case_digits_are_a_mark() {
    assert_eq!(Mark::parse("0001abff"), Some(Mark::new([0, 1, 0xab, 0xff])));
    for text in ["", "1abff", "0001ABFF", "+001abff", "00001abff", "0001abfg"] {
        assert_eq!(Mark::parse(text), None, "{text}");
    }
}

fn list(secrets: &[&str]) -> Result<Secrets, Faults> {
    let secrets: Vec<_> = secrets.iter().copied().map(Secret::new).collect();
    Secrets::parse(&secrets).map(|secrets| secrets.expect("there are some"))
}

fn mark(secret: &str) -> Mark {
    Keys::derive(secret.as_bytes()).mark
}

fn hex(digits: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..][..2], 16).unwrap())
}

const NEW: &str = "a secret of the tests, long enough to be allowed";
const OLD: &str = "an older one of the tests, also long enough to be";
const OTHER: &str = "a secret that is in no list of any test, long enough";
