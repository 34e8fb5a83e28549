//! The `Cookie` header for the upstream: everything but the session.

use std::borrow::Cow;

use super::name::CookieName;
use super::named::named;

/// The header without any cookie called `name`; `None` when nothing is left to send.
///
/// The other cookies stay byte for byte. A header without the cookie is handed back as it is, without a copy.
pub fn strip<'a>(header: &'a [u8], name: &CookieName) -> Option<Cow<'a, [u8]>> {
    let mut ours = named(header, name).peekable();
    match ours.peek() {
        None => return Some(Cow::Borrowed(header)),
        Some(only) if only.piece == (0..header.len()) => return None,
        Some(_) => {}
    }
    let mut kept = Vec::with_capacity(header.len());
    let mut rest = 0;
    for cookie in ours {
        keep(&mut kept, &header[rest..cookie.piece.start]);
        rest = cookie.piece.end + 1;
    }
    match header.get(rest..) {
        Some(rest) => keep(&mut kept, rest),
        // Ours was the last one: the semicolon before it leads to nothing.
        None => drop(kept.pop()),
    }
    let is_empty = kept.iter().all(|byte| b"; \t".contains(byte));
    (!is_empty).then_some(Cow::Owned(kept))
}

/// Appends what stays; at the front no space is left over.
fn keep(kept: &mut Vec<u8>, mut part: &[u8]) {
    while let ([b' ', rest @ ..], true) = (part, kept.is_empty()) {
        part = rest;
    }
    kept.extend(part);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cookie::Candidates;

    #[test]
    fn the_others_stay_as_they_were() {
        let cases = [
            ("a=1; sid=x; b=2", "a=1; b=2"),
            ("sid=x; a=1", "a=1"),
            ("a=1; sid=x", "a=1"),
            ("a=\"q\";sid=x;b= 2 ;  c", "a=\"q\";b= 2 ;  c"),
            ("sid=x; a=1; sid=y; sid=z", "a=1"),
            ("a=1; sid=\"x\"; $Path=/", "a=1; $Path=/"),
            ("sid=x; a=1\u{c} ", "a=1\u{c} "),
            ("a=1; b=\t; sid=x", "a=1; b=\t"),
            ("a=1;;; sid=x;; b=2;", "a=1;;;; b=2;"),
        ];
        for (header, left) in cases {
            assert_eq!(stripped(header).as_deref(), Some(left), "{header:?}");
        }
    }

    #[test]
    fn a_header_of_nothing_else_disappears() {
        for header in ["sid=x", "sid=x; sid=y", " sid=x ; ", ";;sid=x;"] {
            assert_eq!(stripped(header), None, "{header:?}");
        }
    }

    #[test]
    fn an_untouched_header_is_not_copied() {
        let name = CookieName::parse("sid").unwrap();

        assert!(matches!(
            strip(b" a=1;; sid2=x", &name),
            Some(Cow::Borrowed(b" a=1;; sid2=x"))
        ));
    }

    proptest! {
        #[test]
        fn nothing_of_ours_is_left(header in proptest::collection::vec(prop_oneof![
            Just(b"sid=x".to_vec()), Just(b";".to_vec()), Just(b" ".to_vec()), Just(b"a=1".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ], 0..20)) {
            let header = header.concat();
            let name = CookieName::parse("sid").unwrap();

            if let Some(left) = strip(&header, &name) {
                prop_assert_eq!(Candidates::of([&*left], &name).count(), 0);
            }
        }

        #[test]
        fn all_other_cookies_stay_byte_for_byte(
            others in proptest::collection::vec("[a-c\"=][ -:<-~\u{80}-\u{2fff}]{0,8}[a-c\"=]", 1..6),
            ours in proptest::collection::vec(any::<proptest::sample::Index>(), 1..4),
        ) {
            let mut cookies = others.clone();
            for place in ours {
                cookies.insert(place.index(cookies.len() + 1), "sid=x".to_owned());
            }

            prop_assert_eq!(stripped(&cookies.join("; ")), Some(others.join("; ")));
        }
    }

    fn stripped(header: &str) -> Option<String> {
        let name = CookieName::parse("sid").unwrap();
        strip(header.as_bytes(), &name).map(|left| String::from_utf8(left.into_owned()).unwrap())
    }
}
