//! The id in a cookie: one spelling, and no other text is one.
#![no_main]
#![forbid(unsafe_code)]

use engine::session::SessionId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let id = SessionId::parse(text);

    assert_eq!(id.is_some(), is_canonical(text));
    if let Some(id) = id {
        assert_eq!(id.encode().as_bytes(), text);
    }
});

/// 43 characters of 6 bits carry 2 more than the 256 of an id; those are zero.
fn is_canonical(text: &[u8]) -> bool {
    let digit = |byte: &u8| ALPHABET.iter().position(|known| known == byte);
    let digits: Option<Vec<usize>> = text.iter().map(digit).collect();
    digits.is_some_and(|digits| digits.len() == 43 && digits[42].is_multiple_of(4))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
