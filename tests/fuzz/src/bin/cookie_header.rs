//! `Cookie` headers, one per line: ours are found, and taken out without a scratch on the others.
#![no_main]
#![forbid(unsafe_code)]

use std::borrow::Cow;

use engine::cookie::{Candidates, CookieName, MAX_CANDIDATES, strip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let name = CookieName::parse("sid").expect("a token");
    let headers = || data.split(|&byte| byte == b'\n');

    let found: Vec<&[u8]> = Candidates::of(headers(), &name).collect();
    let expected = headers().flat_map(pieces).filter_map(value);
    assert_eq!(found, expected.take(MAX_CANDIDATES).collect::<Vec<_>>());

    headers().for_each(|header| check_strip(header, &name));
});

fn check_strip(header: &[u8], name: &CookieName) {
    let (ours, others): (Vec<_>, Vec<_>) = pieces(header).partition(|piece| value(piece).is_some());
    let others = others.join(&b';');
    match strip(header, name) {
        None => assert!(!ours.is_empty() && others.iter().all(|byte| b"; \t".contains(byte))),
        Some(Cow::Borrowed(left)) => assert!(ours.is_empty() && left == header),
        Some(Cow::Owned(left)) => {
            assert!(!ours.is_empty());
            assert_eq!(left, without_indent(&others));
            assert_eq!(Candidates::of([&*left], name).count(), 0);
        }
    }
}

fn pieces(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|&byte| byte == b';')
}

/// The value, if the piece is our cookie.
fn value(piece: &[u8]) -> Option<&[u8]> {
    let mut value = without_indent(piece).strip_prefix(b"sid=")?;
    while let [rest @ .., b' '] = value {
        value = rest;
    }
    Some(value)
}

fn without_indent(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}
